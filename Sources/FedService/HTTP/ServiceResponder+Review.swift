internal import FedCore
internal import FedDecision
internal import Hummingbird

extension ServiceResponder {
    /// The most verdicts or frauds of one request.
    private static let recordsMax = 100_000
    /// The most cases of one answer.
    private static let casesMax = 10_000
    /// By how many seconds a reviewer's clock may be fast.
    private static let clockSkewMax: Int64 = 300

    /// `POST /v1/lists`.
    func makeList(_ request: Request) async throws -> Answer {
        let (bytes, _) = try await body(request)
        let order = try ListOrder(json: bytes)
        let answer = try await store.makeList(
            order, engine: reference.current, key: try onceKey(request, .makeList, bytes),
            challengers: try await configuration.shadow?.catchUp() ?? [],
            for: configuration.destinations, at: configuration.now())
        if !answer.isRepeated { metrics.count(.lists) }
        return Answer(answer)
    }

    /// `GET /v1/lists/latest` and `GET /v1/lists/{list}`.
    func list(_ id: String?, _ query: Query) async throws -> Answer {
        let format: ListFormat = try query.word("format", default: .json)
        guard let list = try await store.list(id) else {
            throw Fault(
                .notFound, field: "list", got: "no such list",
                expected: "a list of GET /v1/lists")
        }
        switch format {
        case .json: return Answer(list.json)
        case .csv: return Answer(list.csv, contentType: "text/csv; charset=utf-8")
        }
    }

    /// `GET /v1/deliveries`.
    func deliveries() async throws -> Answer {
        Answer(
            .object([
                "deliveries": .array(try await store.deliveries().map(\.json))
            ]))
    }

    /// `GET /v1/cases`.
    func cases(_ query: Query) async throws -> Answer {
        let filter: ReviewStore.CaseFilter = try query.word("state", default: .open)
        let limit = try query.integer("limit", in: 1...Self.casesMax, default: 200)
        let cases = try await store.cases(filter, list: query["list"], limit: limit)
        var body = Array("{\"cases\":[".utf8)
        for (index, found) in cases.enumerated() {
            if index > 0 { body.append(0x2C) }
            body += found.bytes
        }
        return Answer(body + Array("]}".utf8))
    }

    /// `POST /v1/verdicts`.
    func verdicts(_ request: Request) async throws -> Answer {
        let (bytes, type) = try await body(request, types: ["application/json", "text/csv"])
        let now = configuration.now()
        let verdicts =
            type == "text/csv" ? try readCSV(bytes) : try readVerdicts(bytes, now: now)
        for (index, verdict) in verdicts.enumerated()
        where verdict.decidedAt > now + Self.clockSkewMax {
            throw Fault(
                .invalidValue, field: "[\(index)].decided_at", got: "\(verdict.decidedAt)",
                expected: "a time that has come")
        }
        let answer = try await store.take(
            verdicts, key: try onceKey(request, .verdicts, bytes), at: now)
        if !answer.isRepeated { metrics.received(try Self.receptions(answer.body)) }
        return Answer(answer)
    }

    private func readCSV(_ bytes: [UInt8]) throws(Fault) -> [Verdict] {
        do {
            return try VerdictFile.read(bytes)
        } catch {
            throw Fault(.invalidValue, field: "body", got: "a faulty file", expected: "\(error)")
        }
    }

