/// The windows of one list of key columns: one queue of events a key, shared by all windows.
///
/// Every event enters and leaves a window once, so a row costs O(windows), amortised. Sums are
/// exact, so figures depend on what is in a window and not on the way it came there. Memory: the
/// events within the farthest end, and those of idle keys, up to another farthest end back, until a
/// look at a few keys a row has come round to them.
struct WindowGroup {
    /// Key columns as one value: two of them exactly, more by a hash.
    struct Key: Hashable {
        let first: UInt64
        let second: UInt64
    }

    /// Where one window stands in the queue of one key.
    struct Position {
        /// The first event within, or the next to enter.
        var head = EventPool.none
        /// The next event to enter.
        var next = EventPool.none
        var count: Int32 = 0
        var frauds: Int32 = 0
        /// Their times, `Int64.max` without an event.
        var headTime = Int64.max
        var nextTime = Int64.max
        /// Times of the last two events that entered.
        var last = Int64.min
        var previous = Int64.min
    }

    /// A sum and how many values are in it.
    struct Total {
        private(set) var sum = ExactSum()
        private(set) var count: Int32 = 0

        mutating func add(_ value: Double) {
            sum.add(value)
            count += 1
        }

        mutating func subtract(_ value: Double) {
            sum.subtract(value)
            count -= 1
        }
    }

    /// The queue of one key.
    struct Queue {
        var key: Key
        var first = EventPool.none
        var last = EventPool.none
        /// The time to which the windows have moved.
        var now = Int64.min
        var newest = Int64.min
        var isUsed = true
    }

    /// Keys that are looked at for expiry with each row.
    private static let keysSweptPerRow = 2

    let plan: WindowPlan
    private(set) var pool: EventPool
    private(set) var queues: [Queue] = []
    private(set) var slotsOfKeys: [Key: Int32] = [:]
    private let far: Int64
    private let farthest: Int
    private let windows: [TimeWindow]
    /// Whether a window has more than counts.
    private let hasFigures: [Bool]
    private var freeSlots: [Int32] = []
    private var hand = 0
    private var positions: [Position] = []
    private var totals: [Total] = []
    private var extremes: [ExtremeQueue] = []
    private var distincts: [[UInt64: Int32]] = []
    /// Events whose rows came without a label, by the number of the row.
    private var unlabelled: [Int64: Int32] = [:]

    init(_ plan: WindowPlan) {
        self.plan = plan
        pool = EventPool(valueCount: plan.values.count)
        windows = plan.windows
        hasFigures = plan.windows.indices.map { plan.hasFigures(in: $0) }
        far = plan.far
        farthest = plan.farthest
    }

    /// Keys with a queue.
    var keyCount: Int { slotsOfKeys.count }

    // MARK: - Rows

    /// Puts an event at the end of a key's queue and moves the key's windows to its time.
    ///
    /// - Returns: the key's slot, for ``figure(_:slot:time:)`` until another row enters.
    mutating func enter(
        _ key: Key, time: Int64, label: UInt8, row: Int64, values: [UInt64]
    ) -> Int32 {
        let slot = slotMaking(key)
        append(slot, time: time, label: label, row: row, values: values)
        advance(slot, to: time)
        return slot
    }

    /// Moves a key's windows to the time of a row that does not count here.
    ///
    /// - Returns: the key's slot, or no slot for a key without events.
    mutating func visit(_ key: Key, time: Int64) -> Int32 {
        guard let slot = slotsOfKeys[key] else { return EventPool.none }
        advance(slot, to: time)
        return slot
    }

    /// Looks at a few keys for each of the rows to come and drops those whose events have all expired.
    ///
    /// Slots of keys with a row at `time` stay.
    mutating func sweep(at time: Int64, rows: Int) {
        for _ in 0..<min(Self.keysSweptPerRow * rows, queues.count) {
            hand = hand + 1 < queues.count ? hand + 1 : 0
            guard queues[hand].isUsed else { continue }
            // Only the queue is looked at: its events are elsewhere in memory.
            guard queues[hand].newest > time - far else {
                advance(Int32(hand), to: time)
                if queues[hand].first == EventPool.none { drop(Int32(hand)) }
                continue
            }
        }
    }

