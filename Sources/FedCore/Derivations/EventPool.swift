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

    /// One event: together in memory, since they are looked at far apart in time.
    struct Event {
        var time: Int64
        var row: Int64
        var next: Int32
        var slot: Int32
        var label: UInt8

        var isFraud: Bool { label & Label.mask == Label.fraud }
        var isIndexed: Bool { label & Label.isIndexed != 0 }
    }

    /// Values kept of each event.
    let valueCount: Int
    private(set) var events: [Event] = []
    /// Bits of numbers or of entities.
    private(set) var values: [UInt64] = []
    private(set) var liveCount = 0
    private var free = Self.none

    init(valueCount: Int) { self.valueCount = valueCount }

    subscript(event: Int32) -> Event { events[Int(event)] }

    /// Makes an event of some values.
    mutating func make(_ event: Event, values newValues: [UInt64]) -> Int32 {
        liveCount += 1
        let index: Int
        if free == Self.none {
            precondition(events.count < Int32.max, "more than 2^31 events in one group")
            index = events.count
            events.append(event)
            for value in newValues { values.append(value) }
        } else {
            index = Int(free)
            free = events[index].next
            events[index] = event
            for at in 0..<valueCount { values[index * valueCount + at] = newValues[at] }
        }
        return Int32(index)
    }

    func value(_ index: Int, of event: Int32) -> UInt64 { values[Int(event) * valueCount + index] }

    mutating func setNext(of event: Int32, _ next: Int32) { events[Int(event)].next = next }

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
