internal import FedCore
internal import FedDecision

/// Writes scores as canonical JSON straight to bytes, without a tree of values in between.
package enum ScoreAnswer {
    /// Appends the answer to one transaction.
    ///
    /// - Parameter engine: named in the answer, but for a batch, which names it once.
    package static func append(
        _ id: String?, _ scored: ScoringEngine.Scored, naming engine: ScoringEngine?,
        to bytes: inout [UInt8]
    ) {
        func put(_ text: StaticString) {
            text.withUTF8Buffer { bytes.append(contentsOf: $0) }
        }
        put("{\"decision\":\"")
        bytes += scored.decision.action.rawValue.utf8
        put("\",\"federated_floor\":")
        put(scored.parts.isFloor ? "true" : "false")
        put(",\"federated_score\":")
        CanonicalJSON.append(scored.parts.federated, to: &bytes)
        put(",\"id\":")
        append(id, to: &bytes)
        put(",\"local_score\":")
        if let local = scored.parts.local {
            CanonicalJSON.append(local, to: &bytes)
        } else {
            put("null")
        }
        if let engine {
            put(",\"model\":")
            bytes += engine.modelBytes
        }
        put(",\"model_decision\":\"")
        bytes += scored.decision.byModel.rawValue.utf8
        put("\"")
        if let engine {
            put(",\"policy\":")
            bytes += engine.policyBytes
        }
        put(",\"probability\":")
        CanonicalJSON.append(scored.parts.probability, to: &bytes)
        put(",\"reasons\":")
        if let reasons = scored.reasons {
            bytes += CanonicalJSON.array(reasons.map(\.json)).bytes
        } else {
            put("null")
        }
        put(",\"rules\":")
        append(scored.decision.rules, to: &bytes)
        put(",\"score\":")
        CanonicalJSON.append(scored.parts.combined, to: &bytes)
        put("}")
    }

    private static func append(_ rules: [DecisionPolicy.Rule], to bytes: inout [UInt8]) {
        guard !rules.isEmpty else {
            bytes.append(0x5B)
            bytes.append(0x5D)
            return
        }
        bytes +=
            CanonicalJSON.array(
                rules.map { rule in
                    .object([
                        "id": .string(rule.id), "floor": .string(rule.floor.rawValue),
                        "description": .string(rule.description),
                        "description_zh": .string(rule.descriptionChinese ?? rule.description),
                    ])
                }
            ).bytes
    }

    private static func append(_ id: String?, to bytes: inout [UInt8]) {
        guard let id else {
            bytes += "null".utf8
            return
        }
        guard id.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x22 && $0 != 0x5C }) else {
            bytes += CanonicalJSON.string(id).bytes
            return
        }
        bytes.append(0x22)
        bytes += id.utf8
        bytes.append(0x22)
    }
}
