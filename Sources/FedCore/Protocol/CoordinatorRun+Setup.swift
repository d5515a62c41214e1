internal import FedCrypto

// The epoch's set-up, and what is said to banks.
extension CoordinatorRun {
    mutating func begin() -> [Effect] {
        phase = .hellos
        return [
            say(.proposal(manifest: manifest.bytes, charter: charter.bytes)), nextDeadline(),
            report(),
        ]
    }

    mutating func collectHello(_ bytes: [UInt8], place: Int) -> [Effect] {
        collected[place] = bytes
        return waitingFor.isEmpty ? concludeSetUpPhase() : [report()]
    }

    /// The set-up goes on with these banks.
    mutating func narrow(to places: [Int]) -> [Effect] {
        participants = Set(places)
        expected = Set(places.map { manifest.roster.banks[$0] })
        eligible = expected
        collected = collected.filter { participants.contains($0.key) }
        boxes = boxes.filter { participants.contains($0.key) }
        complaints = complaints.filter { participants.contains($0.key) }
        guard phase != .idle else { return [] }
        return waitingFor.isEmpty ? concludeSetUpPhase() : resumeIfPresent()
    }

    /// All banks that take part have answered.
    private mutating func concludeSetUpPhase() -> [Effect] {
        if phase == .acknowledgements, let (place, reason) = culprit() {
            return decide(.excluded(place, reason))
        }
        let ordered = banks.indices.map { collected[$0] ?? [] }
        collected = [:]
        switch phase {
        case .hellos:
            epochDigest = NodeRun.epochDigest(ordered)
            phase = .dealings
            return [say(.epoch(hellos: ordered)), nextDeadline(), report()] + holdForAbsent()
        case .dealings:
            dealingDigest = NodeRun.dealingDigest(ordered)
            let dealing = say(.dealing(commitments: ordered))
            let parcels = sayEach(
                banks.indices.map { holder in
                    .parcel(boxes: banks.indices.map { boxes[$0]?[holder] ?? [] })
                })
            boxes = [:]
            phase = .acknowledgements
            return [dealing] + parcels + [nextDeadline(), report()] + holdForAbsent()
        default: return [say(.agreement(acknowledgements: ordered))] + advance()
        }
    }

    mutating func collect(
        _ commitment: GateCommitment, statement: [UInt8], place: Int
    ) -> [Effect] {
        guard commitment.boxDigests.count == banks.count,
            commitment.shareRoots.count == banks.count, commitments[place] == nil
        else { return violation(place, "its commitment does not fit the roster") }
        commitments[place] = commitment
        collected[place] = statement
        return []
    }

    mutating func collect(boxes: [[UInt8]], seedDigests: [UInt8], place: Int) -> [Effect] {
        guard let commitment = commitments[place], self.boxes[place] == nil,
            boxes.map({ SHA256.hash($0) }) == commitment.boxDigests,
            seedDigests.count == 32 * manifest.gates,
            MerkleTree(leaves: Self.digests(in: seedDigests)).root == commitment.seedRoot
        else { return violation(place, "its boxes are not those it committed to") }
        self.boxes[place] = boxes
        self.seedDigests[place] = seedDigests
        return waitingFor.isEmpty ? concludeSetUpPhase() : [report()]
    }

    mutating func collectAcknowledgement(_ bytes: [UInt8], place: Int) -> [Effect] {
        collected[place] = bytes
        return waitingFor.isEmpty ? concludeSetUpPhase() : [report()]
    }

    static func digests(in bytes: [UInt8]) -> [[UInt8]] {
        stride(from: 0, to: bytes.count, by: 32).map { Array(bytes[$0..<($0 + 32)]) }
    }

    // MARK: Saying

    mutating func say(_ message: RunMessage) -> Effect {
        let statement = SignedStatement(
            run: manifest.run, author: .coordinator, sequence: UInt64(said.count),
            chainHead: transcript.head, message: message, key: message.needsSeal ? key : nil)
        said.append(.common(statement.bytes, kind: message.kind))
        transcript.append(digest: statement.digest)
        return .broadcast(statement.bytes, kind: message.kind)
    }

    private mutating func sayEach(_ messages: [RunMessage]) -> [Effect] {
        let statements = messages.map {
            SignedStatement(
                run: manifest.run, author: .coordinator, sequence: UInt64(said.count),
                chainHead: transcript.head, message: $0, key: nil
            ).bytes
        }
        let kind = messages.first?.kind ?? ""
        said.append(.each(statements, kind: kind))
        return zip(manifest.roster.banks, statements).map { .send($1, to: $0, kind: kind) }
    }

    mutating func nextDeadline() -> Effect {
        phaseNumber += 1
        isHeld = false
        return .setDeadline(phase: phaseNumber)
    }

    func report() -> Effect {
        .progress(
            Progress(
                phase: phaseName, isHeld: isHeld, slots: Int(slots),
                roster: slot?.roster.banks ?? manifest.roster.banks, learner: learner.progress,
                waitingFor: waitingFor))
    }

    var phaseName: String {
        switch phase {
        case .idle: "start"
        case .hellos: "consent"
        case .dealings: "sharing of gates"
        case .acknowledgements: "key agreement"
        case .forming: "start of a group"
        case .uploads: "slot \(slot?.number ?? 0)"
        case .releases: "release of slot \(slot?.number ?? 0)"
        case .delivering: "delivery of the model"
        case .ended: "end"
        }
    }

    /// Banks that the phase waits for, sorted.
    package var waitingFor: [NodeID] {
        let all = manifest.roster.banks
        switch phase {
        case .idle, .ended: return []
        case .hellos, .acknowledgements:
            return participants.sorted().filter { collected[$0] == nil }.map { all[$0] }
        case .dealings:
            return participants.sorted().filter { boxes[$0] == nil }.map { all[$0] }
        case .forming:
            let needed = presentRoster() == nil ? eligible : expected
            return needed.filter { !isPresent($0) && !isExcluded($0) }.sorted()
        case .uploads: return slot?.accumulator.missing ?? []
        case .releases: return slot?.accumulator.stillGated ?? []
        case .delivering: return waiting.sorted()
        }
    }

    func isPresent(_ bank: NodeID) -> Bool {
        manifest.roster.index(of: bank).map { banks[$0].isPresent } ?? false
    }

    mutating func violation(_ place: Int, _ what: String) -> [Effect] {
        exclude(.bankViolation(manifest.roster.banks[place], what))
    }

    mutating func end() -> [Effect] {
        phase = .ended
        guard let model else { return [] }
        return [.finish(.model(model, slots: Int(slots)))]
    }

    mutating func abort(_ reason: AbortReason) -> [Effect] {
        // When the model is out already, only confirmations are missing.
        phase == .delivering
            ? [.note(Notice(.warning, reason.description))] + decide(.delivered)
            : decide(.aborted(reason))
    }
}
