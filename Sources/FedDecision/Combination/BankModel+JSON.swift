package import FedCore
internal import FedCrypto

extension BankModel {
    static func json(
        version: Int, documents: Documents, standard: [UInt8], choice: CombinationChoice,
        reviewShare: Double
    ) -> CanonicalJSON {
        .object([
            "format": .string(format),
            "version": .integer(Int64(version)),
            "standard_sha256": .string(standard.hexadecimal),
            "review_share": .number(reviewShare),
            "models": .object([
                "local": documents.local.map(part) ?? .null,
                "federated": part(documents.federated),
                "residual": documents.residual.map(part) ?? .null,
            ]),
            "rule": json(choice.rule),
            "reason": .string(choice.reason.rawValue),
            "calibration": .object([
                "intercept": .number(choice.calibration.intercept),
                "slope": .number(choice.calibration.slope),
            ]),
            "measured": .array(choice.measured.map(json)),
            "evidence": choice.evidence.map(json) ?? .null,
        ])
    }

    private static func part(_ document: ModelDocument) -> CanonicalJSON {
        .object([
            "sha256": .string(document.digest.hexadecimal),
            "document": .string(String(decoding: document.bytes, as: UTF8.self)),
        ])
    }

    private static func json(_ rule: CombinationRule) -> CanonicalJSON {
        var members: [String: CanonicalJSON] = [
            "kind": .string(rule.kind.name.rawValue), "lenience": .number(rule.lenience),
        ]
        if case .stacked(let intercept, let localWeight, let federatedWeight) = rule.kind {
            members["intercept"] = .number(intercept)
            members["local_weight"] = .number(localWeight)
            members["federated_weight"] = .number(federatedWeight)
        }
        return .object(members)
    }

    private static func json(_ measured: CombinationChoice.Measured) -> CanonicalJSON {
        .object([
            "candidate": .string(measured.name.rawValue),
            "caught": .integer(Int64(measured.caught)),
            "better_share": .number(measured.betterShare),
            "over_local_p05": .number(measured.overLocalLow),
            "over_local_p95": .number(measured.overLocalHigh),
            "passes_guard": .bool(measured.passesGuard),
        ])
    }

    private static func json(_ evidence: CombinationChoice.Evidence) -> CanonicalJSON {
        .object([
            "rows": .integer(Int64(evidence.rows)),
            "expected_frauds": .number(evidence.expected),
            "observed_frauds": .integer(Int64(evidence.observed)),
        ])
    }
}

extension BankModel {
    /// Members of the document, for comparison with its schema.
    package static let memberNames = [
        "version", "standard_sha256", "review_share", "models", "rule", "reason", "calibration",
        "measured", "evidence",
    ]

    /// Reads a document, strictly: canonical bytes only, each part under its own digest.
    ///
    /// - Throws: ``BankModelError``.
    package init(bytes: [UInt8]) throws(BankModelError) {
        do {
            let value = try StrictJSON.parse(bytes, bytesMax: Self.documentBytesMax)
            let document = try DocumentObject(
                document: value, format: Self.format, allowed: Self.memberNames)
            let models = try document.object(
                "models", allowed: ["local", "federated", "residual"])
            guard let federated = try Self.part(models, "federated") else {
                throw BankModelError.document(.missingMember(place: "models.federated"))
            }
            var residual: GradientBoostingModel?
            let margin = try Self.part(models, "residual")
            if let margin {
                guard case .boosting(let trees) = margin.model else {
                    throw BankModelError.model(
                        .invalidModel(reason: "the trees on the margin are no trees"))
                }
                residual = trees
            }
            let version = Int(try document.integer("version", in: 1...1_000_000_000))
            let local = try Self.part(models, "local")
            try self.init(
                version: version, local: local?.model, federated: federated.model,
                residual: residual, choice: try Self.choice(document),
                reviewShare: try document.number("review_share", in: 0...1),
                documents: Documents(
                    local: local?.document, federated: federated.document,
                    residual: margin?.document))
        } catch let error as DocumentError {
            throw .document(error)
        } catch let error as LearningError {
            throw .model(error)
        } catch let error as BankModelError {
            throw error
        } catch {
            throw .document(.notCanonical)
        }
        guard self.bytes == bytes else { throw .document(.notCanonical) }
    }

