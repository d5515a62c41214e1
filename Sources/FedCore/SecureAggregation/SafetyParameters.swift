/// What the charter says that the safety rules of a bank depend on.
///
/// Members are named by their place in the charter, 0 ..< n. The numbers are those of the *charter*,
/// also when an epoch or a roster has fewer banks: only then do attempts of different epochs count
/// against each other (see <doc:SecureAggregationArgument>).
public struct SafetyParameters: Hashable, Sendable {
    /// SHA-256 of the charter, 32 bytes.
    public let charterDigest: [UInt8]
    /// The blocs: a partition of the members into sets that enter and leave rosters together.
    public let blocs: [[Int]]
    /// This bank's place.
    public let own: Int
    /// c: the most members that may collude with the coordinator.
    public let collusionBound: Int
    /// t: the shares that recover the seed of a gate.
    public let threshold: Int
    /// m: the fewest members of a roster.
    public let rosterMin: Int

    /// n: the members of the charter.
    public var memberCount: Int { blocs.reduce(0) { $0 + $1.count } }

    /// The default of the collusion bound, a third of the others and at least one.
    public static func defaultCollusionBound(memberCount: Int) -> Int {
        max(1, (memberCount - 1) / 3)
    }

    /// The default of the threshold: n - f, where f banks may vanish between an upload and its
    /// release; f is 0 for three banks, otherwise an eighth of them and at least one.
    public static func defaultThreshold(memberCount: Int) -> Int {
        memberCount - (memberCount <= 3 ? 0 : max(1, (memberCount + 7) / 8))
    }

    /// Checks the charter's numbers and derives the least roster.
    ///
    /// - Parameters:
    ///   - banksMin: the charter's floor for a roster, at least 3.
    ///   - collusionBound: c, at most n - 2 and below `banksMin` - 1: two honest banks in each sum.
    ///   - threshold: t with 2t > n + c.
    /// - Throws: ``SafetyParameterError``.
    public init(
        charterDigest: [UInt8], blocs: [[Int]], own: Int, banksMin: Int = Roster.banksMin,
        collusionBound: Int, threshold: Int
    ) throws(SafetyParameterError) {
        guard charterDigest.count == 32 else { throw .digest(got: charterDigest.count) }
        let members = blocs.flatMap { $0 }.sorted()
        let n = members.count
        guard (Roster.banksMin...Roster.banksMax).contains(n) else { throw .memberCount(got: n) }
        guard members == Array(0..<n) else { throw .blocsNoPartition }
        for bloc in blocs where bloc.count < 2 { throw .blocTooSmall(got: bloc.count) }
        guard members.contains(own) else { throw .own(got: own) }
        guard collusionBound >= 0, collusionBound <= n - 2 else {
            throw .collusionBound(got: collusionBound, most: n - 2)
        }
        guard (Roster.banksMin...n).contains(banksMin) else { throw .banksMin(got: banksMin) }
        guard threshold <= n, 2 * threshold > n + collusionBound else {
            throw .threshold(got: threshold, least: (n + collusionBound) / 2 + 1, most: n)
        }
        let least = max(banksMin, collusionBound + 2, n + collusionBound - threshold + 1)
        self.init(
            unchecked: charterDigest, blocs: blocs, own: own, collusionBound: collusionBound,
            threshold: threshold,
            rosterMin: Self.quorum(blocs: blocs, least: least, collusionBound: collusionBound))
    }

    /// Takes numbers as they are; for the model checker, which must be able to break them.
    package init(
        unchecked charterDigest: [UInt8], blocs: [[Int]], own: Int, collusionBound: Int,
        threshold: Int, rosterMin: Int
    ) {
        self.charterDigest = charterDigest
        self.blocs = blocs.map { $0.sorted() }
        self.own = own
        self.collusionBound = collusionBound
        self.threshold = threshold
        self.rosterMin = rosterMin
    }

    /// The smallest m >= `least` such that any two unions of blocs with at least m members have more
    /// than c members in common, so at least one honest one.
    package static func quorum(blocs: [[Int]], least: Int, collusionBound: Int) -> Int {
        let n = blocs.reduce(0) { $0 + $1.count }
        let cap = max(0, n - least)
        // reachable[a][b]: some blocs with a members are missing from one roster, others with b
        // members from the other. A bloc missing from both would only add to what is in common.
        var reachable = [[Bool]](repeating: .init(repeating: false, count: cap + 1), count: cap + 1)
        reachable[0][0] = true
        for size in blocs.map(\.count) {
            for a in stride(from: cap, through: 0, by: -1) {
                for b in stride(from: cap, through: 0, by: -1) where !reachable[a][b] {
                    reachable[a][b] =
                        (a >= size && reachable[a - size][b])
                        || (b >= size && reachable[a][b - size])
                }
            }
        }
        return (least...max(least, n)).first { size in
            let missing = max(0, n - size)
            return (0...missing).allSatisfy { a in
                (0...missing).allSatisfy { b in
                    !reachable[a][b] || n - a - b > collusionBound
                }
            }
        } ?? n
    }
}

/// Why the numbers of a charter make no safe rules.
public enum SafetyParameterError: Error, Equatable, Sendable {
    /// The charter's digest has not 32 bytes.
    case digest(got: Int)
    /// Fewer than three members, or too many.
    case memberCount(got: Int)
    /// The blocs do not hold each member exactly once.
    case blocsNoPartition
    /// A bloc of one bank would show that bank by a difference.
    case blocTooSmall(got: Int)
    /// This bank is not a member.
    case own(got: Int)
    /// Fewer than two banks would be left to hide behind each other.
    case collusionBound(got: Int, most: Int)
    /// The floor for rosters is below three or above the members.
    case banksMin(got: Int)
    /// 2t > n + c does not hold: two attempts of one group could be opened.
    case threshold(got: Int, least: Int, most: Int)
}
