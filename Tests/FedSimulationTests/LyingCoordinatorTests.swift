import FedCore
import FedCrypto
import FedSimulation
import Testing

/// A coordinator, or a network, that says what it should not.
///
/// Each test names the refusal that ends the run at the bank, and no sum is opened afterwards.
@Suite struct LyingCoordinatorTests {
    let consortium: ToyConsortium

    init() throws { consortium = try ToyConsortium(bankCount: 4, seed: 23) }

    /// Replaces the body of a coordinator's statement and signs it anew, as a lying coordinator can.
    private func rewritten(
        _ bytes: [UInt8], by consortium: ToyConsortium,
        _ change: (RunMessage) throws -> RunMessage
    ) rethrows -> [UInt8] {
        guard let statement = try? SignedStatement(bytes: bytes),
            let message = try? RunMessage(bytes: statement.body)
        else { return bytes }
        let told = try change(message)
        return SignedStatement(
            run: statement.run, author: .coordinator, sequence: statement.sequence,
            chainHead: statement.chainHead, message: told,
            key: statement.isSealed || told.kind != message.kind
                ? consortium.coordinatorKey : nil
        ).bytes
    }

    private func outcome(
        at bank: Int = 0, _ tamper: @escaping SimulatedConsortium.Tampering
    ) throws -> NodeRun.Outcome? {
        let result = try consortium.run(tamper: tamper)
        #expect(result.models[consortium.banks[bank]] == nil)
        return result.bankOutcomes[consortium.banks[bank]]
    }

    private func tampering(
        with index: Int, to bank: Int = 0, _ change: @escaping (RunMessage) -> RunMessage
    ) -> SimulatedConsortium.Tampering {
        let victim = consortium.banks[bank]
        return { bytes, bank, place in
            bank == victim && place == index
                ? [self.rewritten(bytes, by: self.consortium, change)] : [bytes]
        }
    }

    /// Changes one bank's hello in the roster of keys.
    private func epoch(
        _ change: @escaping (SignedStatement) -> [UInt8]
    ) -> SimulatedConsortium.Tampering {
        tampering(with: 1) { message in
            guard case .epoch(var hellos) = message,
                let statement = try? SignedStatement(bytes: hellos[2])
            else { return message }
            hellos[2] = change(statement)
            return .epoch(hellos: hellos)
        }
    }

    @Test func swappedKeyIsRefusedForItsSignature() throws {
        let stranger = try SigningKey(seed: SecretBytes([UInt8](repeating: 9, count: 32)))
        let key = try AgreementKey(seed: SecretBytes([UInt8](repeating: 8, count: 32)))
        let outcome = try outcome(
            epoch { statement in
                SignedStatement(
                    run: statement.run, author: statement.author, sequence: 0,
                    chainHead: statement.chainHead,
                    message: .hello(
                        manifestDigest: self.consortium.manifest.digest, epochKey: key.publicKey),
                    key: stranger
                ).bytes
            })
        #expect(outcome == .refused(.badSignature(.bank(consortium.banks[2]))))
    }

    @Test func unsignedKeyIsRefused() throws {
        let outcome = try outcome(
            epoch { Array($0.bytes.dropLast(64)) + [UInt8](repeating: 0, count: 64) })
        #expect(outcome == .refused(.badSignature(.bank(consortium.banks[2]))))
    }

    @Test func lowOrderPointIsRefusedEvenWhenTheBankSignedIt() throws {
        let bank = consortium.banks[2]
        let identity = try #require(consortium.identities[bank])
        let outcome = try outcome(
            epoch { statement in
                SignedStatement(
                    run: statement.run, author: statement.author, sequence: 0,
                    chainHead: statement.chainHead,
                    message: .hello(
                        manifestDigest: self.consortium.manifest.digest,
                        epochKey: [1] + [UInt8](repeating: 0, count: 31)),
                    key: identity
                ).bytes
            })
        #expect(outcome == .refused(.epochKeys("badKey(C)")))
    }

