import FedCore
import FedCrypto
import FedSynthetic
import Foundation
import Testing

@Suite struct SyntheticConsortiumTests {
    /// Made once for the tests that only look at it.
    private static let consortiums = Result {
        try (1...2).map { try SyntheticConsortium(seed: $0, scale: 0.15) }
    }

    private static func files(_ consortium: SyntheticConsortium) -> [SyntheticFile] {
        consortium.banks.indices.flatMap {
            consortium.featureFiles(ofBank: $0) + [consortium.transactionFile(ofBank: $0)]
        }
    }

    /// A change of this digest changes every demonstration and every published figure: make it on
    /// purpose only.
    @Test func aTinyConsortiumHasTheBytesItAlwaysHad() throws {
        let files = Self.files(try SyntheticConsortium(seed: 1, scale: 0.02))
        let digest = SHA256.hash(files.flatMap { Array($0.name.utf8) + $0.bytes })
        #expect(
            digest.hexadecimal == "7a8e22487ed047dbe9ecf853760f80b359f594a2926003535c18ace478c9bf3a"
        )
    }

    @Test func aSeedDecidesEverythingAndAnotherSeedGivesOtherRows() throws {
        let one = try SyntheticConsortium(seed: 9, scale: 0.02).transactions
        #expect(one == (try SyntheticConsortium(seed: 9, scale: 0.02).transactions))
        #expect(one != (try SyntheticConsortium(seed: 10, scale: 0.02).transactions))
    }

    @Test(arguments: [0, 1])
    func banksHaveTheirShareOfAccountsAndPayments(seed: Int) throws {
        let consortium = try Self.consortiums.get()[seed]
        let rows = consortium.transactions
        let accounts = Set(rows.map(\.account)).count
        for (index, bank) in consortium.banks.enumerated() {
            let own = rows.filter { $0.bank == index }
            let accountShare = Double(Set(own.map(\.account)).count) / Double(accounts)
            #expect(abs(accountShare - bank.accountShare) < 0.01, "seed \(seed) \(bank.name)")
            let rowShare = Double(own.count) / Double(rows.count)
            #expect(abs(rowShare / bank.accountShare - 1) < 0.5, "seed \(seed) \(bank.name)")
        }
    }

    @Test(arguments: [0, 1])
    func everyKindOfFraudIsPresentAndFraudIsRare(seed: Int) throws {
        let rows = try Self.consortiums.get()[seed].transactions
        for kind in FraudKind.allCases {
            #expect(rows.count { $0.kind == kind } > 20, "seed \(seed) \(kind)")
        }
        let share = Double(rows.count { $0.isFraud }) / Double(rows.count)
        #expect((0.006...0.0125).contains(share), "seed \(seed): \(share)")
    }

    @Test func someKindsReachTheSmallBanksLate() throws {
        let banks = SyntheticBank.consortium
        for (bank, kind, day) in [
            (1, FraudKind.testCharge, 35), (2, .accountTakeover, 45), (3, .accountTakeover, 85),
            (4, .socialEngineering, 60),
        ] {
            let before = banks[bank].targetWeight(of: kind, day: day - 1)
            let after = banks[bank].targetWeight(of: kind, day: day)
            #expect(abs(before / after - 0.04) < 1e-12, "\(banks[bank].name) \(kind)")
        }
        // Takeovers at banks C to E before and since their day, in the rows themselves.
        let arrival = [2: 45, 3: 85, 4: 70]
        let takeovers = try Self.consortiums.get().flatMap(\.transactions).filter {
            $0.kind == .accountTakeover && $0.bank >= 2
        }
        let before = takeovers.count { $0.day < arrival[$0.bank, default: 0] }
        #expect(takeovers.count > 5)
        #expect(3 * before < takeovers.count, "\(before) of \(takeovers.count)")
    }

    @Test func banksAreUnlikeEachOther() throws {
        let consortium = try Self.consortiums.get()[0]
        func mean(_ bank: Int, _ value: (SyntheticTransaction) -> Double) -> Double {
            let rows = consortium.transactions(of: bank)
            return rows.reduce(0) { $0 + value($1) } / Double(rows.count)
        }
        let amounts = consortium.banks.indices.map { mean($0) { Double($0.amount) } }
        #expect(amounts[2] > 1.5 * amounts[0])
        #expect(amounts[1] < amounts[0])
        let ages = consortium.banks.indices.map { mean($0) { Double($0.age) } }
        #expect(ages[3] > ages[4] + 15)
        let online = consortium.banks.indices.map { mean($0) { $0.channel == .online ? 1 : 0 } }
        #expect(online[4] > 2 * online[3])
        let mornings = consortium.banks.indices.map {
            mean($0) { (7..<12).contains($0.time / 3_600 % 24) ? 1 : 0 }
        }
        #expect(mornings[3] > 1.3 * mornings[4])
    }

    @Test func banksMeetAtTheSameTerminalsMerchantsAndPayees() throws {
        let rows = try Self.consortiums.get()[1].transactions
        func shared(_ key: (SyntheticTransaction) -> Int) -> Double {
            var banks: [Int: Set<Int>] = [:]
            for row in rows where key(row) >= 0 { banks[key(row), default: []].insert(row.bank) }
            return Double(banks.values.count { $0.count > 1 }) / Double(banks.count)
        }
        #expect(shared { $0.terminal } > 0.9)
        #expect(shared { $0.payee } > 0.05)
        let mules = Dictionary(grouping: rows.filter { $0.kind == .mulePayee }, by: \.payee)
        #expect(mules.values.contains { Set($0.map(\.bank)).count >= 3 })
    }

    @Test func timeIsStrictlyIncreasingAndRowsAreNumberedByIt() throws {
        let rows = try SyntheticConsortium(seed: 2, scale: 0.05).transactions
        #expect(zip(rows, rows.dropFirst()).allSatisfy { $0.time < $1.time })
        #expect(rows.enumerated().allSatisfy { $0.offset == $0.element.row })
        #expect(rows.allSatisfy { ($0.payee >= 0) == ($0.channel == .transfer) })
        #expect(rows.allSatisfy { ($0.terminal >= 0) != ($0.channel == .transfer) })
    }

    @Test func partsLieInTimeOrderWithTheLabelDelayBeforeTheTest() {
        let parts = (0..<SyntheticCalendar.days).map { SyntheticCalendar.part(ofDay: $0) }
        #expect(parts.count { $0 == .fit } == 60)
        #expect(parts.lastIndex(of: .fit).map { $0 + 1 } == parts.firstIndex(of: .valid))
        let gap = (parts.firstIndex(of: .test) ?? 0) - (parts.lastIndex(of: .valid) ?? 0) - 1
        #expect(gap == SyntheticCalendar.labelDelayDays)
        #expect(parts.last == .some(.test))
    }

    @Test func filesHoldEveryRowOfTheirPartOnce() throws {
        let consortium = try SyntheticConsortium(seed: 3, scale: 0.02)
        for bank in consortium.banks.indices {
            let rows = consortium.transactions(of: bank)
            for (file, part) in zip(consortium.featureFiles(ofBank: bank), SyntheticPart.allCases) {
                #expect(file.name == "bank_\(consortium.banks[bank].name)_\(part.rawValue).csv")
                let lines = String(decoding: file.bytes, as: UTF8.self).split(separator: "\n")
                #expect(
                    lines.first.map(String.init)
                        == (["row"] + SyntheticFeatures.names + ["fraud"]).joined(separator: ","))
                let expected = rows.filter { SyntheticCalendar.part(ofDay: $0.day) == part }
                let fields = lines.dropFirst().map { $0.split(separator: ",") }
                #expect(fields.map { Int($0[0]) } == expected.map(\.row))
                #expect(fields.map { $0.last == "1" } == expected.map(\.isFraud))
                #expect(fields.allSatisfy { $0.count == SyntheticFeatures.names.count + 2 })
                let digits = fields.joined().map { $0.filter(\.isNumber).drop { $0 == "0" }.count }
                #expect((digits.max() ?? 0) <= 7)
            }
        }
    }

    @Test(arguments: [0.0, 0.009, 21, .nan, .infinity])
    func aScaleOutOfRangeIsRefused(scale: Double) {
        #expect {
            try SyntheticConsortium(seed: 1, scale: scale)
        } throws: { error in
            guard case .scaleOutOfRange = error as? SyntheticError else { return false }
            return true
        }
    }

    @Test func writingPutsTheSameBytesIntoAFolder() throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("synthetic-\(ProcessInfo.processInfo.processIdentifier)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let names = try SyntheticConsortium.write(
            to: folder.path, seed: 5, scale: 0.01, withTransactions: true)
        let files = Self.files(try SyntheticConsortium(seed: 5, scale: 0.01))
        #expect(names == files.map(\.name))
        for file in files {
            let bytes = try Data(contentsOf: folder.appendingPathComponent(file.name))
            #expect(Array(bytes) == file.bytes, "\(file.name)")
        }
    }

    @Test func aFolderThatCannotBeMadeIsAnError() {
        #expect {
            try SyntheticConsortium.write(to: "/dev/null/x", seed: 1, scale: 0.01)
        } throws: { error in
            guard case .cannotWrite(let path, _) = error as? SyntheticError else { return false }
            return path == "/dev/null/x"
        }
    }
}