    /// Sets the label of a row that came without one.
    ///
    /// - Returns: whether the row is still of use here.
    mutating func learn(row: Int64, isFraud: Bool, at latest: Int64) -> Bool {
        guard let event = unlabelled[row], pool[event].time > latest - far else { return false }
        let earlier = pool[event]
        pool.setLabel(
            of: event,
            EventPool.Label.isIndexed
                | (isFraud ? EventPool.Label.fraud : EventPool.Label.genuine))
        guard earlier.isFraud != isFraud else { return true }
        let slot = Int(earlier.slot)
        let time = earlier.time
        let now = queues[slot].now
        for (window, ends) in plan.windows.enumerated()
        where time <= now - ends.near && time > now - ends.far {
            positions[slot * plan.windows.count + window].frauds += isFraud ? 1 : -1
        }
        return true
    }

    /// Whether an unlabelled row of this number is in a window or waits for one.
    func isUnlabelled(row: Int64, at latest: Int64) -> Bool {
        guard let event = unlabelled[row] else { return false }
        // An idle key may still hold what has expired.
        return pool[event].time > latest - far
    }

    /// A figure of a key whose row has just entered, or has just been left out by the filter.
    func figure(
        _ reading: WindowReading, slot: Int32, time: Int64, hasEntered: Bool
    ) -> Double {
        guard slot >= 0 else { return reading.empty }
        let slot = Int(slot)
        let position = positions[slot * plan.windows.count + reading.window]
        switch reading.kind {
        case .count: return Double(position.count)
        case .frauds: return Double(position.frauds)
        case .fraudShare:
            guard position.count > 0 else { return reading.empty }
            return Double(position.frauds) / Double(position.count)
        case .sum: return totals[slot * plan.sums.count + reading.index].sum.value
        case .mean:
            let total = totals[slot * plan.sums.count + reading.index]
            guard total.count > 0 else { return reading.empty }
            return total.sum.value / Double(total.count)
        case .extreme:
            let extreme = extremes[slot * plan.extremes.count + reading.index].greatest
            guard let extreme else { return reading.empty }
            return plan.extremes[reading.index].isLeast ? -extreme : extreme
        case .distinct:
            return Double(distincts[slot * plan.distincts.count + reading.index].count)
        case .timeSinceLast:
            let window = plan.windows[reading.window]
            // With a near end of 0 the row itself was the last to enter, unless it was left out.
            let latest = window.near == 0 && hasEntered ? position.previous : position.last
            guard latest > time - window.far else { return reading.empty }
            return Double(time - latest)
        }
    }

    // MARK: - Restoring

    /// Puts a saved event at the end of its key's queue.
    mutating func restore(_ key: Key, time: Int64, label: UInt8, row: Int64, values: [UInt64]) {
        append(slotMaking(key), time: time, label: label, row: row, values: values)
    }

    /// Moves the windows of a restored key to the saved time.
    mutating func restore(_ key: Key, to time: Int64) { advance(slotMaking(key), to: time) }

    // MARK: - Queues

    private mutating func slotMaking(_ key: Key) -> Int32 {
        if let slot = slotsOfKeys[key] { return slot }
        let slot: Int32
        if let free = freeSlots.popLast() {
            slot = free
            queues[Int(slot)] = Queue(key: key)
        } else {
            slot = Int32(queues.count)
            queues.append(Queue(key: key))
            positions.append(contentsOf: repeatElement(Position(), count: plan.windows.count))
            totals.append(contentsOf: repeatElement(Total(), count: plan.sums.count))
            extremes.append(contentsOf: repeatElement(ExtremeQueue(), count: plan.extremes.count))
            distincts.append(contentsOf: repeatElement([:], count: plan.distincts.count))
        }
        slotsOfKeys[key] = slot
        return slot
    }

    private mutating func drop(_ slot: Int32) {
        let index = Int(slot)
        slotsOfKeys[queues[index].key] = nil
        queues[index].isUsed = false
        for window in plan.windows.indices {
            positions[index * plan.windows.count + window] = Position()
        }
        freeSlots.append(slot)
    }

