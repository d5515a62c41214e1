package import FedCore
internal import Foundation

extension ComparisonReport {
    /// The document; its bytes are canonical.
    package var json: CanonicalJSON {
        var members: [String: CanonicalJSON] = [
            "format": .string(Self.format),
            "algorithm": .string(algorithm),
            "model_sha256": .string(modelSHA256),
            "standard_sha256": .string(standardSHA256),
            "slots": .integer(Int64(slots)),
            "seconds": .object([
                "data": .number(seconds.data), "train": .number(seconds.train),
                "evaluate": .number(seconds.evaluate),
            ]),
            "bytes_sent": .object(bytesSent.mapValues { .integer(Int64($0)) }),
            "budgets": .array(budgets.map { .string($0) }),
            "banks": .array(banks.map(Self.json)),
            "all_banks": allBanks,
        ]
        if let pooled {
            members["pooled"] = .object([
                "model_sha256": .string(pooled.modelSHA256),
                "max_relative_difference": Self.json(pooled.maxRelativeDifference),
                "identical": .bool(pooled.identical),
            ])
        }
        if let standardErrors {
            members["standard_errors"] = .object(standardErrors.mapValues { Self.json($0) })
        }
        return .object(members)
    }

    private static func json(_ value: Double?) -> CanonicalJSON {
        guard let value, value.isFinite else { return .null }
        return .number(value)
    }

    private static func json(_ bank: Bank) -> CanonicalJSON {
        var members: [String: CanonicalJSON] = [
            "name": .string(bank.name),
            "test_rows": .integer(Int64(bank.testRows)),
            "test_frauds": .integer(Int64(bank.testFrauds)),
            "combination": .string(bank.combination),
        ]
        for kind in ScoreKind.allCases {
            let score = bank.scores[kind]
            members[kind.rawValue] = .object([
                "auc": json(score.auc), "ap": json(score.ap), "ks": json(score.ks),
                "caught": .object(score.caught.mapValues { .integer(Int64($0)) }),
            ])
        }
        return .object(members)
    }

    private var allBanks: CanonicalJSON {
        func byBudget(_ value: (String) -> CanonicalJSON) -> CanonicalJSON {
            .object(Dictionary(uniqueKeysWithValues: budgets.map { ($0, value($0)) }))
        }
        var sums: [String: CanonicalJSON] = [:]
        var gains: [String: CanonicalJSON] = [:]
        for kind in ScoreKind.allCases {
            sums[kind.rawValue] = byBudget { .integer(Int64(caught(kind, budget: $0))) }
            guard kind != .local else { continue }
            gains[kind.rawValue] = byBudget { Self.json(interceptionGain(kind, budget: $0)) }
        }
        return .object(["caught": .object(sums), "interception_gain": .object(gains)])
    }

    /// Reads a document.
    ///
    /// - Throws: `ReportError`.
    package init(json bytes: [UInt8]) throws(ReportError) {
        let document: ReportDocument
        do {
            document = try JSONDecoder().decode(ReportDocument.self, from: Data(bytes))
        } catch let error as DecodingError {
            throw .malformed(path: error.path)
        } catch {
            throw .malformed(path: "")
        }
        guard document.format == Self.format else {
            throw .formatUnknown(got: String(document.format.prefix(64)))
        }
        try self.init(
            algorithm: document.algorithm, modelSHA256: document.model_sha256,
            standardSHA256: document.standard_sha256, slots: document.slots,
            seconds: Seconds(
                data: document.seconds.data, train: document.seconds.train,
                evaluate: document.seconds.evaluate),
            bytesSent: document.bytes_sent, budgets: document.budgets,
            banks: document.banks.map(\.value), pooled: document.pooled?.value,
            standardErrors: document.standard_errors)
        let totals = Dictionary(
            uniqueKeysWithValues: ScoreKind.allCases.map { kind in
                let sums = budgets.map { ($0, caught(kind, budget: $0)) }
                return (kind.rawValue, Dictionary(uniqueKeysWithValues: sums))
            })
        guard document.all_banks.caught == totals else { throw .totalsDisagree }
    }
}

extension DecodingError {
    /// Where in the document it happened, as `banks/0/name`.
    fileprivate var path: String {
        switch self {
        case .keyNotFound(let key, let context):
            (context.codingPath + [key]).map(\.name).joined(separator: "/")
        case .typeMismatch(_, let context), .valueNotFound(_, let context),
            .dataCorrupted(let context):
            context.codingPath.map(\.name).joined(separator: "/")
        @unknown default: ""
        }
    }
}

extension CodingKey {
    fileprivate var name: String { intValue.map(String.init) ?? stringValue }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
/// The document as it is written, member by member.
private struct ReportDocument: Decodable {
    struct Seconds: Decodable {
        let data: Double
        let train: Double
        let evaluate: Double
    }
    struct Score: Decodable {
        let auc: Double?
        let ap: Double?
        let ks: Double?
        let caught: [String: Int]

        var value: ScoreSummary { ScoreSummary(auc: auc, ap: ap, ks: ks, caught: caught) }
    }
    // swift-format-ignore: AlwaysUseLowerCamelCase
    struct Bank: Decodable {
        let name: String
        let test_rows: Int
        let test_frauds: Int
        let local: Score
        let federated: Score
        let combined: Score
        let combination: String

        var value: ComparisonReport.Bank {
            ComparisonReport.Bank(
                name: name, testRows: test_rows, testFrauds: test_frauds,
                scores: PerScore(
                    local: local.value, federated: federated.value, combined: combined.value),
                combination: combination)
        }
    }
    struct AllBanks: Decodable {
        let caught: [String: [String: Int]]
    }
    // swift-format-ignore: AlwaysUseLowerCamelCase
    struct Pooled: Decodable {
        let model_sha256: String
        let max_relative_difference: Double?
        let identical: Bool

        var value: ComparisonReport.Pooled {
            ComparisonReport.Pooled(
                modelSHA256: model_sha256, maxRelativeDifference: max_relative_difference,
                identical: identical)
        }
    }

    let format: String
    let algorithm: String
    let model_sha256: String
    let standard_sha256: String
    let slots: Int
    let seconds: Seconds
    let bytes_sent: [String: Int]
    let budgets: [String]
    let banks: [Bank]
    let all_banks: AllBanks
    let pooled: Pooled?
    let standard_errors: [String: Double?]?
}