    /// A part's model, and the document that it was read from and would be written as.
    private static func part(
        _ models: DocumentObject, _ name: String
    ) throws -> (model: TrainedModel, document: ModelDocument)? {
        guard models.has(name) else { return nil }
        let part = try models.object(name, allowed: ["sha256", "document"])
        let document = Array(try part.string("document", bytes: 1...documentBytesMax).utf8)
        guard SHA256.hash(document) == (try part.digest("sha256")) else {
            throw BankModelError.partDigest(place: part.place)
        }
        return (try TrainedModel(bytes: document), ModelDocument(bytes: document))
    }

    private static func choice(
        _ document: DocumentObject
    ) throws(DocumentError) -> CombinationChoice {
        let calibration = try document.object("calibration", allowed: ["intercept", "slope"])
        var measured: [CombinationChoice.Measured] = []
        for (value, place) in try document.list("measured", count: 0...4) {
            measured.append(try Self.measured(value, place))
        }
        var evidence: CombinationChoice.Evidence?
        if document.has("evidence") {
            let members = try document.object(
                "evidence", allowed: ["rows", "expected_frauds", "observed_frauds"])
            evidence = CombinationChoice.Evidence(
                rows: Int(try members.integer("rows", in: 0...(1 << 40))),
                expected: try members.number("expected_frauds", in: 0...1e12),
                observed: Int(try members.integer("observed_frauds", in: 0...(1 << 40))))
        }
        return CombinationChoice(
            rule: try rule(document), reason: try document.word("reason"),
            calibration: Calibration(
                intercept: try calibration.number("intercept"),
                slope: try calibration.number("slope", in: 1e-6...1e6)),
            measured: measured, evidence: evidence)
    }

    private static func rule(_ document: DocumentObject) throws(DocumentError) -> CombinationRule {
        let numbers = ["intercept", "local_weight", "federated_weight"]
        let members = try document.object("rule", allowed: ["kind", "lenience"] + numbers)
        let kind: CombinationRule.Kind
        var used: [String] = []
        switch try members.word("kind", CombinationRule.Name.self) {
        case .federated: kind = .federated
        case .local: kind = .local
        case .boosted: kind = .boosted
        case .stacked:
            used = ["intercept", "local_weight", "federated_weight"]
            kind = .stacked(
                intercept: try members.number("intercept"),
                localWeight: try members.number("local_weight", in: 0...1e6),
                federatedWeight: try members.number("federated_weight", in: 0...1e6))
        }
        if let stray = numbers.first(where: { members.members[$0] != nil && !used.contains($0) }) {
            throw .unknownMember(place: members.place(of: stray))
        }
        return CombinationRule(kind: kind, lenience: try members.number("lenience", in: 0...100))
    }

    private static func measured(
        _ value: CanonicalJSON, _ place: String
    ) throws(DocumentError) -> CombinationChoice.Measured {
        let members = try DocumentObject(
            value, place: place,
            allowed: [
                "candidate", "caught", "better_share", "over_local_p05", "over_local_p95",
                "passes_guard",
            ])
        return CombinationChoice.Measured(
            name: try members.word("candidate"),
            caught: Int(try members.integer("caught", in: 0...(1 << 40))),
            betterShare: try members.number("better_share", in: 0...1),
            overLocalLow: try members.number("over_local_p05"),
            overLocalHigh: try members.number("over_local_p95"),
            passesGuard: try members.bool("passes_guard"))
    }
}

/// Why bytes are not a bank's model.
package enum BankModelError: Error, Equatable, Sendable {
    /// The document is not of the format.
    case document(DocumentError)
    /// A part is no model, or the parts do not fit together.
    case model(LearningError)
    /// A part has another digest than the one stated beside it.
    case partDigest(place: String)
}

extension BankModelError: CustomStringConvertible {
    /// One line for people.
    package var description: String {
        switch self {
        case .document(let error): "not a model of a bank: \(error)"
        case .model(let error): "not a model of a bank: \(error)"
        case .partDigest(let place): "\(place): the document has another digest than stated"
        }
    }
}
