private import FoundationEssentials

/// A bank's combination of its local and the federated score.
///
/// Both scores enter as log-odds of the probability held to [10^-6, 1 - 10^-6]. A logistic
/// regression on the two (λ = 1, inputs not standardised, intercept free) is fitted on the bank's
/// validation rows. Where those rows cannot carry a fit (no rows, fewer than
/// ``fraudCountMin`` frauds, or no normal rows) the score is the plain mean of the two; the
/// reason is kept in ``rule``.
public struct CombinedModel: Equatable, Sendable {
    /// How the two log-odds become one.
    public enum Rule: Equatable, Sendable {
        /// intercept + localWeight · local + federatedWeight · federated.
        case stacked(intercept: Double, localWeight: Double, federatedWeight: Double)
        /// The mean of the two.
        case mean(MeanReason)
    }

    /// Why the plain mean was taken.
    public enum MeanReason: String, Equatable, Sendable, CaseIterable {
        /// There are no validation rows.
        case noRows = "no-rows"
        /// There are fewer frauds among them than ``CombinedModel/fraudCountMin``.
        case fewFrauds = "few-frauds"
        /// There are frauds only.
        case noNormalRows = "no-normal-rows"
    }

    /// Frauds that the validation rows must have for a fit.
    public static let fraudCountMin = 5

    /// The value of the file's `format` member.
    public static let format = "fed-combined-model/1"

    /// The bound of the log-odds that enter: log((1 - 10^-6) / 10^-6).
    static let logOddsMagnitudeMax = ElementaryFunctions.log((1 - 1e-6) / 1e-6)

    /// How the two log-odds become one.
    public let rule: Rule

    /// Wraps a rule.
    public init(rule: Rule) { self.rule = rule }

    /// Fits the combination on a bank's validation rows.
    ///
    /// - Parameters:
    ///   - local: the local model's log-odds, one a row.
    ///   - federated: the federated model's log-odds, one a row.
    ///   - labels: 1 for a fraud, 0 else, one a row.
    /// - Throws: ``LearningError/unusableData(reason:)`` when a score is not a number;
    ///   ``LearningError/numericalFailure(reason:)`` when the fit fails.
    public static func fit(
        local: [Double], federated: [Double], labels: [UInt8]
    ) throws(LearningError) -> Self {
        precondition(
            local.count == labels.count && federated.count == labels.count,
            "\(local.count) local and \(federated.count) federated scores, \(labels.count) labels")
        guard !local.contains(where: \.isNaN), !federated.contains(where: \.isNaN) else {
            throw .unusableData(reason: "a score is not a number")
        }
        let frauds = labels.reduce(0) { $0 + Int($1) }
        if labels.isEmpty { return Self(rule: .mean(.noRows)) }
        if frauds < fraudCountMin { return Self(rule: .mean(.fewFrauds)) }
        if frauds == labels.count { return Self(rule: .mean(.noNormalRows)) }
        let bound = logOddsMagnitudeMax
        let space = try LinearFeatureSpace(
            names: ["local", "federated"], transforms: [.identity, .identity],
            imputedValues: [0, 0], transformedRanges: [-bound...bound, -bound...bound],
            standardHash: [UInt8](repeating: 0, count: 32))
        var rows = try LogisticRows(
            Dataset(columns: [local, federated], labels: labels), space: space, threads: 1)
        rows.standardise(.identity(count: 2))
        let point = try LogisticTrainer.optimise(
            [rows], rowCount: labels.count, fraudCount: frauds,
            configuration: LogisticConfiguration(["iterationsMax": 50])
        ).point
        return Self(
            rule: .stacked(
                intercept: point[2], localWeight: point[0], federatedWeight: point[1]))
    }

    /// The combined log-odds of one row.
    public func logOdds(local: Double, federated: Double) -> Double {
        let (local, federated) = (Self.held(local), Self.held(federated))
        return switch rule {
        case .stacked(let intercept, let localWeight, let federatedWeight):
            intercept + localWeight * local + federatedWeight * federated
        case .mean: (local + federated) / 2
        }
    }

    /// The combined log-odds of each row.
    public func logOdds(local: [Double], federated: [Double]) -> [Double] {
        precondition(
            local.count == federated.count, "\(local.count) and \(federated.count) scores")
        return zip(local, federated).map { logOdds(local: $0, federated: $1) }
    }

    private static func held(_ value: Double) -> Double {
        min(max(value, -logOddsMagnitudeMax), logOddsMagnitudeMax)
    }

    /// The combination as a file: canonical JSON.
    public var bytes: [UInt8] {
        var members: [String: CanonicalJSON] = ["format": .string(Self.format)]
        switch rule {
        case .stacked(let intercept, let localWeight, let federatedWeight):
            members["intercept"] = .number(intercept)
            members["localWeight"] = .number(localWeight)
            members["federatedWeight"] = .number(federatedWeight)
        case .mean(let reason): members["meanReason"] = .string(reason.rawValue)
        }
        return CanonicalJSON.object(members).bytes
    }

    private struct File: Decodable {
        let format: String
        let intercept: Double?
        let localWeight: Double?
        let federatedWeight: Double?
        let meanReason: String?
    }

    /// Reads ``bytes``.
    ///
    /// - Throws: ``LearningError/invalidModel(reason:)``.
    public init(bytes: [UInt8]) throws(LearningError) {
        guard let file = try? JSONDecoder().decode(File.self, from: Data(bytes)),
            file.format == Self.format
        else { throw .invalidModel(reason: "not the JSON of a \(Self.format)") }
        if let intercept = file.intercept, let localWeight = file.localWeight,
            let federatedWeight = file.federatedWeight, intercept.isFinite, localWeight.isFinite,
            federatedWeight.isFinite
        {
            rule = .stacked(
                intercept: intercept, localWeight: localWeight, federatedWeight: federatedWeight)
        } else if let reason = file.meanReason.flatMap(MeanReason.init) {
            rule = .mean(reason)
        } else {
            throw .invalidModel(reason: "neither weights nor a reason for the mean")
        }
        guard self.bytes == bytes else {
            throw .invalidModel(reason: "the bytes are not the canonical form of what they say")
        }
    }
}
