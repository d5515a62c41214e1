internal import FedCrypto

extension DerivationState {
    private static let magic: [UInt8] = Array("fed-derivation-state/1".utf8)

    /// Many key columns as one key of 128 bits.
    static func hash(_ parts: [UInt64]) -> (UInt64, UInt64) {
        var writer = ByteWriter()
        for part in parts { writer.write(part) }
        let hash = SHA256.hash(writer.bytes)
        func word(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
        return (word(hash[0..<8]), word(hash[8..<16]))
    }

    /// The state as bytes: equal for equal events within the windows, whatever came before.
    ///
    /// They hold amounts and keys, and must not leave the bank.
    public var canonicalBytes: [UInt8] {
        var writer = ByteWriter()
        writer.writeFixed(Self.magic)
        writer.write(derivation.sha256)
        writer.write(now)
        for group in groups { group.write(to: &writer, now: now) }
        for board in boards { board.write(to: &writer) }
        return writer.bytes
    }

    /// Reads a saved state back; from there on it gives the same numbers as the one saved.
    ///
    /// - Throws: ``DerivationError/notAState(_:)`` or
    ///   ``DerivationError/stateOfAnotherDerivation``.
    public init(
        _ derivation: Derivation, secrets: IndicatorSecrets = .none, canonicalBytes bytes: [UInt8]
    ) throws(DerivationError) {
        self.init(derivation, secrets: secrets)
        var reader = ByteReader(bytes)
        do throws(DecodingFailure) {
            guard try reader.readFixed(Self.magic.count) == Self.magic else {
                throw DecodingFailure.invalidValue(field: "format", at: 0)
            }
        } catch {
            throw .notAState(error)
        }
        let owner: [UInt8]
        do { owner = try reader.readBytes(limit: 32) } catch { throw .notAState(error) }
        guard owner == derivation.sha256 else { throw .stateOfAnotherDerivation }
        do throws(DecodingFailure) {
            let at = reader.position
            now = try reader.readInt64()
            guard now == Int64.min || now.magnitude <= UInt64(Self.timeMax) else {
                throw DecodingFailure.invalidValue(field: "time", at: at)
            }
            for group in groups.indices { try groups[group].read(from: &reader, now: now) }
            for board in boards.indices { try boards[board].read(from: &reader, now: now) }
            try reader.finish()
        } catch {
            throw .notAState(error)
        }
        for board in boards where !board.entries.isEmpty {
            if let failure = board.indexFailure { throw .indicator(failure) }
        }
    }
}

extension WindowGroup {
    /// Writes the keys in their order, each with its events within the farthest end.
    fileprivate func write(to writer: inout ByteWriter, now: Int64) {
        let far = plan.far
        let live = queues.indices.filter { queues[$0].isUsed && queues[$0].newest > now - far }
        let ordered = live.sorted {
            let (first, second) = (queues[$0].key, queues[$1].key)
            return (first.first, first.second) < (second.first, second.second)
        }
        writer.writeEach(ordered) { writer, slot in
            writer.write(queues[slot].key.first)
            writer.write(queues[slot].key.second)
            var events: [Int32] = []
            var event = queues[slot].first
            while event != EventPool.none {
                if pool[event].time > now - far { events.append(event) }
                event = pool[event].next
            }
            writer.writeEach(events) { writer, event in write(event, to: &writer) }
        }
    }

    private func write(_ index: Int32, to writer: inout ByteWriter) {
        let event = pool[index]
        writer.write(event.time)
        for value in 0..<plan.values.count { writer.write(pool.value(value, of: index)) }
        guard plan.hasLabels else { return }
        writer.write(event.label)
        if event.isIndexed { writer.write(event.row) }
    }

