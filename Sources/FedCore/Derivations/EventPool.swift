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

    /// Values kept of each event.
    let valueCount: Int
    let hasLabels: Bool
    private(set) var times: [Int64] = []
    private(set) var next: [Int32] = []
    /// Bits of numbers or of entities.
    private(set) var values: [UInt64] = []
    private(set) var labels: [UInt8] = []
    private(set) var rows: [Int64] = []
    private(set) var slots: [Int32] = []
    private(set) var liveCount = 0
    private var free = Self.none

    init(valueCount: Int, hasLabels: Bool) {
        self.valueCount = valueCount
        self.hasLabels = hasLabels
    }

    /// Makes an event, its values not set yet.
    mutating func make(time: Int64, slot: Int32, label: UInt8, row: Int64) -> Int32 {
        liveCount += 1
        guard free == Self.none else {
            let event = Int(free)
            free = next[event]
            times[event] = time
            next[event] = Self.none
            if hasLabels {
                labels[event] = label
                rows[event] = row
                slots[event] = slot
            }
            return Int32(event)
        }
        precondition(times.count < Int32.max, "more than 2^31 events in one group")
        times.append(time)
        next.append(Self.none)
        for _ in 0..<valueCount { values.append(0) }
        if hasLabels {
            labels.append(label)
            rows.append(row)
            slots.append(slot)
        }
        return Int32(times.count - 1)
    }

    mutating func setValue(_ index: Int, of event: Int32, _ bits: UInt64) {
        values[Int(event) * valueCount + index] = bits
    }

    func value(_ index: Int, of event: Int32) -> UInt64 { values[Int(event) * valueCount + index] }

    mutating func setNext(of event: Int32, _ following: Int32) { next[Int(event)] = following }

    mutating func setLabel(of event: Int32, _ label: UInt8) { labels[Int(event)] = label }

    func isFraud(_ event: Int32) -> Bool {
        hasLabels && labels[Int(event)] & Label.mask == Label.fraud
    }

    /// Gives the storage of an event back.
    mutating func release(_ event: Int32) {
        next[Int(event)] = free
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
