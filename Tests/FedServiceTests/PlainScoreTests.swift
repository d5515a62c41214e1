import FedCore
import FedDecision
import FedService
import Testing

/// Oracle: the general reader, and canonical JSON.
@Suite("Plain scores are read and written without a general JSON machine")
struct PlainScoreTests {
    private let bank: SmallBank
    private let plain: PlainScoreReader
    private let strict: ScoreRequestReader

    init() throws {
        bank = try SmallBank(rows: 60)
        plain = PlainScoreReader(bank.standard)
        strict = ScoreRequestReader(bank.standard)
    }

    private func read(_ text: some Sequence<UInt8>) -> ScoreTransaction? {
        var order = plain.order
        return Array(text).withUnsafeBytes { plain.read($0, order: &order) }
    }

    private func strictly(_ text: some Sequence<UInt8>) throws -> ScoreTransaction {
        try strict.read(Array(text), rowsMax: 1, bytesMax: 1 << 20, isRecorded: false)
            .transactions[0]
    }

    private func same(_ one: ScoreTransaction, _ other: ScoreTransaction) -> Bool {
        one.id == other.id && one.entity == other.entity && one.amount == other.amount
            && one.row.map(\.bitPattern) == other.row.map(\.bitPattern)
    }

    @Test func ordinaryBodiesAreRead() throws {
        for index in 0..<60 {
            let body = bank.json(
                bank.row(index), id: "T\(index)", entity: "C-7", amount: Int64(index * 99)
            ).bytes
            let found = try #require(read(body), "row \(index)")
            #expect(same(found, try strictly(body)))
        }
        let spaced = """
             { "features" : { "night":1 , "amount" : 12.50,
              "count": null } , "id":null }
            """
        #expect(same(try #require(read(spaced.utf8)), try strictly(spaced.utf8)))
    }

    @Test(arguments: [
        "0", "-0", "-0.0", "0.1", "0.30000000000000004", "9999.999999999998", "1e-7", "1E+2",
        "123456789012345678", "2.2250738585072014e-308", "5e-324", "1e22", "1e-22", "4e23",
        "0.000000000000000000000000000001", "1.7976931348623157e308", "9007199254740993",
        "3.00", "100e-2", "00", "01", ".5", "5.", "+1", "1e", "1e+", "- 1", "0x10", "NaN", "1_0",
    ])
    func numbersAreReadAsTheGeneralReaderDoes(_ number: String) throws {
        let body = "{\"features\":{\"amount\":\(number),\"count\":1,\"night\":0}}"
        guard let found = read(body.utf8) else { return }
        #expect(same(found, try strictly(body.utf8)), "\(number)")
    }

    @Test(arguments: [
        "", "{}", "[]", "null", "{\"features\":{}}", "[{\"features\":{}}]",
        "{\"features\":{\"amount\":1,\"count\":1,\"night\":0},\"features\":{}}",
        "{\"features\":{\"amount\":1,\"count\":1,\"night\":0,\"night\":0}}",
        "{\"features\":{\"amount\":1,\"count\":1,\"night\":2}}",
        "{\"features\":{\"amount\":null,\"count\":1,\"night\":0}}",
        "{\"features\":{\"amount\":1,\"count\":1,\"night\":0}} x",
        "{\"features\":{\"amount\":1,\"count\":1,\"night\":0},}",
        "{\"features\":{\"amount\":1,\"count\":1,\"night\":0},\"other\":1}",
        "{\"features\":{\"amount\":1,\"count\":1,\"night\":0},\"id\":\"a\\u0041\"}",
        "{\"features\":{\"amount\":1,\"count\":1,\"night\":0},\"id\":\"\"}",
        "{\"features\":{\"amount\":1,\"count\":1,\"night\":0},\"amount\":1.0}",
        "{\"features\":{\"amount\":1,\"count\":1,\"night\":0},\"amount\":-1}",
    ])
    func whatIsNotPlainIsLeftToTheGeneralReader(_ body: String) {
        #expect(read(body.utf8) == nil)
    }

    /// Bytes changed, left out and doubled: what is still taken must be what the general reader
    /// takes, and read alike.
    @Test func whatIsTakenIsTakenByTheGeneralReaderToo() throws {
        let spelling = Array("0123456789.eE+-\",:{} \n".utf8)
        var taken = 0
        for seed in 1...4000 as ClosedRange<UInt64> {
            var random = SeededRandom(seed: seed)
            var body = bank.json(
                bank.row(Int(seed) % 60), id: "T\(seed)", entity: "C", amount: Int64(seed)
            ).bytes
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 0..<body.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: body.remove(at: place)
                case 1: body.insert(body[place], at: place)
                case 2: body[place] = spelling[Int.random(in: 0..<spelling.count, using: &random)]
                default: body[place] = UInt8.random(in: 0...255, using: &random)
                }
            }
            guard let found = read(body) else { continue }
            taken += 1
            let text = String(decoding: body, as: UTF8.self)
            guard let expected = try? strictly(body) else {
                Issue.record("seed \(seed): only the plain reader takes \(text)")
                continue
            }
            #expect(same(found, expected), "seed \(seed) \(text)")
        }
        #expect(taken > 100)
    }

    @Test func answersAreCanonicalJSON() throws {
        let engine = try bank.engine()
        for (index, id) in [nil, "a", "quote \" and \\", "名", "tab"].enumerated() {
            var scored = engine.score(bank.row(index))
            if index % 2 == 0 { scored.reasons = engine.reasons(for: bank.row(index), count: 2) }
            for named in [engine, nil] {
                var bytes: [UInt8] = []
                ScoreAnswer.append(id, scored, naming: named, to: &bytes)
                let json = try StrictJSON.parse(bytes)
                #expect(json.bytes == bytes)
                guard case .object(let members) = json else { continue }
                #expect(members.count == (named == nil ? 10 : 12))
                #expect(members["id"] == id.map { .string($0) } ?? .null)
                #expect(members["probability"] == .number(scored.parts.probability))
                #expect(members["model"] == named?.modelJSON)
                #expect((members["reasons"] == .null) == (index % 2 == 1))
            }
        }
    }
}
