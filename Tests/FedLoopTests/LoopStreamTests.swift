import FedCore
import FedLoop
import Testing

@Suite struct LoopStreamTests {
    private func bank(
        days: [Int32] = [0, 1], hours: [UInt8] = [3, 2], keys: [Int32] = [0, -1],
        labels: [UInt8] = [0, 1]
    ) -> LoopStream.Bank {
        LoopStream.Bank(
            name: "A", days: days, hours: hours, columns: [[1, 2]], keys: [keys],
            amounts: [1, 2], labels: labels)
    }

    private func stream(_ bank: LoopStream.Bank) throws -> LoopStream {
        try LoopStream(
            features: [
                try TreeFeature(
                    name: "amount", kind: .continuous, range: 0...9, allowsMissing: false)
            ], entities: [LoopStream.Entity(name: "terminal", keyCount: 1, isShared: true)],
            banks: [bank])
    }

    @Test func rowsThatDoNotFitAreRefused() throws {
        #expect(try stream(bank()).days == 0..<2)
        let wrong = [
            bank(days: [1, 0]), bank(days: [1, 1]), bank(days: [-1, 0]), bank(hours: [3, 24]),
            bank(keys: [0, 1]), bank(keys: [-2, 0]), bank(labels: [0, 2]),
            bank(days: [0]), bank(keys: [0]),
        ]
        for (place, bank) in wrong.enumerated() {
            #expect("bank \(place)") {
                _ = try stream(bank)
            } throws: { error in
                guard case LoopError.stream(bank: "A", reason: _) = error else { return false }
                return true
            }
        }
    }

    @Test func keysAreNumberedOverAllBanks() throws {
        let rows = Toy.rows(seed: 1)
        let stream = try Toy.stream(rows)
        #expect(stream.entities[0].keyCount == Toy.terminals)
        #expect(stream.entities[1].keyCount == 4 * 30)
        var numbers: [Int64: Int32] = [:]
        for (bank, rows) in zip(stream.banks, rows) {
            for (row, number) in zip(rows, bank.keys[0]) {
                #expect(numbers[row.terminal, default: number] == number)
                numbers[row.terminal] = number
            }
        }
        #expect(Set(numbers.values).count == Toy.terminals)
    }

    @Test func derivedFeaturesAreThoseOfTheDerivation() throws {
        let derivation = try Derivation(json: Array(Self.document.utf8))
        var state = DerivationState(derivation)
        var pass = try LoopDerivation(bank: "A", derivation: derivation, entities: ["terminal"])
        var builder = LoopStreamBuilder(
            features: try ["amount", "risk"].map {
                try TreeFeature(
                    name: $0, kind: .continuous, range: 0...1_000, allowsMissing: false)
            }, entities: [("terminal", true)])
        builder.beginBank("A")
        var expected: [[Double]] = []
        for (number, row) in Toy.rows(seed: 2, banks: 1)[0].enumerated() {
            let raw = RawRow(
                time: row.time, number: Int64(number), isFraud: row.isFraud,
                numbers: [row.amount], entities: [EntityKey(row.terminal)])
            expected.append(try state.apply(raw))
            try pass.append(raw, to: &builder)
        }
        try pass.finish(to: &builder)
        let bank = try builder.finish().banks[0]
        #expect(bank.columns[0] == expected.map { $0[0] })
        #expect(bank.columns[1] == expected.map { $0[1] })
        #expect(expected.contains { $0[1] > 0 })
        #expect(throws: LoopError.stream(bank: "A", reason: "the derivation has no entity payee")) {
            _ = try LoopDerivation(bank: "A", derivation: derivation, entities: ["payee"])
        }
    }

    private static let document = """
        {"format": "fed-derivation/1", "name": "toy", "version": 1, "description": "Toy rows.",
         "standard": "toy", "label_delay": 604800, "ties": "together",
         "columns": [
          {"name": "t", "role": "time", "type": "integer"},
          {"name": "terminal", "role": "entity", "type": "integer", "missing": "refuse"},
          {"name": "amount", "role": "amount", "type": "number", "missing": "refuse"},
          {"name": "fraud", "role": "label", "type": "integer"}],
         "features": [
          {"name": "amount", "value": {"op": "copy", "column": "amount"}},
          {"name": "risk", "value": {"op": "fraud_share", "by": ["terminal"],
            "window": {"far": 604800, "after_label_delay": true}}}]}
        """
}
