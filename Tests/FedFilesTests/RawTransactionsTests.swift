import FedCore
import FedFiles
import Testing

private let derivationText = """
    {
      "format": "fed-derivation/1", "name": "cards", "version": 1, "description": "Cards.",
      "standard": "cards", "label_delay": 600, "ties": "together",
      "columns": [
        {"name": "row", "role": "row", "type": "integer"},
        {"name": "time", "role": "time", "type": "integer"},
        {"name": "card", "role": "entity", "type": "text", "missing": "keep"},
        {"name": "shop", "role": "entity", "type": "integer", "missing": "refuse"},
        {"name": "amount", "role": "amount", "type": "number", "missing": "refuse"},
        {"name": "fraud", "role": "label", "type": "integer"}
      ],
      "indicators": [
        {"name": "risk", "entity": "shop", "period": 100, "delay": 600,
          "floor": {"banks": 3, "window": 100}, "index": {"kind": "range", "first": 0, "count": 3},
          "measures": [
            {"name": "rows", "kind": "count", "most": 50},
            {"name": "usual", "kind": "frauds", "most": 50, "where":
              {"op": "compare", "is": "<=", "to": 2, "of":
                {"op": "ratio", "of": {"op": "copy", "column": "amount"}, "to":
                  {"op": "mean", "column": "amount", "by": ["card"],
                    "window": {"far": 500, "near": 0}}}}}
          ]}
      ],
      "features": [{"name": "amount", "value": {"op": "copy", "column": "amount"}}]
    }
    """

struct RawTransactionsTests {
    private let folder: TemporaryFolder
    private let derivation: Derivation

    init() throws {
        folder = try TemporaryFolder()
        derivation = try Derivation(json: Array(derivationText.utf8))
    }

    private func counts(
        _ rows: String, findings: [Int64: RowFinding] = [:]
    ) throws -> [[Int64]] {
        let path = try folder.write("raw.csv", "row,time,card,shop,amount,fraud\n" + rows)
        let counts = try RawTransactions.counts(
            of: path, derivation: derivation, findings: findings)
        let plan = try IndicatorPlan(
            derivation, indicator: "risk", firstPeriod: 0, periodCount: 1)
        return try IndicatorTable.plaintext(
            plan, ledgers: [IndicatorLedger](repeating: counts.ledgers[0], count: 3)
        ).periods[0].values.map { $0.map { $0 / 3 } }
    }

    @Test func filtersSeeAllRowsOfOneTimeWhereverTheyStandInTheFile() throws {
        // Amounts of 9 and 1: their mean is 5, so both are usual; of 30, 1 and 1 the first is not.
        let two = "0,10,a,1,9,1\n1,10,a,1,1,1\n"
        #expect(try counts(two) == [[2], [2]])
        let three = "0,10,a,1,30,1\n1,10,a,1,1,1\n2,10,a,1,1,1\n"
        #expect(try counts(three) == [[3], [2]])
        #expect(try counts("0,10,a,1,30,1\n1,10,b,1,1,1\n2,10,b,1,1,1\n") == [[3], [3]])
    }

    @Test func findingsMakeFraudsOfRowsThatPass() throws {
        let rows = "0,10,a,1,30,\n1,10,a,1,1,\n2,20,a,1,1,\n"
        #expect(try counts(rows) == [[3], [0]])
        let all = (0..<3).map { (Int64($0), RowFinding(isFraud: true, time: 30)) }
        #expect(try counts(rows, findings: Dictionary(uniqueKeysWithValues: all)) == [[3], [3]])
        let late = [Int64(1): RowFinding(isFraud: true, time: 700)]
        #expect(try counts(rows, findings: late) == [[3], [0]])
    }

    @Test func aRowThatAFilterCannotTakeInIsNamedByItsLine() throws {
        #expect(
            throws: FeatureBuilderError.row(
                .valueOutOfRange(column: "amount", magnitudeMax: 1e12), file: "raw.csv", line: 3)
        ) {
            _ = try counts("0,10,a,1,1,\n1,20,a,1,1e13,\n")
        }
    }
}