    @Test func ownKeyReplacedByAnEarlierOneIsRefused() throws {
        let bank = consortium.banks[0]
        let identity = try #require(consortium.identities[bank])
        let other = try AgreementKey(seed: SecretBytes([UInt8](repeating: 4, count: 32)))
        let outcome = try outcome(
            tampering(with: 1) { message in
                guard case .epoch(var hellos) = message else { return message }
                hellos[0] =
                    SignedStatement(
                        run: self.consortium.manifest.run, author: .bank(bank), sequence: 0,
                        chainHead: [],
                        message: .hello(
                            manifestDigest: self.consortium.manifest.digest,
                            epochKey: other.publicKey), key: identity
                    ).bytes
                return .epoch(hellos: hellos)
            })
        #expect(outcome == .refused(.epochKeys("ownKeyReplaced")))
    }

    @Test func oneBankToldAnotherModelGetsNoSumOpened() throws {
        let result = try consortium.run(
            tamper: tampering(with: 5) { message in
                guard case .query(let query) = message else { return message }
                let other = Query(
                    round: query.query.round, kind: query.query.kind,
                    body: query.query.body + [1], layout: query.query.layout)
                return .query(Self.changed(query, query: other))
            })
        #expect(
            result.outcome
                == .aborted(
                    .bankViolation(
                        consortium.banks[0], UpdateFailure.contextDiffers.description)))
        #expect(result.models.isEmpty)
    }

    private static func changed(
        _ query: SlotQuery, attempt: UInt32? = nil, isGated: Bool? = nil, places: [Int]? = nil,
        query asked: Query? = nil, receipt: SlotReceipt? = nil
    ) -> SlotQuery {
        SlotQuery(
            slot: query.slot, attempt: attempt ?? query.attempt, isGated: isGated ?? query.isGated,
            gate: query.gate, places: places ?? query.places, query: asked ?? query.query,
            receipt: receipt ?? query.receipt)
    }

    @Test func replayedStatementIsIgnoredAndTheMissingOneComesAgain() throws {
        let victim = consortium.banks[0]
        var proposal: [UInt8] = []
        let result = try consortium.run(tamper: { bytes, bank, index in
            if index == 0 { proposal = bytes }
            return bank == victim && index == 4 ? [proposal] : [bytes]
        })
        #expect(result.model == (try consortium.run().model))
    }

    @Test func anotherStatementUnderAnOldNumberIsRefused() throws {
        let victim = consortium.banks[0]
        let outcome = try outcome { bytes, bank, index in
            guard bank == victim, index == 4, let statement = try? SignedStatement(bytes: bytes)
            else { return [bytes] }
            return [
                SignedStatement(
                    run: statement.run, author: .coordinator, sequence: 1, chainHead: [],
                    message: .truncation(slot: 0), key: self.consortium.coordinatorKey
                ).bytes
            ]
        }
        #expect(outcome == .refused(.protocolViolation("statement 1 came again, and differs")))
    }

    @Test func reorderedStatementsAreAskedForAgain() throws {
        let victim = consortium.banks[0]
        var held: [UInt8] = []
        let result = try consortium.run(tamper: { bytes, bank, index in
            guard bank == victim else { return [bytes] }
            if index == 2 { held = bytes }
            return index == 2 ? [] : index == 3 ? [bytes, held] : [bytes]
        })
        #expect(result.model == (try consortium.run().model))
    }

    @Test func statementThatDoesNotFollowItsForerunnersIsRefused() throws {
        let victim = consortium.banks[0]
        let outcome = try outcome { bytes, bank, index in
            guard bank == victim, index == 5, let statement = try? SignedStatement(bytes: bytes),
                let message = try? RunMessage(bytes: statement.body)
            else { return [bytes] }
            return [
                SignedStatement(
                    run: statement.run, author: .coordinator, sequence: statement.sequence,
                    chainHead: SHA256.hash([1]), message: message,
                    key: self.consortium.coordinatorKey
                ).bytes
            ]
        }
        #expect(
            outcome
                == .refused(.protocolViolation("statement 5 does not follow the ones before it")))
    }

    @Test func commitWithoutTheBanksOwnUploadIsRefused() throws {
        let outcome = try outcome(
            tampering(with: 6) { message in
                guard case .commit(let slot, let attempt, var digests, let certificates) = message
                else { return message }
                digests[0] = SHA256.hash([0])
                return .commit(
                    slot: slot, attempt: attempt, updateDigests: digests,
                    certificates: certificates)
            })
        #expect(outcome == .refused(.commitDiffers))
    }

    @Test func commitWithoutTheUploadOfAnotherBankIsRefused() throws {
        let outcome = try outcome(
            tampering(with: 6) { message in
                guard case .commit(let slot, let attempt, let digests, var certificates) = message
                else { return message }
                certificates[2][0] ^= 1
                return .commit(
                    slot: slot, attempt: attempt, updateDigests: digests,
                    certificates: certificates)
            })
        #expect(outcome == .refused(.splitView(consortium.banks[2])))
    }

    @Test func rosterThatShrinksInsideOfAGroupIsRefused() throws {
        let large = try ToyConsortium(bankCount: 5, seed: 23)
        let victim = large.banks[0]
        let result = try large.run(tamper: { bytes, bank, index in
            guard bank == victim, index == 7 else { return [bytes] }
            return [
                self.rewritten(bytes, by: large) { message in
                    guard case .query(let query) = message else { return message }
                    return .query(Self.changed(query, places: [0, 1, 2]))
                }
            ]
        })
        #expect(
            result.bankOutcomes[victim]
                == .refused(.roster("it differs from the roster that the group began with")))
    }

    @Test func rosterThatSplitsABlocIsRefused() throws {
        let outcome = try outcome(
            tampering(with: 5) { message in
                guard case .query(let query) = message else { return message }
                return .query(Self.changed(query, places: [0, 1, 2]))
            })
        #expect(
            outcome
                == .refused(
                    .roster("it is not a union of whole blocs of at least the charter's size")))
    }

    @Test func gateInsideOfAGroupIsRefused() throws {
        let outcome = try outcome(
            tampering(with: 7) { message in
                guard case .query(let query) = message else { return message }
                return .query(Self.changed(query, isGated: true))
            })
        #expect(outcome == .refused(.protocolViolation("a gate inside of a group")))
    }

    @Test func anotherAttemptAfterTheReleaseIsRefused() throws {
        let victim = consortium.banks[0]
        var asked: SlotQuery?
        let outcome = try outcome { bytes, bank, index in
            guard bank == victim, let statement = try? SignedStatement(bytes: bytes),
                let message = try? RunMessage(bytes: statement.body)
            else { return [bytes] }
            if case .query(let query) = message, index == 5 { asked = query }
            guard index == 7, let asked else { return [bytes] }
            return [
                SignedStatement(
                    run: statement.run, author: .coordinator, sequence: statement.sequence,
                    chainHead: statement.chainHead,
                    message: .query(Self.changed(asked, attempt: 1)),
                    key: self.consortium.coordinatorKey
                ).bytes
            ]
        }
        #expect(
            outcome
                == .refused(.protocolViolation("a further attempt of a slot that was opened")))
    }

    @Test func sharesOfABankOutsideOfTheRosterAreRefused() throws {
        let outcome = try outcome(
            tampering(with: 8) { message in
                .recover(slot: 0, attempt: 0, missing: [1])
            })
        #expect(outcome == .refused(.protocolViolation("a recovery of another attempt")))
    }

    @Test func charterThatProtectsLessThanTheKnownOneIsRefused() throws {
        let known = try Charter(roster: consortium.charter.roster, banksMin: 4)
        let result = try consortium.run(configure: {
            try self.consortium.configuration(of: $0, knownCharter: known)
        })
        #expect(
            result.bankOutcomes[consortium.banks[0]]
                == .refused(.charter("fewer banks in a sum than this bank consented to")))
        #expect(result.models.isEmpty)
    }

    @Test func statementOfAnotherRunIsRefused() throws {
        let other = try ToyConsortium(bankCount: 4, seed: 24)
        let foreign = SignedStatement(
            run: other.manifest.run, author: .coordinator, sequence: 2, chainHead: [],
            message: .agreement(acknowledgements: []), key: consortium.coordinatorKey)
        let victim = consortium.banks[0]
        let outcome = try outcome { bytes, bank, index in
            bank == victim && index == 2 ? [foreign.bytes] : [bytes]
        }
        #expect(outcome == .refused(.protocolViolation("statement of another run")))
    }

    @Test func splitViewOfTheAcknowledgementsIsRefused() throws {
        let bank = consortium.banks[1]
        let identity = try #require(consortium.identities[bank])
        let outcome = try outcome(
            tampering(with: 4) { message in
                guard case .agreement(var acknowledgements) = message else { return message }
                acknowledgements[1] =
                    SignedStatement(
                        run: self.consortium.manifest.run, author: .bank(bank), sequence: 3,
                        chainHead: [],
                        message: .acknowledgement(
                            epochDigest: SHA256.hash([1]), dealingDigest: SHA256.hash([1]),
                            unusable: []),
                        key: identity
                    ).bytes
                return .agreement(acknowledgements: acknowledgements)
            })
        #expect(outcome == .refused(.splitView(bank)))
    }

    @Test func receiptWithoutTheBanksOwnUpdateIsRefused() throws {
        let outcome = try outcome(
            tampering(with: 7) { message in
                guard case .query(let query) = message else { return message }
                var digests = query.receipt.updateDigests
                digests[0] = SHA256.hash([0])
                return .query(
                    Self.changed(
                        query,
                        receipt: SlotReceipt(
                            updateDigests: digests, sumDigest: query.receipt.sumDigest)))
            })
        #expect(outcome == .refused(.receiptDiffers))
    }

    @Test func statementSignedByAStrangerIsRefused() throws {
        let stranger = try SigningKey(seed: SecretBytes([UInt8](repeating: 5, count: 32)))
        let victim = consortium.banks[0]
        let outcome = try outcome { bytes, bank, index in
            guard bank == victim, index == 0 else { return [bytes] }
            let manifest = self.consortium.manifest
            return [
                SignedStatement(
                    run: manifest.run, author: .coordinator, sequence: 0,
                    chainHead: Transcript(run: manifest.run).head,
                    message: .proposal(
                        manifest: manifest.bytes, charter: self.consortium.charter.bytes),
                    key: stranger
                ).bytes
            ]
        }
        #expect(outcome == .refused(.badSignature(.coordinator)))
    }

    @Test func bankWithAnotherStandardRefusesAndBothHashesAreNamed() throws {
        let dissenter = consortium.banks[3]
        let result = try consortium.run(configure: { bank in
            try self.consortium.configuration(
                of: bank, standard: bank == dissenter ? "another" : "standard")
        })
        let expected = SHA256.hash(Array("another".utf8))
        let got = SHA256.hash(Array("standard".utf8))
        let reason = RefusalReason.standardDiffers(expected: expected, got: got)
        #expect(result.outcome == .aborted(.bankRefused(dissenter, reason)))
        #expect(reason.description.contains(expected.hexadecimal))
        #expect(reason.description.contains(got.hexadecimal))
    }

    @Test func changedIdentityKeyOfAnotherBankIsRefused() throws {
        let bank = consortium.banks[2]
        let known = [bank: [UInt8](repeating: 7, count: 32)]
        let result = try consortium.run(configure: {
            try self.consortium.configuration(of: $0, knownKeys: known)
        })
        #expect(
            result.bankOutcomes[consortium.banks[0]] == .refused(.identityKeyChanged(bank)))
        #expect(result.models.isEmpty)
    }

    @Test func statementsTruncatedAtAnyByteAreRefusedAndNeverTrap() throws {
        var statements: [[UInt8]] = []
        _ = try consortium.run(tamper: { bytes, bank, _ in
            if bank == self.consortium.banks[0] { statements.append(bytes) }
            return [bytes]
        })
        #expect(statements.count == 5 + consortium.queries + consortium.rounds + 1)
        let configuration = try consortium.configuration(of: consortium.banks[0])
        for statement in statements {
            for length in 0..<statement.count {
                var node = NodeRun(run: consortium.manifest.run, configuration: configuration)
                let effects = node.handle(.received(Array(statement[..<length])))
                guard case .finish(.refused(let reason)) = effects.last else {
                    Issue.record("no refusal at byte \(length)")
                    return
                }
                #expect(
                    reason == .protocolViolation("malformed statement")
                        || reason == .badSignature(.coordinator))
            }
        }
    }
}
