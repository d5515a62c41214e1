/// A trained sum of trees: log-odds of fraud = base margin + one leaf weight a tree.
public struct GradientBoostingModel: Equatable, Sendable {
    /// The name of the file format.
    public static let format = "fed-gbdt-model/1"

    /// Names of the features, in the order of `Dataset.columns`.
    public let featureNames: [String]
    /// SHA-256 of the feature standard.
    public let standardHash: [UInt8]
    /// SHA-256 of the run's manifest, nil for a model trained without one.
    public let manifestHash: [UInt8]?
    /// The hyper-parameters of the training.
    public let configuration: GradientBoostingConfiguration
    /// The bins of each feature.
    public let bins: [FeatureBins]
    /// Margin of every row before the first tree, in units of 2^-20 log-odds.
    public let baseMargin: Int32
    /// The trees.
    public let trees: [RegressionTree]

    init(
        featureNames: [String], standardHash: [UInt8], manifestHash: [UInt8]?,
        configuration: GradientBoostingConfiguration, bins: [FeatureBins], baseMargin: Int32,
        trees: [RegressionTree]
    ) {
        self.featureNames = featureNames
        self.standardHash = standardHash
        self.manifestHash = manifestHash
        self.configuration = configuration
        self.bins = bins
        self.baseMargin = baseMargin
        self.trees = trees
    }

    /// The value below which rows go left at a numeric split.
    ///
    /// - Returns: nil for a split of a categorical feature, and for one that only missing values
    ///   go left of.
    public func threshold(of node: RegressionTree.Node) -> Double? {
        guard let feature = node.feature, node.bin > 0,
            case .edges(let edges) = bins[feature].mapping
        else { return nil }
        return edges[Int(node.bin) - 1]
    }

    /// Total gain of the splits on each feature.
    public var featureGains: [Double] {
        var gains = [Double](repeating: 0, count: featureNames.count)
        for tree in trees {
            for node in tree.nodes {
                if let feature = node.feature { gains[feature] += node.gain }
            }
        }
        return gains
    }
}
