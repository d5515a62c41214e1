import FedCore
import FedCrypto
import Testing

@Suite struct RosterTests {
    private func members(_ names: [String], key: (Int) -> UInt8 = { UInt8($0) }) throws -> [Member]
    {
        try names.enumerated().map { index, name in
            let bank = try #require(NodeID(name))
            return try #require(Member(bank: bank, identityKey: SHA256.hash([key(index)])))
        }
    }

    @Test(arguments: 0..<3)
    func fewerThanThreeBanksAreRefused(count: Int) throws {
        let members = try members(Array(["A", "B", "C"].prefix(count)))
        #expect(throws: RosterFailure.tooFewBanks(got: count)) { try Roster(members) }
    }

    @Test func banksAreSortedAndFound() throws {
        let roster = try Roster(try members(["C", "A", "B"]))
        #expect(roster.banks.map(\.name) == ["A", "B", "C"])
        #expect(roster.index(of: roster.banks[1]) == 1)
        #expect(roster.identityKey(of: roster.banks[2]) == SHA256.hash([0]))
    }

    @Test func aBankOrAKeyTwiceIsRefused() throws {
        let twice = try members(["A", "B", "A"])
        #expect(throws: RosterFailure.duplicateBank(twice[0].bank)) { try Roster(twice) }
        let shared = try members(["A", "B", "C"], key: { _ in 1 })
        #expect(throws: RosterFailure.duplicateIdentityKey) { try Roster(shared) }
    }

    @Test(arguments: ["", "-a", "a b", "a/b", "é", String(repeating: "a", count: 64)])
    func unsafeNamesAreRefused(name: String) {
        #expect(NodeID(name) == nil)
    }
}
