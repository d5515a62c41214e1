/// Which parts of the loop are in use.
public struct LoopVariant: Equatable, Sendable {
    /// The name in tables and reports.
    public let name: String
    /// Whether models are trained again after the warm-up.
    public var retrains = true
    /// Whether the banks train a model together and combine it with their own.
    public var isFederated = false
    /// Whether reviewers' verdicts feed the bank's own indicators.
    public var usesVerdicts = false
    /// Whether reviewed rows are trained on before their ordinary labels are known.
    public var trainsOnVerdicts = false
    /// Whether verdicts and labels of a party are read as one history: labels where
    /// they are known, verdicts where they are not; else verdicts are counted by themselves.
    public var readsHistory = true
    /// Whether sums over banks of rows and of ordinary labels are shared.
    public var sharesIndicators = false
    /// Whether sums over banks of verdicts are shared on the next day.
    public var sharesVerdicts = false
    /// Whether sums over banks of unlabelled activity are shared: velocity, payers, newness, amounts.
    public var sharesActivity = false
    /// Whether the bank reads the labels of its own parties as a history, verdicts or not.
    public var readsOwnLabels = false
    /// Share of the reviewers' time spent on rows drawn by chance.
    public var exploration = 0.0

    /// Wraps a name; the other members start as the bank alone has them.
    public init(_ name: String) { self.name = name }

    /// A bank by itself that never trains again: no loop.
    public static let frozen: Self = {
        var variant = Self("local alone, trained once")
        variant.retrains = false
        return variant
    }()

    /// A bank by itself, trained again on ordinary labels: what gains are measured against.
    public static let local = Self("local alone")

    /// A bank by itself that reads the ordinary labels of its own customers over windows of days:
    /// what windows alone give, without verdicts and without other banks.
    public static let localLabels: Self = {
        var variant = Self("local with own label windows")
        variant.readsOwnLabels = true
        return variant
    }()

    /// A bank by itself that uses its reviewers' verdicts.
    public static let localVerdicts: Self = {
        var variant = Self("local with own verdicts")
        variant.usesVerdicts = true
        return variant
    }()

    /// Local and federated models combined.
    public static let federated: Self = {
        var variant = Self("local + federated")
        variant.isFederated = true
        return variant
    }()

    /// With sums over banks of rows and ordinary labels.
    public static let indicators: Self = {
        var variant = Self("with indicators")
        variant.isFederated = true
        variant.sharesIndicators = true
        return variant
    }()

    /// With verdicts, the bank's own and sums over banks.
    public static let sharedVerdicts: Self = {
        var variant = Self("with shared verdicts")
        variant.isFederated = true
        variant.sharesIndicators = true
        variant.usesVerdicts = true
        variant.sharesVerdicts = true
        return variant
    }()

    /// The variants that a report compares, the reference second.
    public static let standard: [Self] = [
        frozen, local, localLabels, localVerdicts, federated, indicators, sharedVerdicts,
    ]
}
