import FedCore
import FedSimulation
import Testing

/// A coordinator that collects sums over many rosters, for as long as it likes, and computes with
/// them.
///
/// If banks sent the same vectors each time, it could form any linear combination of the rosters'
/// indicator vectors. Wanted: one bank's vector, which is the combination that is 1 at that bank and
/// 0 elsewhere.
@Suite struct RosterSpaceTests {
    /// The rank of rows of small integers, modulo a prime far above their size.
    private func rank(_ rows: [[Int]]) -> Int {
        let prime = 2_147_483_647
        var rows = rows
        var rank = 0
        for column in 0..<(rows.first?.count ?? 0) {
            guard let pivot = rows[rank...].firstIndex(where: { $0[column] % prime != 0 }) else {
                continue
            }
            rows.swapAt(rank, pivot)
            let inverse = power(rows[rank][column], prime - 2, prime)
            rows[rank] = rows[rank].map { $0 * inverse % prime }
            for row in rows.indices where row != rank && rows[row][column] != 0 {
                let factor = rows[row][column]
                rows[row] = zip(rows[row], rows[rank]).map { left, right in
                    (left + (prime - factor) * right) % prime
                }
            }
            rank += 1
            if rank == rows.count { break }
        }
        return rank
    }

    private func power(_ base: Int, _ exponent: Int, _ prime: Int) -> Int {
        var (result, base, exponent) = (1, base, exponent)
        while exponent > 0 {
            if exponent & 1 == 1 { result = result * base % prime }
            base = base * base % prime
            exponent >>= 1
        }
        return result
    }

    /// All sets of banks that pass, as indicator vectors.
    private func rosters(of banks: [NodeID], where passes: ([NodeID]) -> Bool) -> [[Int]] {
        (1..<(1 << banks.count)).compactMap { mask in
            let chosen = banks.indices.filter { mask >> $0 & 1 == 1 }
            guard passes(chosen.map { banks[$0] }) else { return nil }
            return banks.indices.map { mask >> $0 & 1 }
        }
    }

    private func isolated(_ rosters: [[Int]], count: Int) -> [Int] {
        let space = rank(rosters)
        return (0..<count).filter { bank in
            rank(rosters + [(0..<count).map { $0 == bank ? 1 : 0 }]) == space
        }
    }

    @Test(arguments: [3, 5, 6, 9, 10, 12])
    func noCombinationOfPermittedRostersIsolatesOneBank(bankCount: Int) throws {
        let consortium = try ToyConsortium(bankCount: bankCount, seed: 61)
        let permitted = rosters(of: consortium.banks, where: consortium.charter.permits)
        #expect(!permitted.isEmpty)
        #expect(isolated(permitted, count: bankCount).isEmpty)
        // Nothing narrower than a bloc can be had: there are no more directions than blocs.
        #expect(rank(permitted) <= consortium.charter.blocs.count)
    }

    @Test(arguments: [5, 9])
    func withoutBlocsTheSameFloorWouldIsolateEveryBank(bankCount: Int) throws {
        let consortium = try ToyConsortium(bankCount: bankCount, seed: 61)
        let least = consortium.charter.rosterMin
        let any = rosters(of: consortium.banks) { $0.count >= least }
        #expect(isolated(any, count: bankCount) == Array(0..<bankCount))
    }
}
