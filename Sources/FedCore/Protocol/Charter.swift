internal import FedCrypto
internal import FoundationEssentials

/// What the banks of a consortium have agreed on, whatever they compute together.
///
/// Who they are, in which blocs they come and go, how few of them a sum may have, and how many of
/// them may collude or fail. Its digest stands in every manifest, so every bank signs it by its
/// consent to a run.
public struct Charter: Equatable, Sendable {
    /// Format identifier of the document.
    public static let format = "fed-charter/1"

    /// The banks and their identity keys.
    public let roster: Roster
    /// The banks in blocs: a roster is a union of whole blocs, so the difference of two sums never
    /// shows fewer than one bloc (So et al., Securing secure aggregation, AAAI 2023).
    public let blocs: [[NodeID]]
    /// n_min: the fewest banks that a sum may have, at least 3 and two more than may collude.
    public let banksMin: Int
    /// c: banks that may collude with the coordinator.
    public let collusionBound: Int
    /// f: banks that may fail between their upload and their release.
    public let failureTolerance: Int
    /// The least that a run's own floor of contributing banks may be.
    public let contributorsFloor: Int
    /// The least that a run's own floor of rows behind a split may be.
    public let rowsFloor: Int
    /// Seconds that a run waits for a lost bank before it goes on without its bloc.
    public let holdSeconds: Int
    /// Banks that must vote for a model before any of them may score with it: more than half.
    public let votesMin: Int
    /// The canonical document.
    public let bytes: [UInt8]
    /// SHA-256 of the document.
    public let digest: [UInt8]

    /// t: shares that recover a lost bank's gate seed, n - f.
    public var threshold: Int { roster.members.count - failureTolerance }
    /// The fewest banks of any roster, at least n_min and m = n + c - t + 1: below it two attempts
    /// of one group could both be opened; see ``SafetyParameters``.
    public let rosterMin: Int

    /// Wraps the parts.
    ///
    /// What is left out has its default: blocs of three by name, n_min = max(3, c + 2), c = max(1, ⌊(n-1)/3⌋), f = 0 for
    /// three banks and else max(1, ⌈n/8⌉), two thirds of the banks for a model and at least three.
    ///
    /// - Throws: ``CharterFailure``.
    public init(
        roster: Roster, blocs: [[NodeID]]? = nil, banksMin: Int? = nil,
        collusionBound: Int? = nil, failureTolerance: Int? = nil, contributorsFloor: Int = 1,
        rowsFloor: Int = 1, holdSeconds: Int = 120, votesMin: Int? = nil
    ) throws(CharterFailure) {
        let count = roster.members.count
        let collusionBound = collusionBound ?? max(1, (count - 1) / 3)
        let failureTolerance = failureTolerance ?? (count == 3 ? 0 : max(1, (count + 7) / 8))
        let banksMin = banksMin ?? max(Roster.banksMin, collusionBound + 2)
        let blocs = blocs ?? Self.blocs(of: roster.banks)
        guard blocs.flatMap({ $0 }).sorted() == roster.banks else { throw .notAPartition }
        guard blocs.allSatisfy({ $0.count >= 2 }) else { throw .blocTooSmall }
        guard collusionBound >= 0, failureTolerance >= 0,
            2 * (count - failureTolerance) > count + collusionBound
        else {
            throw .tolerance(
                banks: count, collusionBound: collusionBound, failureTolerance: failureTolerance)
        }
        guard banksMin >= max(Roster.banksMin, collusionBound + 2), banksMin <= count else {
            throw .banksMin(got: banksMin, expected: max(Roster.banksMin, collusionBound + 2))
        }
        guard (1...1_000_000_000).contains(rowsFloor), (1...count).contains(contributorsFloor),
            (1...86_400).contains(holdSeconds)
        else { throw .outOfBounds }
        let votesMin = votesMin ?? max(Roster.banksMin, (2 * count + 2) / 3)
        guard 2 * votesMin > count, votesMin <= count else {
            throw .votesMin(got: votesMin, banks: count)
        }
        self.roster = roster
        self.blocs = blocs.map { $0.sorted() }.sorted { $0[0] < $1[0] }
        self.banksMin = banksMin
        self.collusionBound = collusionBound
        self.failureTolerance = failureTolerance
        self.contributorsFloor = contributorsFloor
        self.rowsFloor = rowsFloor
        self.holdSeconds = holdSeconds
        self.votesMin = votesMin
        rosterMin = SafetyParameters.quorum(
            blocs: self.blocs.map { roster.places(of: $0) },
            least: max(banksMin, collusionBound + 2, collusionBound + failureTolerance + 1),
            collusionBound: collusionBound)
        bytes =
            CanonicalJSON.object([
                "format": .string(Self.format), "members": roster.json,
                "blocs": .array(self.blocs.map { .array($0.map { .string($0.name) }) }),
                "banks_min": .integer(Int64(banksMin)),
                "collusion_bound": .integer(Int64(collusionBound)),
                "failure_tolerance": .integer(Int64(failureTolerance)),
                "contributors_floor": .integer(Int64(contributorsFloor)),
                "rows_floor": .integer(Int64(rowsFloor)),
                "hold_seconds": .integer(Int64(holdSeconds)),
                "votes_min": .integer(Int64(votesMin)),
            ]).bytes
        digest = SHA256.hash(bytes)
    }

