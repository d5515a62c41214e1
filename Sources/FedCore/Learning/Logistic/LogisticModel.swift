private import FoundationEssentials

/// A trained logistic regression: what its file holds, and scoring.
///
/// The coefficients belong to standardised inputs z = (t - mean) / deviation of the transformed
/// values t; log-odds = intercept + Σ coefficient · z.
public struct LogisticModel: Equatable, Sendable {
    /// The value of the file's `format` member.
    public static let format = "fed-logistic-model/1"

    /// The features' names, in the order of all arrays.
    public let featureNames: [String]
    /// SHA-256 of the feature standard.
    public let standardHash: [UInt8]
    /// Shift and scale of each input.
    public let standardisation: Standardisation
    /// In standardised units; 0 for a feature that did not vary.
    public let coefficients: [Double]
    /// The log-odds at the means.
    public let intercept: Double
    /// One a coefficient, from the inverse of the penalised Hessian; 0 for one that did not vary.
    public let standardErrors: [Double]
    /// That of the intercept.
    public let interceptStandardError: Double
    /// λ, class weights, limits.
    public let configuration: LogisticConfiguration
    /// Rows of all banks.
    public let rowCount: Int
    /// Frauds among them.
    public let fraudCount: Int
    /// Evaluations of gradient and Hessian.
    public let iterations: Int
    /// SHA-256 of the run's manifest; `nil` for a model trained without one.
    public let manifestHash: [UInt8]?

    init(
        featureNames: [String], standardHash: [UInt8], standardisation: Standardisation,
        solution: [Double], standardErrors: [Double], configuration: LogisticConfiguration,
        rowCount: Int, fraudCount: Int, iterations: Int, manifestHash: [UInt8]?
    ) {
        let count = featureNames.count
        precondition(solution.count == count + 1, "\(solution.count) of \(count + 1) coefficients")
        precondition(standardErrors.count == count + 1, "\(standardErrors.count) standard errors")
        self.featureNames = featureNames
        self.standardHash = standardHash
        self.standardisation = standardisation
        self.coefficients = Array(solution.prefix(count))
        self.intercept = solution[count]
        self.standardErrors = Array(standardErrors.prefix(count))
        self.interceptStandardError = standardErrors[count]
        self.configuration = configuration
        self.rowCount = rowCount
        self.fraudCount = fraudCount
        self.iterations = iterations
        self.manifestHash = manifestHash
    }

    /// Coefficient over standard error; 0 for a feature that did not vary.
    public var zScores: [Double] {
        zip(coefficients, standardErrors).map { $1 > 0 ? $0 / $1 : 0 }
    }

    /// Two-sided p-values of the coefficients (Wald); 1 for a feature that did not vary.
    public var pValues: [Double] { zScores.map(ElementaryFunctions.twoSidedNormalTail) }

    /// The log-odds of each row.
    ///
    /// - Parameters:
    ///   - dataset: rows with the features of the model's standard.
    ///   - space: the transforms of that standard.
    ///   - threads: threads to use; the result does not depend on it.
    /// - Throws: ``LearningError/unusableData(reason:)`` when the columns, or the standard, are not
    ///   the model's.
    public func logOdds(
        of dataset: Dataset, space: LinearFeatureSpace, threads: Int = 1
    ) throws(LearningError) -> [Double] {
        guard space.standardHash == standardHash, space.names == featureNames else {
            throw .unusableData(
                reason: "the model was trained on feature standard \(standardHash.hexadecimal), "
                    + "the rows follow \(space.standardHash.hexadecimal)")
        }
        var rows = try LogisticRows(dataset, space: space, threads: threads)
        rows.standardise(standardisation)
        return rows.logOdds(at: coefficients + [intercept])
    }

    /// The model as a file.
    public var document: ModelDocument { ModelDocument(bytes: canonicalJSON.bytes) }

