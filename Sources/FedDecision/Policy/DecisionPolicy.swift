package import FedCore
internal import FedCrypto

/// How a bank answers a score: graded thresholds of the calibrated probability, and the bank's
/// expert rules beside the model, each with the mildest action that it allows.
///
/// A document for people, read strictly; see `Schemas/decision-policy.v1.schema.json`.
package struct DecisionPolicy: Equatable, Sendable {
    /// The member `format` of the document.
    package static let format = "fed-decision-policy/1"
    /// The most rules.
    package static let rulesMax = 1000
    /// The most bytes of a document.
    package static let documentBytesMax = 1 << 22

    /// Probabilities from which on an action is taken; `nil` where the model alone never takes it.
    package struct Thresholds: Equatable, Sendable {
        package let stepUp: Double?
        package let hold: Double?
        package let block: Double?

        /// Wraps thresholds; ``DecisionPolicy`` checks their order.
        package init(stepUp: Double?, hold: Double?, block: Double?) {
            self.stepUp = stepUp
            self.hold = hold
            self.block = block
        }

        /// The strictest action whose threshold the probability reaches.
        package func action(for probability: Double) -> PolicyAction {
            let steps: [(Double?, PolicyAction)] = [
                (block, .block), (hold, .hold), (stepUp, .stepUp),
            ]
            return steps.first { step in step.0.map { probability >= $0 } ?? false }?.1 ?? .pass
        }
    }

    /// An expert's rule.
    package struct Rule: Equatable, Sendable {
        /// Names the rule in answers and logs.
        package let id: String
        /// Why it is there.
        package let description: String
        /// The same in Chinese.
        package let descriptionChinese: String?
        /// When it holds.
        package let condition: RuleCondition
        /// The mildest action where it holds.
        package let floor: PolicyAction
    }

    /// What is done with one transaction, and who said so.
    package struct Decision: Equatable, Sendable {
        /// The strictest of the model's action and the rules' floors.
        package let action: PolicyAction
        /// What the thresholds alone give.
        package let byModel: PolicyAction
        /// Rules that hold, in the document's order.
        package let rules: [Rule]
    }

    /// The name of the policy.
    package let name: String
    /// 1 for the first, one more for each change.
    package let version: Int
    /// The model's part.
    package let thresholds: Thresholds
    /// The experts' part.
    package let rules: [Rule]
    /// SHA-256 of the document in canonical form.
    package let digest: [UInt8]

    /// Decides on a transaction.
    ///
    /// - Parameters:
    ///   - probability: calibrated, 0 to 1.
    ///   - row: raw values in the order of the standard, NaN where missing.
    package func decide(probability: Double, row: [Double]) -> Decision {
        let byModel = thresholds.action(for: probability)
        let held = rules.filter { $0.condition.holds(probability: probability, row: row) }
        return Decision(
            action: held.reduce(byModel) { max($0, $1.floor) }, byModel: byModel, rules: held)
    }
}

extension DecisionPolicy {
    /// Members of the document.
    package static let memberNames = ["name", "version", "thresholds", "rules"]
    /// Members of the thresholds.
    package static let thresholdNames = ["step_up", "hold", "block"]
    /// Members of a rule.
    package static let ruleMemberNames = ["id", "description", "description_zh", "when", "floor"]

    /// Reads a policy for the features of a standard.
    ///
    /// - Throws: ``DocumentError`` with the first place that is wrong.
    package init(json: [UInt8], standard: FeatureStandard) throws(DocumentError) {
        let value = try StrictJSON.parse(json, bytesMax: Self.documentBytesMax)
        let document = try DocumentObject(
            document: value, format: Self.format, allowed: Self.memberNames)
        name = try document.string("name", bytes: 1...63)
        version = Int(try document.integer("version", in: 1...1_000_000))
        thresholds = try Self.thresholds(document)
        let features = Dictionary(
            uniqueKeysWithValues: standard.features.enumerated().map { ($1.name, $0) })
        var rules: [Rule] = []
        var ids: Set<String> = []
        for (value, place) in try document.list("rules", count: 0...Self.rulesMax) {
            let members = try DocumentObject(value, place: place, allowed: Self.ruleMemberNames)
            let rule = Rule(
                id: try members.string("id", bytes: 1...63),
                description: try members.string("description"),
                descriptionChinese: try members.optionalString("description_zh"),
                condition: try RuleCondition(
                    try members.value("when"), place: members.place(of: "when"),
                    features: features),
                floor: try members.word("floor"))
            guard ids.insert(rule.id).inserted else {
                throw .invalidValue(
                    place: members.place(of: "id"), got: "\"\(rule.id)\" again",
                    expected: "a name of its own")
            }
            rules.append(rule)
        }
        self.rules = rules
        digest = SHA256.hash(value.bytes)
    }

    private static func thresholds(
        _ document: DocumentObject
    ) throws(DocumentError) -> Thresholds {
        let members = try document.object("thresholds", allowed: thresholdNames)
        var found: [Double?] = []
        var last = 0.0
        for name in thresholdNames {
            guard members.members[name] != nil else {
                throw .missingMember(place: members.place(of: name))
            }
            guard members.has(name) else {
                found.append(nil)
                continue
            }
            let threshold = try members.number(name, in: 0...1)
            guard threshold >= last else {
                throw .invalidValue(
                    place: members.place(of: name), got: "\(threshold)",
                    expected: "at least \(last), the threshold of a milder action")
            }
            last = threshold
            found.append(threshold)
        }
        return Thresholds(stepUp: found[0], hold: found[1], block: found[2])
    }
}
