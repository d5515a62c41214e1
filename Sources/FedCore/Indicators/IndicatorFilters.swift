/// Says which rows the filters of indicators' measures let count.
///
/// The filters are run as what they are: features of a derivation, over the bank's own rows. Labels
/// do not enter, so a row's answer never changes.
struct IndicatorFilters: Sendable {
    /// The answers for one row: one a filter.
    typealias Answers = [Bool]

    /// For each indicator and measure, the position of its filter; `nil` where it has none.
    private let places: [[Int?]]
    /// `nil` where there are no filters.
    private var state: DerivationState?
    private let filterCount: Int
    private var values: [Double] = []

    init(_ derivation: Derivation) {
        var filters: [Expression] = []
        places = derivation.indicators.map { indicator in
            indicator.measures.map { $0.filter.map { filters.indexAdding($0) } }
        }
        filterCount = filters.count
        guard !filters.isEmpty else { return }
        do {
            state = DerivationState(
                try Derivation(
                    name: derivation.name, version: derivation.version,
                    description: derivation.description, standard: derivation.standard,
                    labelDelay: derivation.labelDelay, ties: derivation.ties,
                    columns: derivation.columns,
                    features: filters.enumerated().map {
                        Derivation.DerivedFeature(name: "filter\($0)", value: $1)
                    }))
        } catch {
            preconditionFailure("filters passed the rules and are no features: \(error)")
        }
    }

    /// The answers for rows of one time, which must not be before that of earlier ones.
    mutating func passing(_ rows: [RawRow]) throws(DerivationError) -> [Answers] {
        guard state != nil else { return rows.map { _ in [] } }
        values.removeAll(keepingCapacity: true)
        // A row without a label would be kept under its number until its label comes.
        let labelled = rows.map { row in
            var row = row
            row.isFraud = false
            return row
        }
        try state?.apply(labelled[...], to: &values)
        return rows.indices.map { row in
            values[(row * filterCount)..<((row + 1) * filterCount)].map { !$0.isNaN && $0 != 0 }
        }
    }

    /// Whether a row counts in each measure of an indicator.
    func measures(of indicator: Int, _ answers: Answers) -> [Bool] {
        places[indicator].map { $0.map { answers[$0] } ?? true }
    }
}
