/// The settings of a logistic regression, each with its bounds, default and description in one
/// place: ``fields``.
public struct LogisticConfiguration: Equatable, Sendable {
    /// One setting, as the command line's help and the manifest's schema show it.
    public struct Field: Sendable {
        /// Its name in the manifest.
        public let name: String
        /// Inclusive bounds.
        public let bounds: ClosedRange<Double>
        /// The value when nothing is said.
        public let defaultValue: Double
        /// Whether it must be whole.
        public let isInteger: Bool
        /// One sentence for the user.
        public let description: String
        let path: any WritableKeyPath<LogisticConfiguration, Double> & Sendable
    }

    /// Every setting, in the order of the manifest.
    public static let fields: [Field] = [
        Field(
            name: "fraudWeight", bounds: 1e-3...1e3, defaultValue: 1, isInteger: false,
            description: "Weight of a fraud's row in the loss.", path: \.fraudWeight),
        Field(
            name: "iterationsMax", bounds: 1...50, defaultValue: 20, isInteger: true,
            description: "Most evaluations of gradient and Hessian, each one masked sum.",
            path: \.iterationsMaxValue),
        Field(
            name: "lambda", bounds: 1e-6...1e6, defaultValue: 1, isInteger: false,
            description: "L2 penalty λ/2·|w|² on standardised coefficients (scikit-learn's 1/C).",
            path: \.lambda),
        Field(
            name: "normalWeight", bounds: 1e-3...1e3, defaultValue: 1, isInteger: false,
            description: "Weight of a normal row in the loss.", path: \.normalWeight),
        Field(
            name: "tolerance", bounds: 1e-13...1e-4, defaultValue: 1e-9, isInteger: false,
            description: "Relative error of the coefficients at which training stops.",
            path: \.tolerance),
    ]

    /// Weight of a fraud's row in the loss.
    public private(set) var fraudWeight = 1.0
    /// Weight of a normal row in the loss.
    public private(set) var normalWeight = 1.0
    /// λ of the penalty λ/2·|w|²; the intercept is free.
    public private(set) var lambda = 1.0
    /// Relative error of the coefficients at which training stops.
    public private(set) var tolerance = 1e-9
    private var iterationsMaxValue = 20.0

    /// Most evaluations of gradient and Hessian.
    public var iterationsMax: Int { Int(iterationsMaxValue) }

    /// The defaults.
    public init() {
        for field in Self.fields { self[keyPath: field.path] = field.defaultValue }
    }

    /// The defaults with some values replaced.
    ///
    /// - Parameter values: by the fields' names.
    /// - Throws: ``LearningError/invalidConfiguration(field:got:expected:)`` for an unknown name or
    ///   a value out of bounds.
    public init(_ values: [String: Double]) throws(LearningError) {
        self.init()
        for (name, value) in values.sorted(by: { $0.key < $1.key }) {
            guard let field = Self.fields.first(where: { $0.name == name }) else {
                throw .invalidConfiguration(
                    field: name, got: "an unknown name",
                    expected: Self.fields.map(\.name).joined(separator: ", "))
            }
            guard field.bounds.contains(value), !field.isInteger || value == value.rounded() else {
                throw .invalidConfiguration(
                    field: name, got: "\(value)",
                    expected: "\(field.isInteger ? "a whole number " : "")"
                        + "\(field.bounds.lowerBound) to \(field.bounds.upperBound)")
            }
            self[keyPath: field.path] = value
        }
    }

    /// The form in the manifest: an object with every field.
    public var canonicalJSON: CanonicalJSON {
        .object(
            Dictionary(
                uniqueKeysWithValues: Self.fields.map { field in
                    let value = self[keyPath: field.path]
                    return (field.name, field.isInteger ? .integer(Int64(value)) : .number(value))
                }))
    }
}

extension LogisticConfiguration: Decodable {
    /// Reads what ``canonicalJSON`` writes; fields may be left out and then have their defaults.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.singleValueContainer().decode([String: Double].self)
        try self.init(values)
    }
}
