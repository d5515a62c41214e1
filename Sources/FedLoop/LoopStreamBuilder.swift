public import FedCore

/// Gathers banks' rows into a stream; keys are numbered as they come.
public struct LoopStreamBuilder: Sendable {
    /// A kind of party and whether banks meet the same ones.
    public typealias EntityKind = (name: String, isShared: Bool)

    private struct Bank {
        let name: String
        var days: [Int32] = []
        var hours: [UInt8] = []
        var columns: [[Double]]
        var keys: [[Int32]]
        var amounts: [Float] = []
        var labels: [UInt8] = []
    }

    private let features: [TreeFeature]
    private let kinds: [EntityKind]
    private var numbers: [[EntityKey: Int32]]
    private var banks: [Bank] = []

    /// Begins without banks.
    public init(features: [TreeFeature], entities: [EntityKind]) {
        self.features = features
        kinds = entities
        numbers = entities.map { _ in [:] }
    }

    /// Begins a bank; rows that follow are its own.
    public mutating func beginBank(_ name: String) {
        banks.append(
            Bank(
                name: name, columns: features.map { _ in [] },
                keys: kinds.map { _ in [] }))
    }

    /// Adds a row of the last bank.
    ///
    /// - Parameters:
    ///   - time: seconds since the first day, at least 0.
    ///   - features: one value a feature.
    ///   - keys: one an entity; ``EntityKey/missing`` for none.
    public mutating func append(
        time: Int64, features values: ArraySlice<Double>, keys: [EntityKey], amount: Double,
        isFraud: Bool
    ) {
        precondition(!banks.isEmpty, "a row before the first bank")
        precondition(values.count == features.count && keys.count == kinds.count, "a ragged row")
        let bank = banks.count - 1
        banks[bank].days.append(Int32(clamping: time / 86_400))
        banks[bank].hours.append(UInt8(clamping: time % 86_400 / 3_600))
        for (index, value) in values.enumerated() { banks[bank].columns[index].append(value) }
        for (index, key) in keys.enumerated() {
            banks[bank].keys[index].append(
                key == .missing ? LoopStream.Bank.noKey : number(key, index))
        }
        banks[bank].amounts.append(Float(amount))
        banks[bank].labels.append(isFraud ? 1 : 0)
    }

    private mutating func number(_ key: EntityKey, _ entity: Int) -> Int32 {
        if let known = numbers[entity][key] { return known }
        let fresh = Int32(numbers[entity].count)
        numbers[entity][key] = fresh
        return fresh
    }

    /// The stream.
    ///
    /// - Throws: ``LoopError/stream(bank:reason:)``.
    public consuming func finish() throws(LoopError) -> LoopStream {
        var entities: [LoopStream.Entity] = []
        for (kind, numbers) in zip(kinds, numbers) {
            entities.append(
                LoopStream.Entity(
                    name: kind.name, keyCount: numbers.count, isShared: kind.isShared))
        }
        return try LoopStream(
            features: features, entities: entities,
            banks: banks.map {
                LoopStream.Bank(
                    name: $0.name, days: $0.days, hours: $0.hours, columns: $0.columns,
                    keys: $0.keys, amounts: $0.amounts, labels: $0.labels)
            })
    }
}

/// Derives one bank's features from raw rows as they come and adds them to a stream.
///
/// The rows' labels are given with them; the derivation uses a label when its delay is over.
public struct LoopDerivation: Sendable {
    private let bank: String
    private let amountPlace: Int
    private let keyPlaces: [Int]
    private let width: Int
    private var state: DerivationState
    private var rows: [RawRow] = []
    private var features: [Double] = []

    /// Begins a bank.
    ///
    /// - Parameter entities: the derivation's entity columns that become keys, by name.
    /// - Throws: ``LoopError/stream(bank:reason:)`` for an unknown column.
    public init(
        bank: String, derivation: Derivation, entities: [String]
    ) throws(LoopError) {
        self.bank = bank
        state = DerivationState(derivation)
        width = derivation.features.count
        amountPlace = derivation.numberColumns.firstIndex { $0.role == .amount } ?? -1
        var places: [Int] = []
        for name in entities {
            guard let place = derivation.entityColumns.firstIndex(where: { $0.name == name })
            else { throw .stream(bank: bank, reason: "the derivation has no entity \(name)") }
            places.append(place)
        }
        keyPlaces = places
    }

    /// Takes the next row.
    ///
    /// - Throws: ``LoopError/derivation(_:bank:)``; ``LoopError/stream(bank:reason:)`` for a row
    ///   without a label.
    public mutating func append(
        _ row: RawRow, to builder: inout LoopStreamBuilder
    ) throws(LoopError) {
        if let first = rows.first, first.time != row.time { try flush(to: &builder) }
        rows.append(row)
    }

    /// Ends the bank.
    ///
    /// - Throws: as ``append(_:to:)``.
    public mutating func finish(to builder: inout LoopStreamBuilder) throws(LoopError) {
        try flush(to: &builder)
    }

    private mutating func flush(to builder: inout LoopStreamBuilder) throws(LoopError) {
        guard !rows.isEmpty else { return }
        features.removeAll(keepingCapacity: true)
        do { try state.apply(rows[...], to: &features) } catch {
            throw .derivation(error, bank: bank)
        }
        for (index, row) in rows.enumerated() {
            guard let isFraud = row.isFraud else {
                throw .stream(bank: bank, reason: "row \(row.number) has no label")
            }
            guard row.time >= 0 else {
                throw .stream(bank: bank, reason: "row \(row.number) is before the first day")
            }
            builder.append(
                time: row.time, features: features[(index * width)..<((index + 1) * width)],
                keys: keyPlaces.map { row.entities[$0] },
                amount: amountPlace < 0 ? 0 : row.numbers[amountPlace], isFraud: isFraud)
        }
        rows.removeAll(keepingCapacity: true)
    }
}
