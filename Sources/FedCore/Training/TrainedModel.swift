internal import FedCrypto
internal import FoundationEssentials

/// A trained model of any algorithm, as read from its file.
public enum TrainedModel: Equatable, Sendable {
    /// A logistic regression.
    case logistic(LogisticModel)
    /// Gradient boosted trees.
    case boosting(GradientBoostingModel)

    /// Reads a model file, whatever its algorithm.
    ///
    /// - Throws: ``LearningError/invalidModel(reason:)`` for anything that is not exactly the
    ///   canonical file of a known format.
    public init(bytes: [UInt8]) throws(LearningError) {
        let document = ModelDocument(bytes: bytes)
        if let trees = try GradientBoostingModel(canonical: document) {
            self = .boosting(trees)
            return
        }
        struct Header: Decodable { let format: String }
        guard let header = try? JSONDecoder().decode(Header.self, from: Data(bytes)) else {
            throw .invalidModel(reason: "not a JSON document with a format")
        }
        switch header.format {
        case LogisticModel.format: self = .logistic(try LogisticModel(bytes: bytes))
        case GradientBoostingModel.format:
            self = .boosting(try GradientBoostingModel(looselyReading: document))
        default: throw .invalidModel(reason: "the format \(header.format) is not known")
        }
    }

    /// The canonical file.
    public var document: ModelDocument {
        switch self {
        case .logistic(let model): model.document
        case .boosting(let model): model.document
        }
    }

    /// The name of the algorithm, as in ``AlgorithmConfiguration``.
    public var algorithm: String {
        switch self {
        case .logistic: "logistic"
        case .boosting: "gbdt"
        }
    }

    /// SHA-256 of the feature standard that it was trained on.
    public var standardDigest: [UInt8] {
        switch self {
        case .logistic(let model): model.standardHash
        case .boosting(let model): model.standardHash
        }
    }

    /// The log-odds of fraud of every row.
    public func logOdds(
        of dataset: Dataset, standard: FeatureStandard, threads: Int = 1
    ) throws(LearningError) -> [Double] {
        guard standard.sha256 == standardDigest else {
            throw .invalidModel(
                reason: "it was trained on feature standard \(standardDigest.hexadecimal), "
                    + "the data follow \(standard.sha256.hexadecimal)")
        }
        switch self {
        case .logistic(let model):
            return try model.logOdds(
                of: dataset, space: try LinearFeatureSpace(standard), threads: threads)
        case .boosting(let model):
            return try TreeScorer(model).margins(
                of: standard.imputed(dataset).columns, threads: threads)
        }
    }
}

extension ModelDocument {
    /// SHA-256 of the file, which names the model.
    public var digest: [UInt8] { SHA256.hash(bytes) }
}

extension TrainedModel {
    /// SHA-256 of the manifest of the run that it came from.
    public var manifestDigest: [UInt8]? {
        switch self {
        case .logistic(let model): model.manifestHash
        case .boosting(let model): model.manifestHash
        }
    }

    /// The largest relative difference of a coefficient from another model.
    ///
    /// `nil` when their shapes differ. Trees are the same or not: 0 or `nil`.
    public func maxRelativeDifference(from other: TrainedModel) -> Double? {
        switch (self, other) {
        case (.logistic(let left), .logistic(let right)):
            guard left.coefficients.count == right.coefficients.count else { return nil }
            let pairs = zip(
                left.coefficients + [left.intercept], right.coefficients + [right.intercept])
            return pairs.reduce(0) { largest, pair in
                let scale = max(abs(pair.0), abs(pair.1))
                return scale == 0 ? largest : max(largest, abs(pair.0 - pair.1) / scale)
            }
        case (.boosting(let left), .boosting(let right)): return left == right ? 0 : nil
        case (.logistic, .boosting), (.boosting, .logistic): return nil
        }
    }
}