    /// Blocs of about `size` banks in the order of their names, none of fewer than two: five banks
    /// make one of three and one of two.
    public static func blocs(of banks: [NodeID], size: Int = 3) -> [[NodeID]] {
        let sorted = banks.sorted()
        guard !sorted.isEmpty, size > 0 else { return [] }
        let count = max(1, min((sorted.count + size - 1) / size, sorted.count / 2))
        var blocs: [[NodeID]] = []
        var from = 0
        for index in 0..<count {
            let width = sorted.count / count + (index < sorted.count % count ? 1 : 0)
            blocs.append(Array(sorted[from..<from + width]))
            from += width
        }
        return blocs
    }

    /// What a bank's safety rules need to know of the charter.
    func safetyParameters(own: Int) throws(SafetyParameterError) -> SafetyParameters {
        try SafetyParameters(
            charterDigest: digest, blocs: blocs.map { roster.places(of: $0) }, own: own,
            banksMin: banksMin, collusionBound: collusionBound, threshold: threshold)
    }

    /// Whether banks make a roster: a union of whole blocs, large enough.
    public func permits(_ banks: [NodeID]) -> Bool {
        let chosen = Set(banks)
        return chosen.count == banks.count && banks.count >= rosterMin
            && chosen.isSubset(of: roster.banks)
            && blocs.allSatisfy { chosen.isSuperset(of: $0) || chosen.isDisjoint(with: $0) }
    }

    /// The banks of those blocs that are complete among `banks`, sorted.
    public func wholeBlocs(in banks: Set<NodeID>) -> [NodeID] {
        blocs.filter { banks.isSuperset(of: $0) }.flatMap { $0 }.sorted()
    }

    /// What this charter protects less than an earlier one did; `nil` when nothing.
    public func weakening(of earlier: Charter) -> String? {
        if banksMin < earlier.banksMin { return "fewer banks in a sum" }
        if collusionBound < earlier.collusionBound { return "fewer colluding banks" }
        if contributorsFloor < earlier.contributorsFloor { return "fewer contributing banks" }
        if rowsFloor < earlier.rowsFloor { return "fewer rows behind a split" }
        if votesMin < earlier.votesMin, roster.members.count >= earlier.roster.members.count {
            return "fewer votes for a model"
        }
        if threshold < earlier.threshold, roster.members.count >= earlier.roster.members.count {
            return "fewer shares for a recovery"
        }
        return nil
    }