    private func readVerdicts(_ bytes: [UInt8], now: Int64) throws(Fault) -> [Verdict] {
        try Self.records(bytes, bytesMax: configuration.limits.bodyBytesMax) {
            (value, place) throws(Fault) -> Verdict in
            do throws(DocumentError) {
                let members = try DocumentObject(
                    value, place: place,
                    allowed: [
                        "case", "entity", "verdict", "amount_kept", "decided_at", "reviewer",
                    ])
                let (caseID, entity) = (try members.string("case"), try members.string("entity"))
                let outcome: VerdictOutcome = try members.word("verdict")
                let amount =
                    members.has("amount_kept")
                    ? try members.integer("amount_kept", in: 0...Verdict.amountMax) : 0
                let time =
                    members.has("decided_at")
                    ? try members.integer("decided_at", in: 0...(1 << 40)) : now
                let reviewer = try members.string("reviewer")
                do throws(VerdictError) {
                    return try Verdict(
                        caseID: caseID, entity: entity, outcome: outcome, amountKept: amount,
                        decidedAt: time, reviewer: reviewer)
                } catch {
                    guard case .invalidField(_, let field, let expected) = error else {
                        throw DocumentError.notCanonical
                    }
                    throw DocumentError.invalidValue(
                        place: members.place(of: field), got: "another value", expected: expected)
                }
            } catch {
                throw Fault(error)
            }
        }
    }

    /// `POST /v1/frauds`.
    func frauds(_ request: Request) async throws -> Answer {
        let (bytes, _) = try await body(request)
        let now = configuration.now()
        let frauds = try Self.records(bytes, bytesMax: configuration.limits.bodyBytesMax) {
            (value, place) throws(Fault) -> KnownFraud in
            do throws(DocumentError) {
                let members = try DocumentObject(
                    value, place: place, allowed: ["entity", "found_at"])
                let time =
                    members.has("found_at")
                    ? try members.integer("found_at", in: 0...(now + Self.clockSkewMax)) : now
                return KnownFraud(
                    entity: try members.string(
                        "entity", bytes: 1...ScoreRequestReader.nameBytesMax), foundAt: time)
            } catch {
                throw Fault(error)
            }
        }
        return Answer(
            try await store.add(frauds, key: try onceKey(request, .frauds, bytes), at: now))
    }

    /// Reads one record, or a list of them.
    static func records<Record>(
        _ bytes: [UInt8], bytesMax: Int,
        _ read: (CanonicalJSON, String) throws(Fault) -> Record
    ) throws(Fault) -> [Record] {
        let value: CanonicalJSON
        do {
            value = try StrictJSON.parse(bytes, bytesMax: bytesMax)
        } catch {
            throw Fault(error)
        }
        guard case .array(let values) = value else { return [try read(value, "")] }
        guard (1...recordsMax).contains(values.count) else {
            throw Fault(
                .invalidValue, got: "\(values.count) records", expected: "1...\(recordsMax)")
        }
        var records: [Record] = []
        for (index, value) in values.enumerated() { records.append(try read(value, "[\(index)]")) }
        return records
    }

    /// What became of verdicts, from the answer.
    private static func receptions(_ body: [UInt8]) throws -> [VerdictLedger.Reception] {
        guard case .object(let members) = try StrictJSON.parse(body, bytesMax: body.count),
            case .object(let counts) = members["counts"]
        else { return [] }
        return counts.flatMap { name, count -> [VerdictLedger.Reception] in
            guard let reception = VerdictLedger.Reception(rawValue: name),
                case .integer(let number) = count
            else { return [] }
            return [VerdictLedger.Reception](repeating: reception, count: Int(number))
        }
    }

    /// `GET /v1/effect`.
    func effect(_ query: Query) async throws -> Answer {
        let last: Int64 = 1 << 40
        let from = try query.integer("from", in: 0...last, default: 0)
        let until = try query.integer("until", in: 0...last, default: configuration.now() + 1)
        guard from <= until else {
            throw Fault(
                .invalidValue, field: "from", got: "\(from)", expected: "at most until, \(until)")
        }
        let (counts, elsewhere) = try await store.effect(from..<until)
        let report = EffectReport(
            subject: configuration.bank, period: from..<until, currency: configuration.currency,
            minorUnits: configuration.minorUnits, counts: counts)
        return Answer(
            Array("{\"frauds_known_elsewhere\":\(elsewhere),\"report\":".utf8) + report.bytes
                + [0x7D])
    }
}
