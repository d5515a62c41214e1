public import FedCore

/// How the columns of a bank's table are spread: of features, or of raw transactions as well.
///
/// Made in one pass; memory does not grow with the file. It stays at the bank.
public struct TableProfile: Equatable, Sendable {
    /// One column.
    public struct Column: Equatable, Sendable {
        /// Its name in the derivation or standard.
        public let name: String
        /// Whether it is a raw column rather than a feature.
        public let isRaw: Bool
        /// How its values are spread.
        public fileprivate(set) var sketch = ColumnSketch()

        init(_ name: String, isRaw: Bool) {
            self.name = name
            self.isRaw = isRaw
        }

        /// How far the values are from the consortium's frozen grid, as ``ColumnDrift`` measures
        /// it; `nil` where the grid does not have the feature.
        public func drift(against quantiles: [String: [Double]]) -> Double? {
            guard !isRaw, let quantiles = quantiles[name] else { return nil }
            return ColumnDrift.index(of: sketch, against: quantiles)
        }
    }

    /// The columns: raw numbers first, where there are any, then features.
    public private(set) var columns: [Column]
    /// Rows.
    public private(set) var rowCount = 0
    /// Rows labelled as frauds.
    public private(set) var fraudCount = 0

    /// Profiles a table of features.
    public init(of dataset: Dataset, standard: FeatureStandard) {
        precondition(dataset.columns.count == standard.features.count, "another standard")
        columns = standard.features.map { Column($0.name, isRaw: false) }
        rowCount = dataset.rowCount
        fraudCount = dataset.fraudCount
        for index in columns.indices {
            for value in dataset.columns[index] { columns[index].sketch.add(value) }
        }
    }

    /// Profiles the raw numbers of a file of transactions and the features derived from them.
    ///
    /// - Parameters:
    ///   - raw: the path of the file, its rows in the order of time.
    ///   - mapping: the bank's own column names, by the derivation's.
    ///   - tables: the published sums of the derivation's indicators.
    /// - Throws: ``FeatureBuilderError`` with file, line and column of the first fault.
    public init(
        raw: String, mapping: [String: String] = [:], derivation: Derivation,
        tables: [IndicatorTable] = [], secrets: IndicatorSecrets = .none
    ) throws(FeatureBuilderError) {
        let rawColumns = derivation.numberColumns.map { Column($0.name, isRaw: true) }
        var columns = rawColumns + derivation.features.map { Column($0.name, isRaw: false) }
        var state = DerivationState(derivation, secrets: secrets)
        for table in tables {
            do { try state.publish(table) } catch { throw .derivation(error) }
        }
        var (rows, frauds, firstLine) = (0, 0, 2)
        var waiting: [RawRow] = []
        var features: [Double] = []
        func take() throws(FeatureBuilderError) {
            guard !waiting.isEmpty else { return }
            features.removeAll(keepingCapacity: true)
            do throws(DerivationError) {
                try state.apply(waiting[...], to: &features)
            } catch {
                throw .row(error, file: RawInput(raw).name, line: firstLine)
            }
            let width = derivation.features.count
            for (index, value) in features.enumerated() {
                columns[rawColumns.count + index % width].sketch.add(value)
            }
            waiting.removeAll(keepingCapacity: true)
        }
        try RawTransactions.forEach(in: raw, mapping: mapping, derivation: derivation) {
            row, _, line throws(FeatureBuilderError) in
            if let first = waiting.first, first.time != row.time { try take() }
            if waiting.isEmpty { firstLine = line }
            waiting.append(row)
            rows += 1
            if row.isFraud == true { frauds += 1 }
            for index in rawColumns.indices { columns[index].sketch.add(row.numbers[index]) }
            return true
        }
        try take()
        self.columns = columns
        rowCount = rows
        fraudCount = frauds
    }
}

/// What is odd about one column of a profile.
public struct ColumnFinding: Equatable, Sendable {
    /// What is odd.
    public enum Kind: Equatable, Sendable {
        /// Values beyond the standard's range: the least and the greatest.
        case outOfRange(least: Double, greatest: Double)
        /// Missing values where the standard refuses them: their share.
        case missing(share: Double)
        /// The population stability index against the reference.
        case drift(index: Double)
        /// The values' typical ratio to the other banks', and the factor between units that
        /// explains it.
        case unit(ratio: Double, factor: Double?)
    }

    /// The column's name.
    public let column: String
    /// What is odd.
    public let kind: Kind

    /// Wraps the members.
    public init(column: String, kind: Kind) {
        self.column = column
        self.kind = kind
    }
}