    private var canonicalJSON: CanonicalJSON {
        func numbers(_ values: [Double]) -> CanonicalJSON { .array(values.map { .number($0) }) }
        return .object([
            "coefficients": numbers(coefficients),
            "configuration": configuration.canonicalJSON,
            "deviations": numbers(standardisation.deviations),
            "features": .array(featureNames.map { .string($0) }),
            "format": .string(Self.format),
            "frauds": .integer(Int64(fraudCount)),
            "intercept": .number(intercept),
            "interceptStandardError": .number(interceptStandardError),
            "iterations": .integer(Int64(iterations)),
            "manifestHash": manifestHash.map { .string($0.hexadecimal) } ?? .null,
            "means": numbers(standardisation.means),
            "rows": .integer(Int64(rowCount)),
            "standardErrors": numbers(standardErrors),
            "standardHash": .string(standardHash.hexadecimal),
            "varies": .array(standardisation.varies.map { .bool($0) }),
        ])
    }
}

extension LogisticModel {
    /// The file's members as they are read.
    private struct File: Decodable {
        let coefficients: [Double]
        let configuration: LogisticConfiguration
        let deviations: [Double]
        let features: [String]
        let format: String
        let frauds: Int
        let intercept: Double
        let interceptStandardError: Double
        let iterations: Int
        let manifestHash: String?
        let means: [Double]
        let rows: Int
        let standardErrors: [Double]
        let standardHash: String
        let varies: [Bool]
    }

    /// Reads a model file.
    ///
    /// - Throws: ``LearningError/invalidModel(reason:)`` for anything but the canonical bytes of a
    ///   model with possible values.
    public init(bytes: [UInt8]) throws(LearningError) {
        let file: File
        do {
            file = try JSONDecoder().decode(File.self, from: Data(bytes))
        } catch {
            throw .invalidModel(reason: "not the JSON of a logistic model")
        }
        try self.init(file)
        guard canonicalJSON.bytes == bytes else {
            throw .invalidModel(reason: "the bytes are not the canonical form of what they say")
        }
    }

    private init(_ file: File) throws(LearningError) {
        guard file.format == Self.format else {
            throw .invalidModel(reason: "the format is not \(Self.format)")
        }
        let count = file.features.count
        guard (1...LinearFeatureSpace.featureCountMax).contains(count),
            [file.coefficients, file.deviations, file.means, file.standardErrors].allSatisfy({
                $0.count == count && $0.allSatisfy(\.isFinite)
            }), file.varies.count == count, file.intercept.isFinite,
            file.interceptStandardError.isFinite
        else {
            throw .invalidModel(reason: "an array has another length than features, or no number")
        }
        guard file.deviations.allSatisfy({ $0 > 0 }), file.interceptStandardError >= 0,
            file.standardErrors.allSatisfy({ $0 >= 0 })
        else {
            throw .invalidModel(reason: "a deviation is not positive or a standard error negative")
        }
        guard 0 <= file.frauds, file.frauds <= file.rows, file.rows < 1 << 53,
            (0...1_000).contains(file.iterations)
        else {
            throw .invalidModel(reason: "the counts of rows, frauds or iterations are impossible")
        }
        guard let standardHash = [UInt8](hexadecimal: file.standardHash), standardHash.count == 32
        else {
            throw .invalidModel(reason: "standardHash is not 64 hexadecimal digits")
        }
        var manifestHash: [UInt8]?
        if let text = file.manifestHash {
            manifestHash = [UInt8](hexadecimal: text)
            guard manifestHash?.count == 32 else {
                throw .invalidModel(reason: "manifestHash is not 64 hexadecimal digits")
            }
        }
        self.init(
            featureNames: file.features, standardHash: standardHash,
            standardisation: Standardisation(
                means: file.means, deviations: file.deviations, varies: file.varies),
            solution: file.coefficients + [file.intercept],
            standardErrors: file.standardErrors + [file.interceptStandardError],
            configuration: file.configuration, rowCount: file.rows, fraudCount: file.frauds,
            iterations: file.iterations, manifestHash: manifestHash)
    }
}
