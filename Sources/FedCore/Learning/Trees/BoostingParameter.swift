/// A hyper-parameter of the tree trainer: name, bounds, default and meaning, declared here and
/// nowhere else.
public enum BoostingParameter: String, CaseIterable, Sendable {
    case treesMax, learningRate, depthMax, binsMax
    case leafRegularisation, splitGainMin, childHessianMin, childRowsMin, contributorsMin
    case rowSample, columnSample, fraudWeight
    case gridCells, patience, evaluationPeriod, seed

    /// What a parameter may be and what it does.
    public struct Declaration: Equatable, Sendable {
        /// The value when nothing is said.
        public let standard: Double
        /// The values allowed, ends included.
        public let bounds: ClosedRange<Double>
        /// Whether only whole numbers are allowed.
        public let isInteger: Bool
        /// One sentence for help texts.
        public let summary: String
    }

    /// The declaration of this parameter.
    public var declaration: Declaration {
        switch self {
        case .treesMax: .whole(200, 1...2000, "Most trees of the model.")
        case .learningRate: .real(0.1, 0.001...1, "Share of a leaf's Newton step that is taken.")
        case .depthMax: .whole(5, 1...8, "Most splits between the root and a leaf.")
        case .binsMax:
            .whole(256, 4...256, "Bins of a feature, the one of missing values included.")
        case .leafRegularisation:
            .real(5, 0...1e6, "L2 penalty lambda, added to every leaf's sum of hessians.")
        case .splitGainMin: .real(0, 0...1e9, "Gain gamma that a split must exceed.")
        case .childHessianMin: .real(1, 1e-3...1e9, "Least sum of hessians of a child.")
        case .childRowsMin:
            .whole(
                10, 1...1e9,
                "Least sampled rows, all banks together, that each child of a split has for certain."
            )
        case .contributorsMin:
            .whole(
                3, 1...1000,
                "Least banks with rows in a bin (else it is merged) and, for certain, in a child.")
        case .rowSample:
            .real(
                0.8, 0.05...1,
                "Share of rows that each tree learns from; rows alike in bins and label go together."
            )
        case .columnSample: .real(0.8, 0.05...1, "Share of the features that each tree may use.")
        case .fraudWeight: .real(1, 0.01...500, "Weight of a fraud against 1 for other rows.")
        case .gridCells:
            .whole(4096, 16...16384, "Cells of the public grid of which bin edges are taken.")
        case .patience:
            .whole(
                0, 0...2000,
                "Trees without a better validation average precision; 0: no early stop.")
        case .evaluationPeriod: .whole(5, 1...100, "Trees between two validations.")
        case .seed: .whole(0, 0...9_007_199_254_740_991, "Seed of row and column samples.")
        }
    }
}

extension BoostingParameter.Declaration {
    fileprivate static func whole(
        _ standard: Double, _ bounds: ClosedRange<Double>, _ summary: String
    ) -> Self { Self(standard: standard, bounds: bounds, isInteger: true, summary: summary) }

    fileprivate static func real(
        _ standard: Double, _ bounds: ClosedRange<Double>, _ summary: String
    ) -> Self { Self(standard: standard, bounds: bounds, isInteger: false, summary: summary) }
}
