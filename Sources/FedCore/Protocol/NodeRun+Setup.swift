internal import FedCrypto

// The epoch's set-up: consent, key agreement, and the sharing of gate seeds.
extension NodeRun {
    mutating func consider(
        manifest bytes: [UInt8], charter charterBytes: [UInt8]
    ) throws(RefusalReason) -> [Effect] {
        let manifest: Manifest
        do {
            manifest = try Manifest(bytes: bytes)
        } catch {
            throw .manifest("\(error)")
        }
        guard manifest.run == run else { throw .manifest("it is of another run") }
        guard manifest.standardDigest == configuration.standardDigest else {
            throw .standardDiffers(
                expected: configuration.standardDigest, got: manifest.standardDigest)
        }
        let charter = try consider(charter: charterBytes, manifest: manifest)
        guard let place = manifest.roster.index(of: configuration.bank),
            manifest.roster.members[place].identityKey == configuration.identity.publicKey
        else { throw .notInRoster }
        for member in manifest.roster.members {
            if let known = configuration.knownKeys[member.bank], known != member.identityKey {
                throw .identityKeyChanged(member.bank)
            }
        }
        guard configuration.rowCount <= manifest.rowsMax else {
            throw .tooManyRows(rowsMax: manifest.rowsMax)
        }
        let root = HKDF.extract(salt: run.bytes, inputKey: configuration.runSeed)
        let key: AgreementKey
        do {
            key = try AgreementKey(
                seed: HKDF.expand(root, info: Array("fed/v1/epoch-key".utf8), count: 32))
        } catch {
            throw .epochKeys("\(error)")
        }
        consent = Consent(
            manifest: manifest, charter: charter, ownPlace: place, key: key,
            dealer: GateDealer(
                root: HKDF.expand(root, info: Array("fed/v1/gates".utf8), count: 32),
                count: manifest.gates, threshold: charter.threshold,
                bankCount: manifest.roster.members.count, place: place))
        do {
            safety = SafetyKernel(
                try charter.safetyParameters(own: place),
                replaying: configuration.safetyEntries + restoredSafety)
        } catch {
            throw .charter("\(error)")
        }
        groups = GroupSequence(manifest: manifest)
        phase = .epoch
        let hello = RunMessage.hello(manifestDigest: manifest.digest, epochKey: key.publicKey)
        return [.consented(manifest, charter)] + send(hello)
    }

    private func consider(
        charter bytes: [UInt8], manifest: Manifest
    ) throws(RefusalReason) -> Charter {
        let charter: Charter
        do {
            charter = try Charter(bytes: bytes)
        } catch {
            throw .charter(error.description)
        }
        guard charter.digest == manifest.charterDigest, charter.roster == manifest.roster else {
            throw .charter("the manifest is not of this charter")
        }
        if let known = configuration.knownCharter, let what = charter.weakening(of: known) {
            throw .charter("\(what) than this bank consented to")
        }
        if let what = manifest.algorithm.violation(of: charter) { throw .charter(what) }
        return charter
    }

    mutating func agree(on hellos: [[UInt8]]) throws(RefusalReason) -> [Effect] {
        guard let consent else { return [] }
        let bodies = try verifiedBodies(of: hellos, sequence: 0)
        var publicKeys: [NodeID: [UInt8]] = [:]
        for (place, body) in bodies {
            let bank = consent.manifest.roster.banks[place]
            guard case .hello(let digest, let epochKey) = body else {
                throw .protocolViolation("bank \(bank) has no epoch key in the roster")
            }
            guard digest == consent.manifest.digest else { throw .splitView(bank) }
            publicKeys[bank] = epochKey
        }
        let roster = try narrow(to: bodies.map(\.place))
        epochDigest = Self.epochDigest(hellos)
        phase = .dealing
        guard takesPart else { return [] }
        do {
            let keys = try EpochKeys(
                own: configuration.bank, key: consent.key, publicKeys: publicKeys,
                roster: roster, digest: epochDigest)
            self.keys = keys
            return try deal(consent, keys)
        } catch {
            throw .epochKeys("\(error)")
        }
    }

    /// Whether this bank is in the epoch, as far as it has come.
    var takesPart: Bool { consent.map { participants.contains($0.ownPlace) } ?? false }

    /// The epoch goes on with these banks: whole blocs, and enough of them for a roster.
    private mutating func narrow(to places: [Int]) throws(RefusalReason) -> Roster {
        guard let consent, let roster = consent.manifest.roster.choosing(places),
            consent.charter.permits(roster.banks),
            participants.isEmpty || Set(places).isSubset(of: participants)
        else {
            throw .roster("the epoch's banks are not whole blocs of at least the charter's size")
        }
        participants = places
        return roster
    }

    private mutating func deal(_ consent: Consent, _ keys: EpochKeys) throws -> [Effect] {
        let leaves = consent.dealer.leaves()
        let dealt = try consent.dealer.deal()
        var boxes: [[UInt8]] = []
        for (place, member) in consent.manifest.roster.members.enumerated() {
            boxes.append(
                place == consent.ownPlace || !participants.contains(place)
                    ? [] : try keys.seal(dealt[place], to: member.bank))
        }
        let commitment = GateCommitment(
            seedRoot: MerkleTree(leaves: leaves).root,
            shareRoots: dealt.map { GateCommitment.tree(of: $0).root },
            boxDigests: boxes.map { SHA256.hash($0) })
        return send(.shares(GateShares(commitment: commitment)))
            + send(.boxes(boxes, seedDigests: leaves.flatMap { $0 }))
    }