    /// Reads what ``write(to:now:)`` wrote into an empty group.
    fileprivate mutating func read(
        from reader: inout ByteReader, now: Int64
    ) throws(DecodingFailure) {
        var lastKey: Key?
        let start = reader.position
        let keyCount: UInt32 = try reader.read()
        // Before the first row there is nothing to keep.
        guard keyCount == 0 || now != Int64.min else {
            throw .invalidValue(field: "key count", at: start)
        }
        for _ in 0..<keyCount {
            let at = reader.position
            let key = Key(first: try reader.read(), second: try reader.read())
            if let lastKey, (lastKey.first, lastKey.second) >= (key.first, key.second) {
                throw .invalidValue(field: "key", at: at)
            }
            lastKey = key
            var lastTime = now - plan.far
            let eventCount: UInt32 = try reader.read()
            guard eventCount > 0 else { throw .invalidValue(field: "event count", at: at) }
            for _ in 0..<eventCount {
                lastTime = try readEvent(of: key, from: &reader, times: lastTime...now)
            }
            restore(key, to: now)
        }
    }

    private mutating func readEvent(
        of key: Key, from reader: inout ByteReader, times: ClosedRange<Int64>
    ) throws(DecodingFailure) -> Int64 {
        let at = reader.position
        let time = try reader.readInt64()
        guard times.contains(time), time > times.upperBound - plan.far else {
            throw .invalidValue(field: "event time", at: at)
        }
        var values: [UInt64] = []
        for index in plan.values.indices {
            let at = reader.position
            let bits: UInt64 = try reader.read()
            guard accepts(bits, asValue: index) else {
                throw .invalidValue(field: "value", at: at)
            }
            values.append(bits)
        }
        var label: UInt8 = 0
        var row: Int64 = 0
        if plan.hasLabels {
            let at = reader.position
            label = try reader.read()
            let isIndexed = label & EventPool.Label.isIndexed != 0
            let known = label & EventPool.Label.mask
            guard label < 8, known <= EventPool.Label.unknown,
                isIndexed || known != EventPool.Label.unknown
            else { throw .invalidValue(field: "label", at: at) }
            if isIndexed {
                row = try reader.readInt64()
                guard !isUnlabelled(row: row, at: times.upperBound) else {
                    throw .invalidValue(field: "row", at: at)
                }
            }
        }
        restore(key, time: time, label: label, row: row, values: values)
        return time
    }

    private func accepts(_ bits: UInt64, asValue index: Int) -> Bool {
        guard case .number = plan.values[index] else { return true }
        let isSummed = plan.sums.contains { $0.value == index }
        let most = isSummed ? ExactSum.magnitudeMax : FeatureStandard.magnitudeMax
        return abs(Double(bitPattern: bits)) <= most || bits == Double.nan.bitPattern
    }
}

extension IndicatorBoard {
    /// Writes the periods that are within the farthest window, or still to come.
    fileprivate func write(to writer: inout ByteWriter) {
        writer.writeEach(entries.sorted { $0.key < $1.key }) { writer, item in
            writer.write(item.key)
            writer.write(UInt32(item.value.revision))
            writer.writeEach(item.value.cells) { writer, cell in writer.write(UInt32(cell)) }
            for values in item.value.values {
                for value in values { writer.write(value) }
            }
        }
    }

    /// Reads what ``write(to:)`` wrote into an empty board.
    fileprivate mutating func read(
        from reader: inout ByteReader, now: Int64
    ) throws(DecodingFailure) {
        if now != Int64.min { advance(to: now) }
        var last: Int64?
        let count: UInt32 = try reader.read()
        for _ in 0..<count {
            let at = reader.position
            let period = try reader.readInt64()
            guard last.map({ $0 < period }) ?? true, period.magnitude <= 1 << 41 else {
                throw .invalidValue(field: "period", at: at)
            }
            last = period
            let revision: UInt32 = try reader.read()
            var cells: [Int32] = []
            let cellCount: UInt32 = try reader.read()
            for _ in 0..<cellCount {
                let at = reader.position
                let cell: UInt32 = try reader.read()
                guard cell < UInt32(indicator.cellCount), cells.last.map({ $0 < cell }) ?? true
                else { throw .invalidValue(field: "cell", at: at) }
                cells.append(Int32(cell))
            }
            var values: [[Int64]] = []
            for _ in indicator.measures {
                var list: [Int64] = []
                for _ in cells { list.append(try reader.readInt64()) }
                values.append(list)
            }
            let entry = Entry(revision: Int(revision), cells: cells, values: values)
            guard take(entry, period: period) else {
                throw .invalidValue(field: "period", at: at)
            }
        }
    }
}
