internal import FedCore

/// All verdicts of a bank, and what stands of them.
///
/// A pure function of the set of verdicts: in whatever order they come, and however often, the same
/// stands. Of several verdicts on a case the latest stands; where two of the same time disagree the
/// case is unclear until a later one comes.
package struct VerdictLedger: Equatable, Sendable {
    /// A case as it was listed.
    package struct ListedCase: Equatable, Sendable {
        /// Its name.
        package let id: String
        /// Whom it is about.
        package let entity: String
        /// The probability with which it came onto the list.
        package let inclusion: Double
        /// When it was listed, seconds since 1970.
        package let listedAt: Int64

        /// Wraps a case.
        package init(id: String, entity: String, inclusion: Double, listedAt: Int64) {
            precondition(inclusion > 0 && inclusion <= 1, "an inclusion of \(inclusion)")
            self.id = id
            self.entity = entity
            self.inclusion = inclusion
            self.listedAt = listedAt
        }
    }

    /// What became of a verdict that came in.
    package enum Reception: String, CaseIterable, Sendable {
        /// It stands now.
        case stands
        /// It was known.
        case known
        /// It stands, in place of another outcome.
        case contradicts
        /// A later one stands; it is kept as history.
        case superseded
        /// It disagrees with one of the same time: the case is unclear.
        case disputed
        /// No such case was listed, or it is about another entity.
        case unknownCase = "unknown_case"
        /// It was decided before the case was listed.
        case beforeListing = "before_listing"
    }

    /// What stands for a case.
    package struct Standing: Equatable, Sendable {
        /// What is taken as found.
        package let outcome: VerdictOutcome
        /// Balance kept, in minor units.
        package let amountKept: Int64
        /// Since when.
        package let decidedAt: Int64
        /// Whether verdicts of the same time disagree.
        package let isDisputed: Bool
    }

    /// Cases by name.
    package private(set) var cases: [String: ListedCase] = [:]
    /// Verdicts by case.
    package private(set) var verdicts: [String: Set<Verdict>] = [:]

    /// Begins empty.
    package init() {}

    /// Takes the cases of a list.
    package mutating func list(_ list: RiskList) {
        for entry in list.entries {
            let id = list.caseID(entry)
            cases[id] = ListedCase(
                id: id, entity: entry.risk.entity, inclusion: entry.inclusion,
                listedAt: list.request.madeAt)
        }
    }

    /// Takes a case back from storage.
    package mutating func restore(_ listed: ListedCase) { cases[listed.id] = listed }

    /// Takes a verdict.
    package mutating func take(_ verdict: Verdict) -> Reception {
        guard let listed = cases[verdict.caseID], listed.entity == verdict.entity else {
            return .unknownCase
        }
        guard verdict.decidedAt >= listed.listedAt else { return .beforeListing }
        let before = standing(of: verdict.caseID)
        guard verdicts[verdict.caseID, default: []].insert(verdict).inserted else { return .known }
        guard let after = standing(of: verdict.caseID), after.decidedAt == verdict.decidedAt else {
            return .superseded
        }
        if after.isDisputed { return .disputed }
        guard let before else { return .stands }
        return before.outcome == after.outcome ? .stands : .contradicts
    }

    /// What stands for a case; `nil` while it is open.
    package func standing(of caseID: String) -> Standing? {
        let all = verdicts[caseID] ?? []
        guard let latest = all.map(\.decidedAt).max() else { return nil }
        let last = all.filter { $0.decidedAt == latest }
        let outcomes = Set(last.map(\.outcome))
        let isDisputed = outcomes.count > 1
        return Standing(
            outcome: isDisputed ? .unclear : last.first?.outcome ?? .unclear,
            amountKept: isDisputed ? 0 : last.map(\.amountKept).min() ?? 0, decidedAt: latest,
            isDisputed: isDisputed)
    }

    /// What keeps each entity off the next list: its open or last closed case.
    package var caseStates: [String: CaseState] {
        var states: [String: CaseState] = [:]
        for listed in cases.values {
            guard let standing = standing(of: listed.id) else {
                states[listed.entity] = .open
                continue
            }
            switch states[listed.entity] {
            case .open: break
            case .closed(let time) where time >= standing.decidedAt: break
            default: states[listed.entity] = .closed(at: standing.decidedAt)
            }
        }
        return states
    }
}

/// A label for training that came from a verdict.
package struct VerdictLabel: Equatable, Sendable {
    /// The case.
    package let caseID: String
    /// Whom it is about.
    package let entity: String
    /// 1 for a fraud, 0 for a false alarm.
    package let label: UInt8
    /// How many entities it stands for.
    package let weight: Double
    /// Whether it was decided before the last run's cut, and only came in after it.
    package let isLate: Bool

    /// Wraps a label.
    package init(caseID: String, entity: String, label: UInt8, weight: Double, isLate: Bool) {
        self.caseID = caseID
        self.entity = entity
        self.label = label
        self.weight = weight
        self.isLate = isLate
    }

    /// How often the label is counted by a trainer that has no weights: the weight, rounded up or
    /// down at random so that its mean is the weight.
    package func copies(seed: UInt64) -> Int {
        let whole = Int(weight)
        let word = PairedBootstrap.mix(
            caseID.utf8.reduce(seed) { PairedBootstrap.mix($0 ^ UInt64($1)) })
        return whole + (Double(word >> 11) * 0x1p-53 < weight - Double(whole) ? 1 : 0)
    }
}

extension VerdictLedger {
    /// The most entities that one explored label stands for.
    package static let weightMaxDefault = 50.0

    /// Labels for the next run, with selection bias dealt with by inverse-propensity weights.
    ///
    /// Reviewed entities are not a sample: the ranked ones were chosen by a model. Each label
    /// weighs 1 / the probability with which its case was listed (Horvitz and Thompson 1952), so
    /// the explored slice stands for all entities that it was drawn from; weights are held to
    /// `weightMax`, which trades a little bias for less scatter. Entities that nobody reviewed get
    /// no label from here. Unclear and disputed cases give none.
    ///
    /// - Parameters:
    ///   - after: the last run's cut: verdicts that stood at it are left out; 0 for all.
    ///   - until: the next run's cut, seconds since 1970.
    ///   - receivedLate: cases whose verdict came in after a cut that it should have made.
    package func labels(
        after: Int64 = 0, until: Int64, receivedLate: Set<String> = [],
        weightMax: Double = VerdictLedger.weightMaxDefault
    ) -> [VerdictLabel] {
        cases.values.sorted { $0.id < $1.id }.compactMap { listed in
            guard let standing = standing(of: listed.id), standing.outcome != .unclear,
                standing.decidedAt <= until
            else { return nil }
            let isLate = standing.decidedAt <= after
            guard !isLate || receivedLate.contains(listed.id) else { return nil }
            return VerdictLabel(
                caseID: listed.id, entity: listed.entity,
                label: standing.outcome == .confirmedFraud ? 1 : 0,
                weight: min(1 / listed.inclusion, weightMax), isLate: isLate)
        }
    }

    /// The share of frauds among all entities that could have been listed, from the labels: the
    /// weighted mean of Hájek (1971); `nil` without labels.
    package static func fraudShare(_ labels: [VerdictLabel]) -> Double? {
        let weight = labels.reduce(0) { $0 + $1.weight }
        guard weight > 0 else { return nil }
        return labels.reduce(0) { $0 + $1.weight * Double($1.label) } / weight
    }
}
