import FedCore
import FedCrypto
import FedSimulation
import Testing

/// Lies before the first sum: what the coordinator wants are keys or shares that it knows.
///
/// In each
/// test every honest bank leaves with one reason, and no vector was sent.
@Suite struct HostileSetUpTests {
    private let consortium: ToyConsortium

    init() throws { consortium = try ToyConsortium(bankCount: 5, seed: 31) }

    private var banks: [NodeID] { consortium.banks }

    private func proposed() throws -> HostileCoordinator {
        var hostile = try HostileCoordinator(consortium)
        try hostile.tell(
            banks,
            .proposal(manifest: hostile.manifest.bytes, charter: consortium.charter.bytes))
        return hostile
    }

    private func expectNothingSent(_ hostile: HostileCoordinator) {
        for bank in banks { #expect(hostile.count(bank, kind: "update") == 0) }
    }

    /// A key of E that the coordinator shows to A and B, and another one to C and D.
    @Test func twoKeysOfAColludingBankSplitTheShares() throws {
        var hostile = try proposed()
        let hellos = try hostile.statements(kind: "hello")
        let liar = banks[4]
        let statement = try SignedStatement(bytes: hellos[4])
        let key = try AgreementKey(seed: SecretBytes([UInt8](repeating: 77, count: 32)))
        var others = hellos
        others[4] =
            SignedStatement(
                run: statement.run, author: statement.author, sequence: 0,
                chainHead: statement.chainHead,
                message: .hello(
                    manifestDigest: hostile.manifest.digest, epochKey: key.publicKey),
                key: consortium.identities[liar]
            ).bytes
        try hostile.tell(Array(banks[0..<2]) + [liar], .epoch(hellos: hellos))
        try hostile.tell(Array(banks[2..<4]), .epoch(hellos: others))
        try hostile.tell(banks, .dealing(commitments: hostile.statements(kind: "shares")))
        for (place, bank) in banks.enumerated() {
            try hostile.tell(bank, .parcel(boxes: hostile.boxes(for: place)))
        }
        // The boxes between the two sides do not open; their acknowledgements say why.
        try hostile.tell(
            banks, .agreement(acknowledgements: hostile.statements(kind: "acknowledgement")))
        #expect(hostile.refusal(banks[0]) == .splitView(banks[2]))
        #expect(hostile.refusal(banks[1]) == .splitView(banks[2]))
        #expect(hostile.refusal(banks[2]) == .splitView(banks[0]))
        #expect(hostile.refusal(banks[3]) == .splitView(banks[0]))
        expectNothingSent(hostile)
    }

    @Test func keysOfAnEarlierRunAreRefused() throws {
        let earlier = try proposed()
        let run = try #require(RunID(bytes: [UInt8](repeating: 9, count: 16)))
        var hostile = try HostileCoordinator(consortium, run: run)
        try hostile.tell(
            banks,
            .proposal(manifest: hostile.manifest.bytes, charter: consortium.charter.bytes))
        var hellos = try hostile.statements(kind: "hello")
        hellos[1] = try earlier.statements(kind: "hello")[1]
        try hostile.tell(banks, .epoch(hellos: hellos))
        for bank in banks {
            #expect(
                hostile.refusal(bank)
                    == .protocolViolation("a replayed statement of bank \(banks[1])"))
        }
        expectNothingSent(hostile)
    }

    @Test func oneKeyForTwoBanksIsRefused() throws {
        var hostile = try proposed()
        var hellos = try hostile.statements(kind: "hello")
        let message = try RunMessage(bytes: SignedStatement(bytes: hellos[0]).body)
        hellos[4] =
            SignedStatement(
                run: hostile.manifest.run, author: .bank(banks[4]), sequence: 0,
                chainHead: Transcript(run: hostile.manifest.run, author: .bank(banks[4])).head,
                message: message, key: consortium.identities[banks[4]]
            ).bytes
        try hostile.tell(Array(banks[0..<4]), .epoch(hellos: hellos))
        for bank in banks[0..<4] {
            #expect(hostile.refusal(bank) == .epochKeys("repeatedKey"))
        }
        expectNothingSent(hostile)
    }

    /// With t = 2, E and the first bank that commits would open every gate.
    @Test func charterWithALowThresholdIsRefused() throws {
        let honest = String(decoding: consortium.charter.bytes, as: UTF8.self)
        let text = honest.replacing(
            "\"failure_tolerance\":1", with: "\"failure_tolerance\":3")
        #expect(text != honest)
        var hostile = try HostileCoordinator(consortium)
        try hostile.tell(
            banks, .proposal(manifest: hostile.manifest.bytes, charter: Array(text.utf8)))
        let failure = CharterFailure.tolerance(banks: 5, collusionBound: 1, failureTolerance: 3)
        for bank in banks { #expect(hostile.refusal(bank) == .charter(failure.description)) }
        expectNothingSent(hostile)
    }

    /// Shares that a bank did not commit to, in an otherwise honest dealing.
    @Test func exchangedBoxesAreRefused() throws {
        var hostile = try proposed()
        try hostile.tell(banks, .epoch(hellos: hostile.statements(kind: "hello")))
        try hostile.tell(banks, .dealing(commitments: hostile.statements(kind: "shares")))
        try hostile.tell(banks[0], .parcel(boxes: hostile.boxes(for: 1)))
        #expect(
            hostile.refusal(banks[0])
                == .protocolViolation("the box of bank \(banks[1]) is not the one it sent"))
        expectNothingSent(hostile)
    }
}
