internal import FedCore

/// The cases that an exhaustive check of the safety rules goes through, one of each kind that differs
/// by more than the names of the banks.
package struct OpeningCases {
    /// How the two attempts use gates.
    package enum Gates: CaseIterable, Sendable {
        /// One gate of one epoch for both rosters.
        case same
        /// Two gates of one epoch.
        case ascending
        /// Gates of two epochs, both alive.
        case otherEpoch
    }

    /// Which rule is weakened, so that the checker must find something.
    package enum Weakening: CaseIterable, Sendable {
        /// m is lowered by one.
        case rosterMin
        /// m is n + c - t + 1 only: rosters may be nested in the first one without sharing an
        /// honest bank.
        case nestingInsteadOfQuorum
        /// t is the largest number for which 2t > n + c does not hold; m follows from it.
        case threshold
        /// A bank releases gates of several attempts of one group.
        case oneCommitment
        /// A bank hands out shares of attempts that it has not committed to.
        case shareAfterRelease
        /// A bank sends plain slots before it has committed.
        case plainAfterRelease
        /// A bank commits without the others' signed uploads.
        case sameContext

        var rules: SafetyKernel.Rules {
            switch self {
            case .rosterMin, .nestingInsteadOfQuorum, .threshold: .all
            case .oneCommitment: .all.subtracting(.oneCommitment)
            case .shareAfterRelease: .all.subtracting(.shareAfterRelease)
            case .plainAfterRelease: .all.subtracting(.plainAfterRelease)
            case .sameContext: .all.subtracting(.sameContext)
            }
        }
    }

    private let blocs: [[Int]]
    private let collusionBound: Int
    private let threshold: Int
    private let rosterMin: Int
    private let rules: SafetyKernel.Rules

    /// Takes the numbers of a charter; blocs of one bank are allowed here.
    ///
    /// - Parameter threshold: t with 2t > n + c.
    package init(
        blocs: [[Int]], collusionBound c: Int, threshold: Int, weakening: Weakening? = nil
    ) {
        let n = blocs.reduce(0) { $0 + $1.count }
        let t = weakening == .threshold ? (n + c) / 2 : threshold
        let floor = max(Roster.banksMin, c + 2, n + c - t + 1)
        let quorum = SafetyParameters.quorum(blocs: blocs, least: floor, collusionBound: c)
        self.blocs = blocs
        collusionBound = c
        self.threshold = t
        rosterMin =
            switch weakening {
            case .rosterMin: quorum - 1
            case .nestingInsteadOfQuorum: floor
            default: quorum
            }
        rules = weakening?.rules ?? .all
    }

    /// Every pair of different rosters of at least m - 1 members with every set of at most c
    /// colluding banks, for one way of using gates.
    package func pairs(_ gates: Gates) -> [OpeningModel] {
        let rosters = rosters(sizeMin: rosterMin - 1)
        return distinct(
            rosters.flatMap { first in rosters.map { second in [first, second] } }
        ).flatMap { rosters in
            corruptions(of: rosters, sizes: 0...collusionBound).map { corrupted in
                model(
                    corrupted: corrupted,
                    [
                        Offer(Self.attempt(1), roster: rosters[0]),
                        Offer(Self.second(gates), roster: rosters[1]),
                    ])
            }
        }
    }

    /// Pairs as above with two decoys of other groups on the gates of both attempts, with any rosters
    /// of at least m members; exactly c banks collude.
    package func decoys(_ gates: Gates) -> [OpeningModel] {
        let rosters = rosters(sizeMin: rosterMin)
        let pairs = rosters.flatMap { first in rosters.map { second in [first, second] } }
        return distinct(pairs.flatMap { pair in pairs.map { pair + $0 } }).flatMap { rosters in
            corruptions(of: rosters, sizes: collusionBound...collusionBound).map { corrupted in
                model(
                    corrupted: corrupted,
                    [
                        Offer(Self.attempt(1), roster: rosters[0]),
                        Offer(Self.second(gates), roster: rosters[1]),
                        Offer(Self.attempt(1, group: 2), roster: rosters[2]),
                        Offer(Self.second(gates, group: 3), roster: rosters[3]),
                    ])
            }
        }
    }

    /// Every way to part 0 ..< n into blocs of at least two, up to renaming, and last into single
    /// banks.
    package static func partitions(memberCount n: Int) -> [[[Int]]] {
        func sizes(_ rest: Int, largest: Int) -> [[Int]] {
            guard rest > 0 else { return [[]] }
            guard rest >= 2 else { return [] }
            return stride(from: min(rest, largest), through: 2, by: -1).flatMap { size in
                sizes(rest - size, largest: size).map { [size] + $0 }
            }
        }
        return (sizes(n, largest: n) + [[Int](repeating: 1, count: n)]).map { sizes in
            var next = 0
            return sizes.map { size in
                defer { next += size }
                return Array(next..<next + size)
            }
        }
    }

    private static func attempt(_ gate: UInt32, group: UInt8 = 1, epoch: UInt8 = 1) -> AttemptID {
        AttemptID(epoch: [epoch], group: [group], gate: gate)
    }

    private static func second(_ gates: Gates, group: UInt8 = 1) -> AttemptID {
        switch gates {
        case .same: attempt(1, group: group)
        case .ascending: attempt(2, group: group)
        case .otherEpoch: attempt(1, group: group, epoch: 2)
        }
    }

    private func model(corrupted: Set<Int>, _ offers: [Offer]) -> OpeningModel {
        OpeningModel(
            blocs: blocs, collusionBound: collusionBound, threshold: threshold,
            rosterMin: rosterMin, corrupted: corrupted, offers: offers, rules: rules)
    }

    private func rosters(sizeMin: Int) -> [[Int]] {
        (1..<1 << blocs.count).map { chosen in
            blocs.indices.filter { chosen >> $0 & 1 == 1 }.flatMap { blocs[$0] }.sorted()
        }.filter { $0.count >= sizeMin }
    }

    /// One list of rosters of each kind: kinds tell how many members are in which of them.
    private func distinct(_ lists: [[[Int]]]) -> [[[Int]]] {
        var seen: Set<[Int]> = []
        return lists.filter { list in
            list[0] != list[1] && seen.insert(memberships(of: list).sorted()).inserted
        }
    }

    /// One set of colluding banks of each kind.
    private func corruptions(of rosters: [[Int]], sizes: ClosedRange<Int>) -> [Set<Int>] {
        let memberships = memberships(of: rosters)
        var seen: Set<[Int]> = []
        return (0..<1 << memberships.count).compactMap { chosen in
            let corrupted = memberships.indices.filter { chosen >> $0 & 1 == 1 }
            guard sizes.contains(corrupted.count),
                seen.insert(corrupted.map { memberships[$0] }.sorted()).inserted
            else { return nil }
            return Set(corrupted)
        }
    }

    private func memberships(of rosters: [[Int]]) -> [Int] {
        (0..<blocs.reduce(0) { $0 + $1.count }).map { member in
            rosters.indices.reduce(0) { bits, index in
                bits | (rosters[index].contains(member) ? 1 << index : 0)
            }
        }
    }
}
