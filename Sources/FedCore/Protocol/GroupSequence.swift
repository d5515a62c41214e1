internal import FedCrypto

extension AlgorithmConfiguration {
    /// Most groups that a run can have: the statistics, and one for each tree or one for the fit;
    /// one for each part of an indicator's periods.
    public var groupsMax: Int {
        switch self {
        case .logistic: 2
        case .boosting(let configuration): 1 + configuration.treesMax
        case .indicators(let plan): plan.parts.count
        case .tally: 1
        }
    }

    /// Attempts of groups that an epoch is prepared for: a quarter more than groups, and 16.
    public var gatesDefault: Int { min(groupsMax + groupsMax / 4 + 16, Manifest.gatesMax) }

    /// Whether a query begins a group: the first one, the first of a fit, each tree's first.
    func startsGroup(round: Int, after last: Int?) -> Bool {
        guard let last else { return true }
        switch self {
        case .logistic: return round == 1 && last == 0
        case .boosting, .indicators: return round > last
        case .tally: return false
        }
    }

    /// Whether a group can end before its last query: a tree can, statistics and a fit cannot.
    func truncates(round: Int) -> Bool {
        switch self {
        case .logistic, .indicators, .tally: false
        case .boosting: round > 0
        }
    }

    /// The fewest banks whose rows the configuration itself asks for.
    var contributorsMin: Int {
        switch self {
        case .logistic, .tally: 1
        case .boosting(let configuration): Int(configuration.contributorsMin)
        case .indicators(let plan): plan.indicator.floorBanks
        }
    }

    /// Whether every sum must be over all banks of the manifest.
    ///
    /// A bank remembers for ever with whom a period of an indicator was summed; it must not be open
    /// which of the banks it was.
    var needsWholeRoster: Bool {
        if case .indicators = self { true } else { false }
    }

    /// What sets groups of different runs apart beside the standard; empty for models.
    var groupScope: [UInt8] {
        if case .indicators(let plan) = self { plan.digest } else { [] }
    }

    /// Where the configuration stays below a charter's floors; `nil` when nowhere.
    func violation(of charter: Charter) -> String? {
        if case .logistic = self { return nil }
        if contributorsMin < charter.contributorsFloor {
            return "fewer contributing banks than the charter's floor"
        }
        guard case .boosting(let configuration) = self else { return nil }
        return configuration.childRowsMin < charter.rowsFloor
            ? "fewer rows behind a split than the charter's floor" : nil
    }
}

/// Numbers and identifies the groups of a run: coordinator and banks keep the same count, so that
/// nobody chooses them.
///
/// A group's identifier is derived from what it is computed on: the feature standard, the kind of
/// its first query, and all queries before it, which carry all of the model. The first groups of a
/// kind, whose state is the empty model, have the same identifier in every run.
package struct GroupSequence: Sendable {
    private let algorithm: AlgorithmConfiguration
    private let standardDigest: [UInt8]
    private var state: [UInt8] = []
    private var lastRound: Int?
    /// Groups begun.
    private(set) var count: UInt32 = 0
    /// The identifier of the group in work, 32 bytes; empty before the first.
    package private(set) var id: [UInt8] = []

    package init(manifest: Manifest) {
        algorithm = manifest.algorithm
        standardDigest = manifest.standardDigest
    }

    /// Whether the query would begin a group.
    func isStart(_ query: Query) -> Bool {
        algorithm.startsGroup(round: query.round, after: lastRound)
    }

    /// Takes the next query, once for all of its attempts.
    package mutating func advance(by query: Query) {
        if isStart(query) {
            count += 1
            var writer = ByteWriter()
            writer.write("fed/v1/group")
            writer.write(standardDigest)
            writer.write(query.kind)
            // Statistics and the first round are the same state in every run.
            writer.write(UInt8(min(query.round, 2)))
            writer.write(query.round <= 1 ? [] : state)
            if !algorithm.groupScope.isEmpty { writer.write(algorithm.groupScope) }
            id = SHA256.hash(writer.bytes)
        }
        lastRound = query.round
        var writer = ByteWriter()
        writer.write("fed/v1/group-state")
        writer.write(state)
        query.write(to: &writer)
        state = SHA256.hash(writer.bytes)
    }
}
