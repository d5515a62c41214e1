import FedCore
import FedCrypto
import FedSimulation
import Testing

/// Five banks in two blocs, {A, B, C} and {D, E}, of which E may collude; t is 4.
///
/// Each test says what the coordinator would have to learn, lets it compute with everything that the
/// banks gave it, and compares over many seeds: the result must be independent of what is wanted.
@Suite struct HostileCoordinatorTests {
    private static let seeds: Range<UInt64> = 0..<44
    private static let lateCommit = RefusalReason.protocolViolation("a commit of another attempt")
    private static let noUnion = RefusalReason.roster(
        "it is not a union of whole blocs of at least the charter's size")

    private func hostile(_ seed: UInt64) throws -> HostileCoordinator {
        var hostile = try HostileCoordinator(try ToyConsortium(bankCount: 5, seed: seed))
        try hostile.setUp()
        return hostile
    }

    private func difference(_ left: [UInt64], _ right: [UInt64]) -> [UInt64] {
        zip(left, right).map { $0 &- $1 }
    }

    /// A control: without it, a computation that cannot succeed would prove nothing.
    @Test func honestAttemptGivesTheSum() throws {
        var guesses = Guesses()
        for seed in Self.seeds.prefix(5) {
            var hostile = try hostile(seed)
            let banks = hostile.consortium.banks
            try hostile.tell(banks, hostile.query())
            try hostile.tell(banks, hostile.commit(of: banks))
            guesses.add(try hostile.opened(banks), wanted: try hostile.plain(banks))
            try hostile.tell(
                banks,
                hostile.query(
                    slot: 1, isGated: false, body: "p", receipt: hostile.receipt(of: banks, slot: 0)
                ))
            guesses.add(
                try hostile.opened(banks, slot: 1),
                wanted: try hostile.plain(banks, bodies: ["q", "p"]))
        }
        #expect(guesses.areAllRight)
    }

    /// Wanted: the sum of D and E, by the difference of two attempts.
    ///
    /// The excluded bloc is told nothing of the second one, commits to the first, and hands out its
    /// shares of A, B and C.
    @Test func twoAttemptsDoNotBothOpen() throws {
        var second = Guesses()
        var guesses = Guesses()
        for seed in Self.seeds {
            var hostile = try hostile(seed)
            let banks = hostile.consortium.banks
            let (kept, left) = (Array(banks[0..<3]), Array(banks[3...]))
            try hostile.tell(banks, hostile.query())
            try hostile.tell(kept, hostile.query(attempt: 1, gate: 1, places: [0, 1, 2]))
            try hostile.tell(kept, hostile.commit(of: kept, attempt: 1))
            let sum = try hostile.opened(kept, attempt: 1)
            second.add(sum, wanted: try hostile.plain(kept))
            try hostile.tell(left, hostile.commit(of: banks))
            try hostile.tell(left, .recover(slot: 0, attempt: 0, missing: [0, 1, 2]))
            #expect(left.allSatisfy { hostile.count($0, kind: "release") == 1 })
            #expect(left.allSatisfy { hostile.count($0, kind: "recovery") == 1 })
            for bank in kept {
                try hostile.tell(bank, hostile.commit(of: banks))
                #expect(hostile.refusal(bank) == Self.lateCommit)
            }
            guesses.add(
                difference(try hostile.opened(banks), sum), wanted: try hostile.plain(left))
        }
        #expect(second.areAllRight)
        #expect(guesses.areIndependent)
    }

    /// Wanted: the vector of D, whose packet arrives after it was declared lost; E colludes.
    @Test func latePacketAfterExclusionOpensNothing() throws {
        var guesses = Guesses()
        for seed in Self.seeds {
            var hostile = try hostile(seed)
            let banks = hostile.consortium.banks
            let kept = Array(banks[0..<3])
            let others = kept + [banks[4]]
            try hostile.tell(others, hostile.query())
            try hostile.tell(kept, hostile.query(attempt: 1, gate: 1, places: [0, 1, 2]))
            try hostile.tell(kept, hostile.commit(of: kept, attempt: 1))
            let sum = try hostile.opened(kept, attempt: 1)
            try hostile.tell([banks[3]], hostile.query())
            try hostile.tell([banks[4]], hostile.commit(of: banks))
            #expect(hostile.seed(banks[4]) != nil)
            let rest = difference(
                difference(try hostile.opened(banks), sum), try hostile.vector(of: banks[4]))
            guesses.add(rest, wanted: try hostile.vector(of: banks[3]))
        }
        #expect(guesses.areIndependent)
    }