extension ColumnFinding {
    /// Whether the column breaks a rule, rather than being worth a look.
    public var isViolation: Bool {
        switch kind {
        case .outOfRange, .missing, .unit: true
        case .drift: false
        }
    }
}

extension ColumnFinding: CustomStringConvertible {
    /// One line for people.
    public var description: String {
        switch kind {
        case .outOfRange(let least, let greatest):
            return "\(column): values from \(least) to \(greatest) leave the standard's range"
        case .missing(let share):
            return "\(column): \(Self.rounded(share * 100)) % missing, none is allowed"
        case .drift(let index):
            return "\(column): has moved, population stability index \(Self.rounded(index))"
        case .unit(let ratio, let factor):
            let times = ratio >= 1 ? ratio : 1 / ratio
            let direction = ratio >= 1 ? "above" : "below"
            let unit = factor.map { ": another unit, \($0 >= 1 ? $0 : 1 / $0) times?" } ?? ""
            return "\(column): typically \(Self.rounded(times)) times \(direction) the other banks'"
                + unit
        }
    }

    private static func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }
}

extension TableProfile {
    /// The consortium's quantiles of those features that can be held against them: continuous ones
    /// of which no value is that of a tenth of the rows.
    ///
    /// Only where values are spread are the bins of a joint grid of equal weight.
    public func comparable(
        _ quantiles: [String: [Double]], standard: FeatureStandard
    ) -> [String: [Double]] {
        let continuous = Set(
            standard.features.filter { $0.type == .continuous }.map(\.name))
        let spread = Set(columns.filter { !$0.isRaw && $0.sketch.isSpread }.map(\.name))
        return quantiles.filter { continuous.contains($0.key) && spread.contains($0.key) }
    }

    /// What a person should look at, in the order of columns.
    ///
    /// - Parameters:
    ///   - standard: ranges and missing values of the features.
    ///   - reference: an earlier profile of the same columns, such as that of the rows that a
    ///     model learned from.
    ///   - quantiles: the consortium's quantiles by feature, such as a joint model's bin edges;
    ///     those that are not ``comparable(_:standard:)`` are passed over.
    public func findings(
        standard: FeatureStandard, reference: TableProfile? = nil,
        quantiles: [String: [Double]] = [:]
    ) -> [ColumnFinding] {
        let quantiles = comparable(quantiles, standard: standard)
        var findings: [ColumnFinding] = []
        for column in columns {
            func note(_ kind: ColumnFinding.Kind) {
                findings.append(ColumnFinding(column: column.name, kind: kind))
            }
            let feature =
                column.isRaw ? nil : standard.features.first { $0.name == column.name }
            if let feature, let least = column.sketch.least, let most = column.sketch.greatest,
                least < feature.range.lowerBound || most > feature.range.upperBound
            {
                note(.outOfRange(least: least, greatest: most))
            }
            if let feature, feature.missing == .refuse, column.sketch.missingCount > 0 {
                note(.missing(share: column.sketch.missingShare))
            }
            if let other = reference?.columns.first(where: {
                $0.name == column.name && $0.isRaw == column.isRaw
            }), let index = ColumnDrift.index(of: column.sketch, against: other.sketch),
                index >= ColumnDrift.suspicious
            {
                note(.drift(index: index))
            } else if reference == nil, let index = column.drift(against: quantiles),
                index >= ColumnDrift.suspicious
            {
                note(.drift(index: index))
            }
            if !column.isRaw, let quantiles = quantiles[column.name],
                let found = UnitPlausibility.check(column.sketch, against: quantiles)
            {
                note(.unit(ratio: found.ratio, factor: found.factor))
            }
        }
        return findings
    }
}

extension ColumnSketch {
    /// Whether no value is that of a tenth of the rows.
    fileprivate var isSpread: Bool {
        let tenths = (1..<10).compactMap { quantile(Double($0) / 10) }
        return zip(tenths, tenths.dropFirst()).allSatisfy { $0 < $1 }
    }
}

extension GradientBoostingModel {
    /// The consortium's quantiles by feature: bin edges that masked counts of all banks' rows gave.
    ///
    /// Features of few values have none, as their bins are not of equal weight.
    public var consortiumQuantiles: [String: [Double]] {
        var quantiles: [String: [Double]] = [:]
        for (name, bins) in zip(featureNames, bins) {
            guard case .edges(let edges) = bins.mapping, edges.count >= 32 else { continue }
            quantiles[name] = edges
        }
        return quantiles
    }
}
