import FedCore
import FedFiles
import Testing

private let derivationText = """
    {
      "format": "fed-derivation/1", "name": "cards", "version": 1, "description": "Cards.",
      "standard": "cards", "label_delay": 600, "ties": "together",
      "columns": [
        {"name": "time", "role": "time", "type": "integer"},
        {"name": "card", "role": "entity", "type": "integer", "missing": "keep"},
        {"name": "amount", "role": "amount", "type": "number", "missing": "keep"},
        {"name": "fraud", "role": "label", "type": "integer"}
      ],
      "features": [
        {"name": "amount", "value": {"op": "copy", "column": "amount"}},
        {"name": "rows", "value": {"op": "count", "by": ["card"],
          "window": {"far": 100, "near": 0}}}
      ]
    }
    """

private let standardText = """
    {
      "format": "fed-feature-standard/1", "name": "cards", "version": 1, "description": "Cards.",
      "row": "row", "label": "fraud",
      "features": [
        {"name": "amount", "type": "continuous", "unit": "EUR", "range": {"min": 0, "max": 500},
          "missing": {"policy": "refuse"}, "transform": "signed_log",
          "sensitivity": "confidential", "description": "Amount."},
        {"name": "rows", "type": "integer", "unit": "1", "range": {"min": 0, "max": 1000},
          "missing": {"policy": "refuse"}, "transform": "signed_log", "sensitivity": "personal",
          "description": "Rows."}
      ]
    }
    """

struct TableProfileTests {
    private let folder: TemporaryFolder
    private let derivation: Derivation
    private let standard: FeatureStandard

    init() throws {
        folder = try TemporaryFolder()
        derivation = try Derivation(json: Array(derivationText.utf8))
        standard = try FeatureStandard(json: Array(standardText.utf8))
    }

    private func profile(_ rows: [String]) throws -> TableProfile {
        let text = "time,card,amount,fraud\n" + rows.joined(separator: "\n") + "\n"
        return try TableProfile(raw: folder.write("raw.csv", text), derivation: derivation)
    }

    /// Amounts from 1 to 200 times a scale, two rows a second.
    private func rows(scale: Double = 1, gap: Int = 0) -> [String] {
        (0..<400).map { index in
            let amount = scale * Double((index * 37) % 200 + 1)
            let text = gap > 0 && index % gap == 0 ? "" : "\(amount)"
            return "\(index / 2),\(index % 7),\(text),\(index % 50 == 0 ? 1 : 0)"
        }
    }

    @Test func aProfileCountsRawColumnsAndFeatures() throws {
        let profile = try profile(rows())
        #expect(profile.rowCount == 400)
        #expect(profile.fraudCount == 8)
        #expect(profile.columns.map(\.name) == ["amount", "amount", "rows"])
        #expect(profile.columns.map(\.isRaw) == [true, false, false])
        #expect(profile.columns[0].sketch == profile.columns[1].sketch)
        #expect(profile.columns[1].sketch.greatest == 200)
        #expect(profile.columns[2].sketch.least == 1)
        #expect(profile.findings(standard: standard).isEmpty)
    }

    @Test func aWrongUnitDriftRangesAndGapsAreFound() throws {
        let reference = try profile(rows())
        let quantiles = ["amount": (1...40).map { Double($0) * 200 / 41 }]
        #expect(
            reference.findings(standard: standard, reference: reference, quantiles: quantiles)
                .isEmpty)
        let cents = try profile(rows(scale: 100)).findings(
            standard: standard, reference: reference, quantiles: quantiles)
        #expect(cents.map(\.column) == ["amount", "amount", "amount", "amount"])
        #expect(
            cents.contains { $0.kind == .outOfRange(least: 100, greatest: 20_000) })
        let unit = cents.compactMap { finding -> Double? in
            if case .unit(_, let factor) = finding.kind { factor } else { nil }
        }
        #expect(unit == [100])
        let gaps = try profile(rows(gap: 4)).findings(standard: standard)
        #expect(gaps == [ColumnFinding(column: "amount", kind: .missing(share: 0.25))])
        #expect(gaps[0].description.contains("25.0 % missing"))
    }

    /// Where few values are had by many rows the grid's bins are of unequal weight, and its edges
    /// tell nothing of a unit.
    @Test func countsAreNotHeldAgainstTheGrid() throws {
        let profile = try profile(rows())
        let quantiles = ["rows": (1...40).map { Double($0) * 1000 }]
        #expect(profile.comparable(quantiles, standard: standard).isEmpty)
        #expect(profile.findings(standard: standard, quantiles: quantiles).isEmpty)
        let spread = ["amount": (1...40).map { Double($0) }]
        #expect(profile.comparable(spread, standard: standard) == spread)
    }

    @Test func aFaultNamesItsLine() throws {
        var faulty = rows()
        faulty[10] = "5,1,abc,0"
        let error = #expect(throws: FeatureBuilderError.self) { _ = try profile(faulty) }
        #expect(try #require(error).description.contains("raw.csv:12"))
    }
}
