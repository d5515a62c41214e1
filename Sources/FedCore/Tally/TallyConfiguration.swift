/// A run that adds up a few counts of each bank and trains nothing: what it counts.
///
/// It goes through the same charter, rosters, masks and records as a training; so no bank's counts
/// are ever seen.
public struct TallyConfiguration: Equatable, Sendable {
    /// What is counted.
    public enum Subject: Equatable, Sendable {
        /// The figures of the banks' votes on the candidate of a version.
        case examination(version: UInt64)
        /// What the risk lists of a period led to, in steps of some days, for plots.
        ///
        /// Days are counted from 1970-01-01, UTC.
        case effect(days: Range<Int>, step: Int)
    }

    /// Lanes of an examination: 11 counts, and 3 for each of 32 cells of calibration.
    public static let examinationLaneCount = 107
    /// Lanes of one step of an effect.
    public static let effectLaneCount = 10
    /// The most steps of an effect.
    public static let effectStepsMax = 400
    static let examinationName = "examination"
    package static let effectName = "effect"
    private static let versionMax = 9_007_199_254_740_991.0
    private static let daysMax = 1_000_000.0

    /// What is counted.
    public let subject: Subject

    /// Wraps a subject.
    ///
    /// - Throws: ``LearningError/invalidConfiguration(field:got:expected:)``.
    public init(_ subject: Subject) throws(LearningError) {
        switch subject {
        case .examination(let version):
            guard version > 0, Double(version) <= Self.versionMax else {
                throw .invalidConfiguration(
                    field: "version", got: "\(version)", expected: "1 to 2^53 - 1")
            }
        case .effect(let days, let step):
            guard !days.isEmpty, days.lowerBound >= 0, Double(days.upperBound) <= Self.daysMax
            else {
                throw .invalidConfiguration(
                    field: "untilDay", got: "\(days.upperBound)",
                    expected: "a day after fromDay, at most 1000000")
            }
            guard step > 0, (days.count + step - 1) / step <= Self.effectStepsMax else {
                throw .invalidConfiguration(
                    field: "stepDays", got: "\(step)",
                    expected: "at least 1, and at most \(Self.effectStepsMax) steps")
            }
        }
        self.subject = subject
    }

    /// The name that command lines and manifests know.
    public var name: String {
        switch subject {
        case .examination: Self.examinationName
        case .effect: Self.effectName
        }
    }

    /// Lanes of the vector.
    public var laneCount: Int {
        switch subject {
        case .examination: Self.examinationLaneCount
        case .effect: steps.count * Self.effectLaneCount
        }
    }

    /// The days of each step of an effect, the last one cut short; none for an examination.
    public var steps: [Range<Int>] {
        guard case .effect(let days, let step) = subject else { return [] }
        return stride(from: days.lowerBound, to: days.upperBound, by: step).map {
            $0..<min($0 + step, days.upperBound)
        }
    }

    var canonical: CanonicalJSON {
        switch subject {
        case .examination(let version): .object(["version": .integer(Int64(version))])
        case .effect(let days, let step):
            .object([
                "fromDay": .integer(Int64(days.lowerBound)),
                "untilDay": .integer(Int64(days.upperBound)), "stepDays": .integer(Int64(step)),
            ])
        }
    }

    /// The members of a configuration, for help texts.
    static func settings(of name: String) -> [AlgorithmConfiguration.Setting] {
        func setting(
            _ name: String, _ value: Double, _ bounds: ClosedRange<Double>, _ text: String
        ) -> AlgorithmConfiguration.Setting {
            AlgorithmConfiguration.Setting(
                name: name, defaultValue: value, bounds: bounds, description: text)
        }
        switch name {
        case examinationName:
            return [setting("version", 1, 1...versionMax, "The candidate's version.")]
        case effectName:
            return [
                setting("fromDay", 0, 0...daysMax, "The first day, counted from 1970-01-01."),
                setting("untilDay", 1, 1...daysMax, "The day after the last one."),
                setting("stepDays", 7, 1...daysMax, "Days of a step."),
            ]
        default: return []
        }
    }

    /// Takes settings by name; `nil` for a name that is no tally's.
    init?(name: String, settings: [String: Double]) throws(LearningError) {
        let known = Self.settings(of: name)
        guard !known.isEmpty else { return nil }
        var values: [String: Int] = [:]
        for setting in known {
            let value = settings[setting.name] ?? setting.defaultValue
            guard setting.bounds.contains(value), value == value.rounded() else {
                throw .invalidConfiguration(
                    field: setting.name, got: "\(value)", expected: "a whole number within bounds")
            }
            values[setting.name] = Int(value)
        }
        if let stranger = settings.keys.sorted().first(where: { values[$0] == nil }) {
            throw .invalidConfiguration(
                field: stranger, got: "an unknown name",
                expected: known.map(\.name).joined(separator: ", "))
        }
        if name == Self.examinationName {
            try self.init(.examination(version: UInt64(values["version"] ?? 1)))
            return
        }
        let from = values["fromDay"] ?? 0
        let until = values["untilDay"] ?? 0
        guard from < until else {
            throw .invalidConfiguration(
                field: "untilDay", got: "\(until)", expected: "a day after fromDay, \(from)")
        }
        try self.init(.effect(days: from..<until, step: values["stepDays"] ?? 7))
    }
}

extension AlgorithmConfiguration {
    /// The names of runs that count and train nothing.
    public static let tallyNames = [
        TallyConfiguration.examinationName, TallyConfiguration.effectName,
    ]

    /// Whether a run of it yields a model.
    public var trainsModel: Bool {
        switch self {
        case .logistic, .boosting: true
        case .indicators, .tally: false
        }
    }
}