    /// Reads a charter, strictly.
    ///
    /// - Throws: ``CharterFailure``.
    public init(bytes: [UInt8]) throws(CharterFailure) {
        let document: Document
        do {
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            document = try decoder.decode(Document.self, from: Data(bytes))
        } catch {
            throw .malformed
        }
        guard document.format == Self.format, let roster = Roster(entries: document.members) else {
            throw .malformed
        }
        var blocs: [[NodeID]] = []
        for names in document.blocs {
            let banks = names.compactMap { NodeID($0) }
            guard banks.count == names.count else { throw .malformed }
            blocs.append(banks)
        }
        try self.init(
            roster: roster, blocs: blocs, banksMin: document.banksMin,
            collusionBound: document.collusionBound, failureTolerance: document.failureTolerance,
            contributorsFloor: document.contributorsFloor, rowsFloor: document.rowsFloor,
            holdSeconds: document.holdSeconds,
            votesMin: document.votesMin)
        guard self.bytes == bytes else { throw .notCanonical }
    }

    private struct Document: Decodable {
        let format: String
        let members: [Roster.Entry]
        let blocs: [[String]]
        let banksMin: Int
        let collusionBound: Int
        let failureTolerance: Int
        let contributorsFloor: Int
        let rowsFloor: Int
        let holdSeconds: Int
        let votesMin: Int
    }
}

/// Why a charter is refused.
public enum CharterFailure: Error, Equatable, Sendable, CustomStringConvertible {
    case malformed
    case notCanonical
    case notAPartition
    case blocTooSmall
    case tolerance(banks: Int, collusionBound: Int, failureTolerance: Int)
    case banksMin(got: Int, expected: Int)
    case votesMin(got: Int, banks: Int)
    case outOfBounds

    /// The words for a person.
    public var description: String {
        switch self {
        case .malformed: "it cannot be read"
        case .notCanonical: "it is not in canonical form"
        case .notAPartition: "its blocs do not hold every bank once"
        case .blocTooSmall: "a bloc has fewer than two banks"
        case .tolerance(let banks, let collusionBound, let failureTolerance):
            "\(banks) banks cannot tolerate \(failureTolerance) failures and "
                + "\(collusionBound) colluding banks: 2 (n - f) must exceed n + c"
        case .banksMin(let got, let expected):
            "a sum of at least \(got) banks, expected at least \(expected) and at most all"
        case .votesMin(let got, let banks):
            "\(got) votes for a model, expected more than half of \(banks) banks and at most all"
        case .outOfBounds: "a value is out of bounds"
        }
    }
}

extension Roster {
    /// A member as documents name it.
    struct Entry: Decodable {
        let bank: String
        let identityKey: String
    }

    /// Reads the members of a document; `nil` when they make no roster.
    init?(entries: [Entry]) {
        var members: [Member] = []
        for entry in entries {
            guard let bank = NodeID(entry.bank),
                let key = [UInt8](hexadecimal: entry.identityKey),
                let member = Member(bank: bank, identityKey: key)
            else { return nil }
            members.append(member)
        }
        guard let roster = try? Roster(members) else { return nil }
        self = roster
    }

    /// The members as documents name them.
    var json: CanonicalJSON {
        .array(
            members.map {
                .object([
                    "bank": .string($0.bank.name),
                    "identity_key": .string($0.identityKey.hexadecimal),
                ])
            })
    }

    /// The roster of some of the members, by their places; `nil` when these are not rising, not
    /// members or too few.
    func choosing(_ places: [Int]) -> Roster? {
        guard zip(places, places.dropFirst()).allSatisfy({ $0 < $1 }),
            places.allSatisfy(members.indices.contains)
        else { return nil }
        return try? Roster(places.map { members[$0] })
    }

    /// The places of some of the banks; strangers are left out.
    func places(of banks: [NodeID]) -> [Int] { banks.compactMap { index(of: $0) }.sorted() }
}
