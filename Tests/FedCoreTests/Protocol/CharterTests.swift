import FedCore
import FedCrypto
import Testing

@Suite struct CharterTests {
    private func roster(_ count: Int) throws -> Roster {
        try Roster(
            (0..<count).map { index in
                let bank = try #require(NodeID("bank-\(100 + index)"))
                return try #require(
                    Member(bank: bank, identityKey: SHA256.hash([UInt8(index)])))
            })
    }

    @Test func blocsHoldEveryBankOnceAndNoneIsAlone() throws {
        #expect(Charter.blocs(of: try roster(5).banks).map(\.count) == [3, 2])
        for size in 2...6 {
            for count in 3...200 {
                let banks = try roster(count).banks
                let blocs = Charter.blocs(of: banks, size: size)
                #expect(blocs.flatMap { $0 } == banks, "\(count) by \(size)")
                #expect(blocs.allSatisfy { $0.count >= 2 }, "\(count) by \(size)")
            }
        }
    }

    @Test(arguments: [
        (3, 0, 3, 1), (5, 1, 4, 1), (10, 2, 8, 3), (30, 4, 26, 9), (200, 25, 175, 66),
    ])
    func defaultsAreThoseOfTheTable(
        banks: Int, failures: Int, threshold: Int, collusion: Int
    ) throws {
        let charter = try Charter(roster: try roster(banks))
        #expect(charter.failureTolerance == failures)
        #expect(charter.threshold == threshold)
        #expect(charter.collusionBound == collusion)
        #expect(charter.rosterMin >= banks + collusion - threshold + 1)
    }

    @Test func everySizeHasACharterThatSurvivesItsBytes() throws {
        for count in 3...60 {
            let charter = try Charter(roster: try roster(count))
            #expect(try Charter(bytes: charter.bytes) == charter)
            #expect(charter.permits(charter.roster.banks))
        }
    }

    @Test func rostersAreUnionsOfWholeBlocs() throws {
        let charter = try Charter(roster: try roster(9))
        let banks = charter.roster.banks
        #expect(charter.permits(Array(banks.dropLast(3))))
        #expect(!charter.permits(Array(banks.dropLast(1))))
        #expect(!charter.permits(Array(banks.dropLast(6))))
        #expect(charter.wholeBlocs(in: Set(banks.dropLast())) == Array(banks.dropLast(3)))
    }

    @Test func chartersWithoutSafetyAreRefused() throws {
        let roster = try roster(5)
        let banks = roster.banks
        #expect(throws: CharterFailure.blocTooSmall) {
            try Charter(roster: roster, blocs: [Array(banks[..<4]), [banks[4]]])
        }
        #expect(throws: CharterFailure.notAPartition) {
            try Charter(roster: roster, blocs: [Array(banks[..<4])])
        }
        #expect(throws: CharterFailure.self) { try Charter(roster: roster, failureTolerance: 2) }
        #expect(throws: CharterFailure.self) { try Charter(roster: roster, banksMin: 2) }
        #expect(throws: CharterFailure.malformed) { try Charter(bytes: [1, 2]) }
    }

    @Test func aCharterThatProtectsLessIsSeen() throws {
        let roster = try roster(9)
        let charter = try Charter(roster: roster, rowsFloor: 10)
        #expect(charter.weakening(of: charter) == nil)
        #expect(try Charter(roster: roster, rowsFloor: 9).weakening(of: charter) != nil)
        let lower = try Charter(roster: roster, collusionBound: 1, rowsFloor: 10)
        #expect(lower.weakening(of: charter) != nil)
        #expect(charter.weakening(of: lower) == nil)
    }
}
