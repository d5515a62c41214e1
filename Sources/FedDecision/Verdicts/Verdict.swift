internal import FedCore

/// What a reviewer found.
package enum VerdictOutcome: String, CaseIterable, Sendable {
    case confirmedFraud = "confirmed_fraud"
    case falseAlarm = "false_alarm"
    case unclear
}

/// A reviewer's finding on one case of a list.
package struct Verdict: Equatable, Hashable, Sendable {
    /// The case's name on the list.
    package let caseID: String
    /// Whom it is about.
    package let entity: String
    /// What was found.
    package let outcome: VerdictOutcome
    /// Balance that was kept from the fraudster, in minor units; 0 but for confirmed frauds.
    package let amountKept: Int64
    /// When it was decided, seconds since 1970.
    package let decidedAt: Int64
    /// Who decided.
    package let reviewer: String

    /// The greatest amount kept: 10^15 minor units.
    package static let amountMax: Int64 = 1_000_000_000_000_000

    /// Checks and wraps a finding.
    ///
    /// - Throws: ``VerdictError/invalidField(line:field:expected:)`` with line 0.
    package init(
        caseID: String, entity: String, outcome: VerdictOutcome, amountKept: Int64 = 0,
        decidedAt: Int64, reviewer: String
    ) throws(VerdictError) {
        func refuse(_ field: String, _ expected: String) -> VerdictError {
            .invalidField(line: 0, field: field, expected: expected)
        }
        for (field, text) in [("case", caseID), ("entity", entity), ("reviewer", reviewer)] {
            guard (1...200).contains(text.utf8.count), text.utf8.allSatisfy({ $0 >= 0x20 }) else {
                throw refuse(field, "1 to 200 bytes without control characters")
            }
        }
        guard (0...Self.amountMax).contains(amountKept) else {
            throw refuse("amount_kept", "0 to \(Self.amountMax) minor units")
        }
        guard amountKept == 0 || outcome == .confirmedFraud else {
            throw refuse("amount_kept", "0 unless the fraud is confirmed")
        }
        guard (0...(1 << 40)).contains(decidedAt) else {
            throw refuse("decided_at", "seconds since 1970")
        }
        self.caseID = caseID
        self.entity = entity
        self.outcome = outcome
        self.amountKept = amountKept
        self.decidedAt = decidedAt
        self.reviewer = reviewer
    }
}

/// Why verdicts cannot be taken.
package enum VerdictError: Error, Equatable, Sendable {
    /// The first line is not the header.
    case header(expected: String)
    /// A line has another number of fields.
    case fieldCount(line: Int, got: Int, expected: Int)
    /// A quoted field does not end, or something follows its end.
    case quotation(line: Int)
    /// The bytes are not UTF-8.
    case notText
    /// A field breaks a rule.
    case invalidField(line: Int, field: String, expected: String)
}

extension VerdictError: CustomStringConvertible {
    /// One line for people.
    package var description: String {
        switch self {
        case .header(let expected): "line 1: expected \(expected)"
        case .fieldCount(let line, let got, let expected):
            "line \(line): \(got) fields, expected \(expected)"
        case .quotation(let line): "line \(line): a quoted field does not end as it should"
        case .notText: "the file is not UTF-8"
        case .invalidField(let line, let field, let expected):
            (line > 0 ? "line \(line), " : "") + "\(field): expected \(expected)"
        }
    }
}

/// Verdicts as a CSV file (RFC 4180): `case,entity,verdict,amount_kept,decided_at,reviewer`.
package enum VerdictFile {
    /// The header.
    package static let header = [
        "case", "entity", "verdict", "amount_kept", "decided_at", "reviewer",
    ]

    /// Reads a file; one fault refuses it whole, so that nothing is taken by halves.
    ///
    /// An empty `amount_kept` is 0.
    package static func read(_ bytes: [UInt8]) throws(VerdictError) -> [Verdict] {
        guard String(validating: bytes, as: UTF8.self) != nil else { throw .notText }
        var records = try records(of: bytes)
        guard !records.isEmpty, records.removeFirst().fields == header else {
            throw .header(expected: header.joined(separator: ","))
        }
        var verdicts: [Verdict] = []
        for (line, fields) in records {
            guard fields.count == header.count else {
                throw .fieldCount(line: line, got: fields.count, expected: header.count)
            }
            guard let outcome = VerdictOutcome(rawValue: fields[2]) else {
                throw .invalidField(
                    line: line, field: "verdict",
                    expected: VerdictOutcome.allCases.map(\.rawValue).joined(separator: " | "))
            }
            guard let amount = fields[3].isEmpty ? 0 : Int64(fields[3]) else {
                throw .invalidField(line: line, field: "amount_kept", expected: "minor units")
            }
            guard let time = Int64(fields[4]) else {
                throw .invalidField(
                    line: line, field: "decided_at", expected: "seconds since 1970")
            }
            do {
                verdicts.append(
                    try Verdict(
                        caseID: fields[0], entity: fields[1], outcome: outcome, amountKept: amount,
                        decidedAt: time, reviewer: fields[5]))
            } catch {
                guard case .invalidField(_, let field, let expected) = error else { throw error }
                throw .invalidField(line: line, field: field, expected: expected)
            }
        }
        return verdicts
    }

    /// Writes a file that reads back as the same verdicts.
    package static func bytes(_ verdicts: [Verdict]) -> [UInt8] {
        func field(_ text: String) -> String {
            guard text.utf8.contains(where: { [0x2C, 0x22].contains($0) }) else { return text }
            return "\""
                + text.split(separator: "\"", omittingEmptySubsequences: false)
                .joined(separator: "\"\"") + "\""
        }
        var text = header.joined(separator: ",") + "\r\n"
        for verdict in verdicts {
            let fields = [
                verdict.caseID, verdict.entity, verdict.outcome.rawValue,
                String(verdict.amountKept), String(verdict.decidedAt), verdict.reviewer,
            ]
            text += fields.map(field).joined(separator: ",") + "\r\n"
        }
        return Array(text.utf8)
    }

    /// Splits a file into records with the line each begins on; empty lines are passed over.
    private static func records(
        of bytes: [UInt8]
    ) throws(VerdictError) -> [(line: Int, fields: [String])] {
        var records: [(line: Int, fields: [String])] = []
        var fields: [String] = []
        var field: [UInt8] = []
        var (line, start, at) = (1, 1, 0)
        var wasQuoted = false
        func endField() {
            fields.append(String(decoding: field, as: UTF8.self))
            field = []
            wasQuoted = false
        }
        func endRecord() {
            endField()
            if fields != [""] { records.append((start, fields)) }
            fields = []
        }
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            switch byte {
            case 0x22 where field.isEmpty && !wasQuoted:
                wasQuoted = true
                while true {
                    guard at < bytes.count else { throw .quotation(line: start) }
                    let inner = bytes[at]
                    at += 1
                    if inner == 0x22 {
                        guard at < bytes.count, bytes[at] == 0x22 else { break }
                        at += 1
                    }
                    if inner == 0x0A { line += 1 }
                    field.append(inner)
                }
            case 0x2C: endField()
            case 0x0D where at < bytes.count && bytes[at] == 0x0A: continue
            case 0x0A:
                endRecord()
                line += 1
                start = line
            default:
                guard !wasQuoted, byte != 0x22 else { throw .quotation(line: start) }
                field.append(byte)
            }
        }
        if !field.isEmpty || !fields.isEmpty || wasQuoted { endRecord() }
        return records
    }
}