    /// What one bank is told otherwise than the rest.
    enum Lie: CaseIterable { case model, encoding, sum }

    private func query(
        _ lie: Lie?, _ hostile: HostileCoordinator, receipt: SlotReceipt, forged: SlotReceipt
    ) throws -> RunMessage {
        try hostile.query(
            slot: 1, isGated: false, body: lie == .model ? "other" : "p",
            ringBits: lie == .encoding ? 40 : 48, receipt: lie == .sum ? forged : receipt)
    }

    /// Wanted: the sum of all, in which A answers to something else: its difference to another sum
    /// would be A's own.
    @Test(arguments: Lie.allCases)
    func bankToldSomethingElseInAPlainSlotGarblesTheSum(lie: Lie) throws {
        let bits = lie == .encoding ? 40 : 48
        var guesses = Guesses(bits: bits)
        for seed in Self.seeds {
            var hostile = try hostile(seed)
            let banks = hostile.consortium.banks
            try hostile.tell(banks, hostile.query())
            try hostile.tell(banks, hostile.commit(of: banks))
            let receipt = hostile.receipt(of: banks, slot: 0)
            let forged = hostile.receipt(of: banks, slot: 0, sum: 2)
            for bank in banks {
                try hostile.tell(
                    bank,
                    query(bank == banks[0] ? lie : nil, hostile, receipt: receipt, forged: forged)
                )
            }
            let others = Array(banks[1...])
            let own = try HostileCoordinatorTests.answer(of: banks[0], to: lie, hostile)
            let rest = try hostile.plain(others, bodies: ["q", "p"])
            guesses.add(
                try hostile.opened(banks, slot: 1), wanted: zip(own, rest).map { $0 &+ $1 })
        }
        #expect(guesses.areIndependent)
    }

    private static func answer(
        of bank: NodeID, to lie: Lie, _ hostile: HostileCoordinator
    ) throws -> [UInt64] {
        try hostile.vector(
            of: bank, bodies: ["q", lie == .model ? "other" : "p"],
            ringBits: lie == .encoding ? 40 : 48)
    }

