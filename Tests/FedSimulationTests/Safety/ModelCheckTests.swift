import FedCore
import FedSimulation
import Testing

/// Exhaustive search through what a lying coordinator with colluding banks can make of the real safety
/// kernels of all honest banks.
///
/// Enumerated for n = 3 ... 7: every way to part the banks into blocs of at least two, and single
/// banks as blocs; every c and t with 2t > n + c; every pair of different rosters of at least m - 1
/// banks; every set of at most c colluding banks; the same gate, two gates or two epochs for the two
/// attempts; and then every order of uploads, commits with their releases, share hand-outs and plain
/// slots at all honest banks, a restart from disk after each. Cases and states that differ only by the
/// names of banks count once.
@Suite struct ModelCheckTests {
    struct Totals {
        var cases = 0
        var states = 0
        var openable = 0
        var violations: [[OpeningModel.Event]] = []

        mutating func add(_ model: OpeningModel) {
            let finding = model.search()
            cases += 1
            states += finding.stateCount
            openable += finding.openable > 0 ? 1 : 0
            if let violation = finding.violation { violations.append(violation) }
        }
    }

    /// Every c and t that a charter of n members can have.
    static func numbers(_ n: Int) -> [(c: Int, t: Int)] {
        (0...n - 2).flatMap { c in ((n + c) / 2 + 1...n).map { (c, $0) } }
    }

    /// Members, and the cases for each way of using gates.
    static let sizes = [(3, 16), (4, 144), (5, 431), (6, 1274), (7, 2795)]

    @Test(arguments: sizes, OpeningCases.Gates.allCases)
    func atMostOneAttemptOfAGroupOpens(size: (n: Int, cases: Int), gates: OpeningCases.Gates) {
        var totals = Totals()
        for blocs in OpeningCases.partitions(memberCount: size.n) {
            for (c, t) in Self.numbers(size.n) {
                let cases = OpeningCases(blocs: blocs, collusionBound: c, threshold: t)
                for model in cases.pairs(gates) { totals.add(model) }
            }
        }
        #expect(totals.violations.isEmpty, "\(totals.violations.first ?? [])")
        #expect(totals.cases == size.cases)
        #expect(totals.openable > size.cases / 2, "little opens: the search shows little")
    }

    /// Other groups with any rosters on the gates of both attempts; at most three honest banks.
    @Test(arguments: [(4, 226), (5, 330)], [OpeningCases.Gates.ascending, .otherEpoch])
    func otherGroupsOnTheSameGatesOpenNothing(
        size: (n: Int, cases: Int), gates: OpeningCases.Gates
    ) {
        var totals = Totals()
        for blocs in OpeningCases.partitions(memberCount: size.n) {
            for (c, t) in Self.numbers(size.n) where size.n - c <= 3 {
                let cases = OpeningCases(blocs: blocs, collusionBound: c, threshold: t)
                for model in cases.decoys(gates) { totals.add(model) }
            }
        }
        #expect(totals.violations.isEmpty, "\(totals.violations.first ?? [])")
        #expect(totals.cases == size.cases)
        #expect(totals.openable == totals.cases)
    }

    @Test(arguments: OpeningCases.Weakening.allCases)
    func eachRuleIsNeeded(weakening: OpeningCases.Weakening) throws {
        let trace = try #require(firstViolation(weakening), "the checker misses a weak rule")
        for offer in 0...1 {
            #expect(trace.contains { $0.action == .upload && $0.offer == offer })
        }
        if weakening == .plainAfterRelease {
            #expect(!trace.contains { $0.action == .release })
        }
    }

    private func firstViolation(
        _ weakening: OpeningCases.Weakening
    ) -> [OpeningModel.Event]? {
        let blocs = (0..<5).map { [$0] }
        for (c, t) in Self.numbers(5) {
            let cases = OpeningCases(
                blocs: blocs, collusionBound: c, threshold: t, weakening: weakening)
            // Only with other groups on the same gates do banks believe different things of a gate.
            let models =
                weakening == .sameContext
                ? (c == 2 ? cases.decoys(.ascending) : [])
                : cases.pairs(.ascending) + cases.pairs(.otherEpoch)
            for model in models {
                if let violation = model.search().violation { return violation }
            }
        }
        return nil
    }
}