    mutating func take(commitments statements: [[UInt8]]) throws(RefusalReason) -> [Effect] {
        guard let consent else { return [] }
        let count = consent.manifest.roster.members.count
        let bodies = try verifiedBodies(of: statements, sequence: 1)
        for (place, body) in bodies {
            guard case .shares(let shares) = body, shares.commitment.shareRoots.count == count,
                shares.commitment.boxDigests.count == count
            else { throw .gateShares(consent.manifest.roster.banks[place]) }
            commitments[place] = shares.commitment
        }
        _ = try narrow(to: bodies.map(\.place))
        guard !takesPart || SHA256.hash(statements[consent.ownPlace]) == outbox[1].digest else {
            throw .splitView(configuration.bank)
        }
        dealingDigest = Self.dealingDigest(statements)
        phase = .parcel
        return []
    }

    mutating func take(boxes: [[UInt8]]) throws(RefusalReason) -> [Effect] {
        guard let consent else { return [] }
        let members = consent.manifest.roster.members
        guard boxes.count == members.count else {
            throw .protocolViolation("\(boxes.count) boxes of \(members.count) banks")
        }
        phase = .agreement
        guard let keys, takesPart else { return [] }
        held = Array(repeating: nil, count: members.count)
        var unusable: [Int] = []
        for place in participants where place != consent.ownPlace {
            let bank = members[place].bank
            guard let commitment = commitments[place],
                SHA256.hash(boxes[place]) == commitment.boxDigests[consent.ownPlace]
            else { throw .protocolViolation("the box of bank \(bank) is not the one it sent") }
            // Shares only serve to recover the dealer's gate: whoever dealt bad ones is named, and
            // nobody else has to leave.
            guard let shares = try? keys.open(boxes[place], from: bank),
                shares.count == 32 * consent.manifest.gates,
                GateCommitment.tree(of: shares).root == commitment.shareRoots[consent.ownPlace]
            else {
                unusable.append(place)
                continue
            }
            held[place] = shares
        }
        let notes = unusable.map { place in
            Effect.note(
                Notice(.error, RefusalReason.gateShares(members[place].bank).description))
        }
        return notes
            + send(
                .acknowledgement(
                    epochDigest: epochDigest, dealingDigest: dealingDigest, unusable: unusable))
    }

    mutating func verify(_ acknowledgements: [[UInt8]]) throws(RefusalReason) -> [Effect] {
        let bodies = try verifiedBodies(of: acknowledgements, sequence: 3)
        for (place, body) in bodies {
            guard case .acknowledgement(let epoch, let dealing, _) = body, epoch == epochDigest,
                dealing == dealingDigest
            else { throw .splitView(consent?.manifest.roster.banks[place] ?? configuration.bank) }
        }
        _ = try narrow(to: bodies.map(\.place))
        // The boxes have arrived, or no bank could have acknowledged them.
        lapse(2)
        phase = .running
        guard takesPart else {
            return flush() + [.note(Notice(.warning, "the run goes on without this bank's bloc"))]
        }
        return [.note(Notice(.info, "all banks acknowledge the same epoch"))]
    }

    /// SHA-256 over all hellos in roster order; `T_e` in the design.
    package static func epochDigest(_ hellos: [[UInt8]]) -> [UInt8] {
        digest("fed/v1/epoch", hellos)
    }

    /// SHA-256 over all commitments in roster order.
    package static func dealingDigest(_ commitments: [[UInt8]]) -> [UInt8] {
        digest("fed/v1/dealing", commitments)
    }

    private static func digest(_ label: String, _ statements: [[UInt8]]) -> [UInt8] {
        var writer = ByteWriter()
        writer.write(label)
        writer.writeEach(statements) { $0.write($1) }
        return SHA256.hash(writer.bytes)
    }

    /// Verifies one statement of every bank that takes part, in roster order; in the place of the
    /// others there is nothing.
    private func verifiedBodies(
        of statements: [[UInt8]], sequence: UInt64
    ) throws(RefusalReason) -> [(place: Int, message: RunMessage)] {
        guard let roster = consent?.manifest.roster, statements.count == roster.members.count else {
            throw .protocolViolation(
                "\(statements.count) statements for a roster of "
                    + "\(consent?.manifest.roster.members.count ?? 0)")
        }
        var bodies: [(place: Int, message: RunMessage)] = []
        for (place, member) in roster.members.enumerated() where !statements[place].isEmpty {
            let bytes = statements[place]
            let statement: SignedStatement
            let message: RunMessage
            do {
                statement = try SignedStatement(bytes: bytes)
                message = try RunMessage(bytes: statement.body)
            } catch {
                throw .protocolViolation("malformed statement of bank \(member.bank)")
            }
            guard statement.author == .bank(member.bank),
                isRestoring || statement.isSigned(by: member.identityKey)
            else { throw .badSignature(.bank(member.bank)) }
            guard statement.run == run, statement.sequence == sequence else {
                throw .protocolViolation("a replayed statement of bank \(member.bank)")
            }
            bodies.append((place, message))
        }
        return bodies
    }
}