    /// The same lie before the gate is seen by every bank, named, and nothing is released.
    @Test func bankToldSomethingElseBehindTheGateIsSeenByAll() throws {
        var guesses = Guesses()
        for seed in Self.seeds {
            var hostile = try hostile(seed)
            let banks = hostile.consortium.banks
            try hostile.tell(banks[0], hostile.query(body: "other"))
            try hostile.tell(Array(banks[1...]), hostile.query())
            try hostile.tell(banks, hostile.commit(of: banks))
            #expect(hostile.refusal(banks[0]) == .splitView(banks[1]))
            for bank in banks[1...] { #expect(hostile.refusal(bank) == .splitView(banks[0])) }
            #expect(banks.allSatisfy { hostile.seed($0) == nil })
            let own = try hostile.vector(of: banks[0], bodies: ["other"])
            let rest = try hostile.plain(Array(banks[1...]))
            guesses.add(try hostile.opened(banks), wanted: zip(own, rest).map { $0 &+ $1 })
        }
        #expect(guesses.areIndependent)
    }

    /// Wanted: the sum of A, B, C and D alone; E has not uploaded, and its certificate is missing or
    /// is another bank's.
    @Test(arguments: [false, true])
    func forgedCommitReleasesNothing(isCopied: Bool) throws {
        var guesses = Guesses()
        for seed in Self.seeds {
            var hostile = try hostile(seed)
            let banks = hostile.consortium.banks
            let others = Array(banks[0..<4])
            try hostile.tell(others, hostile.query())
            guard
                case .commit(let slot, let attempt, let digests, var certificates) =
                    hostile.commit(of: banks)
            else { return }
            if isCopied { certificates[4] = certificates[3] }
            try hostile.tell(
                others,
                .commit(
                    slot: slot, attempt: attempt, updateDigests: digests,
                    certificates: certificates))
            for bank in others { #expect(hostile.refusal(bank) == .splitView(banks[4])) }
            #expect(others.allSatisfy { hostile.seed($0) == nil })
            guesses.add(try hostile.opened(others), wanted: try hostile.plain(others))
        }
        #expect(guesses.areIndependent)
    }

    /// Wanted: A's vector, from A's own release *and* all shares of its seed.
    ///
    /// There is only one kind of share, and both give the same seed; the masks of pairs stay.
    @Test func releaseAndSharesOfOneBankGiveTheSameSecret() throws {
        var guesses = Guesses()
        for seed in Self.seeds {
            var hostile = try hostile(seed)
            let banks = hostile.consortium.banks
            try hostile.tell(banks, hostile.query())
            try hostile.tell(banks, hostile.commit(of: banks))
            try hostile.tell(Array(banks[1...]), .recover(slot: 0, attempt: 0, missing: [0]))
            #expect(banks[1...].allSatisfy { hostile.count($0, kind: "recovery") == 1 })
            #expect(hostile.seed(banks[0]) != nil)
            guesses.add(try hostile.opened([banks[0]]), wanted: try hostile.vector(of: banks[0]))
        }
        #expect(guesses.areIndependent)
    }

    @Test func sharesBeforeTheCommitAreRefused() throws {
        var hostile = try hostile(3)
        let banks = hostile.consortium.banks
        try hostile.tell(banks, hostile.query())
        try hostile.tell(banks, .recover(slot: 0, attempt: 0, missing: [0]))
        let reason = RefusalReason.protocolViolation("a recovery of another attempt")
        #expect(banks.allSatisfy { hostile.refusal($0) == reason })
        #expect(banks.allSatisfy { hostile.count($0, kind: "recovery") == 0 })
    }

    /// Wanted: the vector of D, as the difference of a group's sum and one without D.
    @Test func rosterWithoutOneBankIsRefused() throws {
        for places in [[0, 1, 2, 4], [0, 1, 2, 3], [0, 3, 4], [1, 2, 3, 4]] {
            var hostile = try hostile(4)
            let banks = hostile.consortium.banks
            try hostile.tell(banks, hostile.query())
            try hostile.tell(banks, hostile.commit(of: banks))
            try hostile.tell(
                banks,
                hostile.query(
                    slot: 1, gate: 1, places: places, round: 1,
                    receipt: hostile.receipt(of: banks, slot: 0)))
            for bank in banks {
                #expect(hostile.refusal(bank) == Self.noUnion)
                #expect(hostile.count(bank, kind: "update") == 1)
            }
        }
    }

    /// Wanted: the sum of D and E, by asking the same of A, B and C in another run.
    @Test func anotherRunDoesNotOpenTheGroupForAnotherRoster() throws {
        var first = try hostile(5)
        let banks = first.consortium.banks
        let kept = Array(banks[0..<3])
        try first.tell(banks, first.query())
        try first.tell(banks, first.commit(of: banks))
        let run = try #require(RunID(bytes: [UInt8](repeating: 9, count: 16)))
        let entries = first.lines.mapValues(\.entries)
        var second = try HostileCoordinator(first.consortium, run: run, entries: entries)
        try second.setUp()
        try second.tell(kept, second.query(places: [0, 1, 2]))
        for bank in kept {
            #expect(
                second.refusal(bank) == .safety(SafetyViolation.groupCommitted.description))
            #expect(second.count(bank, kind: "update") == 0)
        }
        // The identical roster says nothing new, and is allowed.
        var third = try HostileCoordinator(first.consortium, run: run, entries: entries)
        try third.setUp()
        try third.tell(banks, third.query())
        try third.tell(banks, third.commit(of: banks))
        #expect(try third.opened(banks).map { $0 << 16 } == third.plain(banks).map { $0 << 16 })
    }
}
