import FedCore
import Testing

/// Which banks a coordinator can single out by combining the sums of many groups.
@Suite struct RosterHistoryTests {
    /// Rank modulo the prime 2^31 - 1 of the columns of rows that are not left out.
    private func rank(of rows: [[Int]], without columns: Set<Int>) -> Int {
        let prime = 2_147_483_647
        func inverse(_ value: Int) -> Int {
            var (result, base, exponent) = (1, value, prime - 2)
            while exponent > 0 {
                if exponent & 1 == 1 { result = result * base % prime }
                base = base * base % prime
                exponent >>= 1
            }
            return result
        }
        var rows = rows.map { row in
            row.indices.filter { !columns.contains($0) }.map { row[$0] }
        }
        var rank = 0
        for column in rows[0].indices {
            guard let pivot = rows[rank...].firstIndex(where: { $0[column] != 0 }) else { continue }
            rows.swapAt(rank, pivot)
            let factor = inverse(rows[rank][column])
            for row in rows.indices where row > rank && rows[row][column] != 0 {
                let scale = rows[row][column] * factor % prime
                for place in rows[row].indices {
                    rows[row][place] =
                        (rows[row][place] + (prime - scale) * rows[rank][place]) % prime
                }
            }
            rank += 1
            if rank == rows.count { break }
        }
        return rank
    }

    /// Sets of at most `size` members on which some combination of the rows is concentrated.
    private func exposed(by rows: [[Int]], size: Int) -> [Set<Int>] {
        let n = rows[0].count
        let whole = rank(of: rows, without: [])
        var sets = (0..<n).map { Set([$0]) }
        if size >= 2 {
            sets += (0..<n).flatMap { first in (first + 1..<n).map { [first, $0] } }
        }
        return sets.filter { rank(of: rows, without: $0) < whole }
    }

    /// The different rosters among 1000 that a random coordinator gets past a bank's kernel.
    private func history(_ blocs: [[Int]], seed: UInt64) throws -> [[Int]] {
        let n = blocs.reduce(0) { $0 + $1.count }
        let parameters = try SafetyParameters(
            charterDigest: [UInt8](repeating: 1, count: 32), blocs: blocs, own: 0,
            collusionBound: 2, threshold: n - 1)
        var kernel = SafetyKernel(parameters)
        var state = seed
        func next() -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33)
        }
        var admitted: Set<[Int]> = []
        var refused = 0
        for gate in 1...1000 {
            // Whole blocs, in a third of the cases with one bank more or less.
            let chosen = next()
            var roster = Set(blocs.indices.filter { chosen >> $0 & 1 == 1 }.flatMap { blocs[$0] })
            roster.formUnion(blocs[0])
            if next() % 3 == 0 { roster.formSymmetricDifference([next() % n]) }
            var group = [UInt8](repeating: 0, count: 32)
            (group[0], group[1]) = (UInt8(gate & 255), UInt8(gate >> 8))
            let attempt = AttemptID(
                epoch: [UInt8](repeating: 3, count: 32), group: group, gate: UInt32(gate))
            if (try? kernel.admit(attempt, roster: roster.sorted())) != nil {
                admitted.insert(roster.sorted())
            } else {
                refused += 1
            }
        }
        #expect(refused > 100 && admitted.count > 3, "seed \(seed)")
        return admitted.sorted { $0.lexicographicallyPrecedes($1) }
    }

    private func rows(_ rosters: [[Int]], n: Int) -> [[Int]] {
        rosters.map { roster in (0..<n).map { roster.contains($0) ? 1 : 0 } }
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func noCombinationOfSumsShowsLessThanABloc(seed: UInt64) throws {
        let blocs = [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]]
        let rosters = try history(blocs, seed: seed)
        #expect(exposed(by: rows(rosters, n: 12), size: 2) == [], "seed \(seed)")
    }

    @Test func blocOfTwoShowsNoSingleBank() throws {
        let blocs = [[0, 1, 2], [3, 4, 5], [6, 7], [8, 9], [10, 11]]
        let rosters = try history(blocs, seed: 11)
        #expect(exposed(by: rows(rosters, n: 12), size: 1) == [])
        #expect(exposed(by: rows(rosters, n: 12), size: 2).contains([10, 11]))
    }

    /// The search finds what rosters without blocs give away.
    @Test func oneBankMoreOrLessShowsThatBank() {
        let rosters = [Array(0..<12), Array(0..<11), Array(0..<9)]
        let exposed = exposed(by: rows(rosters, n: 12), size: 2)
        #expect(exposed.contains([11]))
        #expect(exposed.contains([9, 10]))
        #expect(!exposed.contains([9]))
    }
}
