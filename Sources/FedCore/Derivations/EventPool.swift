/// The events of one group: linked lists, one a key, in storage that is used again.
struct EventPool {
    /// No event.
    static let none: Int32 = -1

    /// What is known of an event's label.
    struct Label: Equatable {
        static let genuine: UInt8 = 0
        static let fraud: UInt8 = 1
        static let unknown: UInt8 = 2
        /// The bits of the three above.
        static let mask: UInt8 = 3
        /// The event can be found by its row number, since the row came without a label.
        static let isIndexed: UInt8 = 4
    }

    /// One event; it knows the next one's time, so a window that moves on to that one need not
    /// look at it: events of a key are far apart in memory.
    struct Event {
        let time: Int64
        let row: Int64
        /// The first of the values kept.
        fileprivate let value: UInt64
        fileprivate(set) var next: Int32
        /// `Int64.max` without a next one.
        fileprivate(set) var nextTime: Int64
        private var slotAndLabel: UInt32

        init(time: Int64, row: Int64, slot: Int32, label: UInt8, value: UInt64) {
            precondition(slot < 1 << 29, "more than 2^29 keys in one group")
            self.time = time
            self.row = row
            self.value = value
            next = EventPool.none
            nextTime = .max
            slotAndLabel = UInt32(slot) << 3 | UInt32(label)
        }

        var slot: Int32 { Int32(slotAndLabel >> 3) }

        var label: UInt8 {
            get { UInt8(slotAndLabel & 7) }
            set { slotAndLabel = slotAndLabel & ~7 | UInt32(newValue) }
        }

        var isFraud: Bool { label & Label.mask == Label.fraud }
        var isIndexed: Bool { label & Label.isIndexed != 0 }
    }

    /// Values kept of each event beside the first.
    private let furtherCount: Int
    private var events: [Event] = []
    private var further: [UInt64] = []
    private(set) var liveCount = 0
    private var free = Self.none

    init(valueCount: Int) { furtherCount = max(valueCount - 1, 0) }

    subscript(event: Int32) -> Event { events[Int(event)] }

    /// Makes an event of some values: bits of numbers or of entities.
    mutating func make(
        time: Int64, row: Int64, slot: Int32, label: UInt8, values: [UInt64]
    ) -> Int32 {
        let event = Event(
            time: time, row: row, slot: slot, label: label, value: values.first ?? 0)
        liveCount += 1
        guard free != Self.none else {
            precondition(events.count < Int32.max, "more than 2^31 events in one group")
            events.append(event)
            for value in values.dropFirst() { further.append(value) }
            return Int32(events.count - 1)
        }
        let index = Int(free)
        free = events[index].next
        events[index] = event
        for at in 0..<furtherCount { further[index * furtherCount + at] = values[at + 1] }
        return Int32(index)
    }

    func value(_ index: Int, of event: Int32) -> UInt64 {
        guard index > 0 else { return events[Int(event)].value }
        return further[Int(event) * furtherCount + index - 1]
    }

    mutating func setNext(of event: Int32, _ next: Int32, time: Int64) {
        events[Int(event)].next = next
        events[Int(event)].nextTime = time
    }

    mutating func setLabel(of event: Int32, _ label: UInt8) { events[Int(event)].label = label }

    /// Gives the storage of an event back.
    mutating func release(_ event: Int32) {
        events[Int(event)].next = free
        free = event
        liveCount -= 1
    }
}

/// The events of a window that may become its greatest value: their values fall from first to last.
struct ExtremeQueue {
    private var events: [(event: Int32, value: Double)] = []
    private var start = 0

    /// The greatest value, `nil` without events.
    var greatest: Double? { start < events.count ? events[start].value : nil }

    mutating func enter(_ event: Int32, _ value: Double) {
        while events.count > start, let last = events.last, last.value <= value {
            events.removeLast()
        }
        events.append((event, value))
    }

    mutating func leave(_ event: Int32) {
        guard start < events.count, events[start].event == event else { return }
        start += 1
        // Half of the storage may lie idle.
        if start * 2 >= events.count {
            events.removeFirst(start)
            start = 0
        }
    }
}