    private mutating func append(
        _ slot: Int32, time: Int64, label: UInt8, row: Int64, values: [UInt64]
    ) {
        let event = pool.make(
            time: time, row: row, slot: slot, label: label, values: values)
        if plan.hasLabels, label & EventPool.Label.isIndexed != 0 { unlabelled[row] = event }
        let index = Int(slot)
        if queues[index].last == EventPool.none {
            queues[index].first = event
        } else {
            pool.setNext(of: queues[index].last, event, time: time)
        }
        queues[index].last = event
        queues[index].newest = time
        for at in (index * plan.windows.count)..<((index + 1) * plan.windows.count) {
            if positions[at].next == EventPool.none {
                positions[at].next = event
                positions[at].nextTime = time
            }
            if positions[at].head == EventPool.none {
                positions[at].head = event
                positions[at].headTime = time
            }
        }
    }

    /// Moves the windows of a key to a time and gives back the events that none needs.
    private mutating func advance(_ slot: Int32, to time: Int64) {
        let base = Int(slot) * windows.count
        for window in windows.indices {
            let (far, near) = (time - windows[window].far, time - windows[window].near)
            let hasFigures = hasFigures[window]
            var position = positions[base + window]
            while position.nextTime <= near {
                let event = pool[position.next]
                position.count += 1
                position.previous = position.last
                position.last = event.time
                if event.isFraud { position.frauds += 1 }
                if hasFigures { enter(position.next, window, Int(slot)) }
                position.next = event.next
                position.nextTime = event.nextTime
            }
            while position.headTime <= far, position.head != position.next {
                let event = pool[position.head]
                position.count -= 1
                if event.isFraud { position.frauds -= 1 }
                if hasFigures { leave(position.head, window, Int(slot)) }
                position.head = event.next
                position.headTime = event.nextTime
            }
            positions[base + window] = position
        }
        queues[Int(slot)].now = time
        let head = positions[base + farthest].head
        if queues[Int(slot)].first != head { release(slot, before: head) }
    }

    private mutating func release(_ slot: Int32, before head: Int32) {
        var index = queues[Int(slot)].first
        while index != head {
            let event = pool[index]
            if plan.hasLabels, event.isIndexed, unlabelled[event.row] == index {
                unlabelled[event.row] = nil
            }
            pool.release(index)
            index = event.next
        }
        queues[Int(slot)].first = head
        if head == EventPool.none { queues[Int(slot)].last = EventPool.none }
    }

    // MARK: - Figures

    private mutating func enter(_ event: Int32, _ window: Int, _ slot: Int) {
        for (index, sum) in plan.sums.enumerated() where sum.window == window {
            let value = Double(bitPattern: pool.value(sum.value, of: event))
            guard !value.isNaN else { continue }
            totals[slot * plan.sums.count + index].add(value)
        }
        for (index, extreme) in plan.extremes.enumerated() where extreme.window == window {
            let value = Double(bitPattern: pool.value(extreme.value, of: event))
            guard !value.isNaN else { continue }
            extremes[slot * plan.extremes.count + index].enter(
                event, extreme.isLeast ? -value : value)
        }
        for (index, distinct) in plan.distincts.enumerated() where distinct.window == window {
            guard let bits = presentBits(distinct, event) else { continue }
            distincts[slot * plan.distincts.count + index][bits, default: 0] += 1
        }
    }

    private mutating func leave(_ event: Int32, _ window: Int, _ slot: Int) {
        for (index, sum) in plan.sums.enumerated() where sum.window == window {
            let value = Double(bitPattern: pool.value(sum.value, of: event))
            guard !value.isNaN else { continue }
            totals[slot * plan.sums.count + index].subtract(value)
        }
        for (index, extreme) in plan.extremes.enumerated() where extreme.window == window {
            extremes[slot * plan.extremes.count + index].leave(event)
        }
        for (index, distinct) in plan.distincts.enumerated() where distinct.window == window {
            guard let bits = presentBits(distinct, event) else { continue }
            let at = slot * plan.distincts.count + index
            let left = distincts[at][bits, default: 1] - 1
            distincts[at][bits] = left == 0 ? nil : left
        }
    }

    private func presentBits(_ distinct: WindowPlan.Distinct, _ event: Int32) -> UInt64? {
        let bits = pool.value(distinct.value, of: event)
        switch plan.values[distinct.value] {
        case .entity: return bits == EntityKey.missing.bits ? nil : bits
        case .number: return Double(bitPattern: bits).isNaN ? nil : bits
        }
    }
}
