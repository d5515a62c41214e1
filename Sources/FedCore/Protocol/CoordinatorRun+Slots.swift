internal import FedCrypto

// Groups and their slots.
extension CoordinatorRun {
    /// Asks the learner what is next.
    mutating func advance() -> [Effect] {
        let step: JointStep
        do {
            step = try learner.next()
        } catch {
            return abort(.learning(error.description))
        }
        switch step {
        case .query(let query):
            guard groups.isStart(query) else {
                guard let places = slot?.places, let attempt = slot?.attempt else {
                    return abort(.learning("a query before any group"))
                }
                return ask(query, places: places, attempt: attempt, isGated: false)
            }
            pendingQuery = query
            phase = .forming
            return form()
        case .finished(let model):
            self.model = model
            phase = .delivering
            // Those who were left out learn of the model too, and are not waited for.
            waiting = expected
            let outcome = say(.outcome(model: model.bytes, receipt: receipt))
            // After a last tree cut short for banks of every bloc, nobody is left to wait for.
            if waiting.isEmpty { return [outcome] + end() }
            return [outcome, nextDeadline(), report()] + holdForAbsent()
        }
    }

    /// Begins the pending group as soon as all banks are there that should be.
    mutating func form() -> [Effect] {
        if let blame, roster(of: eligible.filter { !isExcluded($0) }) == nil {
            return abort(blame)
        }
        guard expected.allSatisfy(isPresent), let places = presentRoster() else {
            return [nextDeadline()] + holdBack(for: waitingFor)
        }
        return decide(.roster(places))
    }

    /// The whole blocs that are here, if they are enough for a group.
    func presentRoster() -> [Int]? {
        roster(of: eligible.filter(isPresent))
    }

    func roster(of banks: Set<NodeID>) -> [Int]? {
        let chosen = charter.wholeBlocs(in: banks)
        let least =
            manifest.algorithm.needsWholeRoster
            ? manifest.roster.members.count : manifest.algorithm.contributorsMin
        guard charter.permits(chosen), chosen.count >= least else { return nil }
        return manifest.roster.places(of: chosen)
    }

    /// Asks the pending query of the roster decided upon.
    mutating func beginGroup(places: [Int]) -> [Effect] {
        guard let query = pendingQuery, phase == .forming,
            let roster = manifest.roster.choosing(places)
        else { return [] }
        pendingQuery = nil
        expected = Set(roster.banks)
        return ask(query, places: places, attempt: 0, isGated: true)
    }

    /// Asks for a sum, or for one more attempt of it when `attempt` is above 0.
    mutating func ask(
        _ query: Query, places: [Int], attempt: UInt32, isGated: Bool
    ) -> [Effect] {
        guard let roster = manifest.roster.choosing(places) else { return [] }
        if isGated {
            guard Int(gates) < manifest.gates else { return abort(.gatesExhausted) }
        }
        let isRetry = isGated && attempt > 0
        if !isRetry { groups.advance(by: query) }
        let number = isRetry ? slots - 1 : slots
        slots = number + 1
        let effect = say(
            .query(
                SlotQuery(
                    slot: number, attempt: attempt, isGated: isGated, gate: isGated ? gates : 0,
                    places: places, query: query, receipt: receipt)))
        let context = SlotContext(
            manifestDigest: manifest.digest, epochDigest: epochDigest, group: groups.count - 1,
            groupID: groups.id, attempt: attempt, slot: number, layout: query.layout,
            transcriptHead: transcript.head, roster: roster)
        slot = OpenSlot(
            number: number, attempt: attempt, isGated: isGated, gate: gates, places: places,
            roster: roster, query: query, context: context.digest,
            accumulator: SlotAccumulator(context: context, isGated: isGated),
            saidBefore: UInt64(said.count))
        if isGated { gates += 1 }
        for place in places {
            banks[place].owed.append(Asked(slot: number, attempt: attempt))
        }
        phase = .uploads
        let asked = [effect, nextDeadline(), report()]
        let without = goOnWithoutExcluded()
        return asked + (without.isEmpty ? holdForAbsent() : without)
    }

    mutating func add(_ upload: Upload, place: Int, from bank: NodeID) -> [Effect] {
        guard let index = banks[place].owed.firstIndex(of: upload.asked) else {
            return violation(place, "an update of \(upload.asked), which it does not owe")
        }
        banks[place].owed.removeFirst(index + 1)
        banks[place].answered = upload.asked
        // Numbers only: whoever holds the slot itself makes the sums be copied when they change.
        guard let (asked, isGated, saidBefore) = openSlot, upload.asked == asked else {
            return stale(bank, upload.asked)
        }
        // In a replay too: the journal has what was accepted, and then found to be a violation.
        if isGated {
            guard
                UploadCertificate.holds(
                    upload.certificate, context: upload.context,
                    member: manifest.roster.members[place], run: manifest.run)
            else { return exclude(.bankViolation(bank, "its certificate does not verify")) }
        }
        do throws(UpdateFailure) {
            try slot?.accumulator.add(
                contextDigest: upload.context, laneBytes: upload.lanes, from: bank,
                digest: upload.digest)
        } catch {
            return exclude(.bankViolation(bank, error.description))
        }
        if isGated { slot?.certificates[bank] = upload.certificate }
        confirm(bank, saidBefore)
        guard slot?.accumulator.missing.isEmpty == true else { return [report()] }
        return isGated ? commit() : openSum()
    }

    private var openSlot: (asked: Asked, isGated: Bool, saidBefore: UInt64)? {
        guard let open = slot, open.isOpen(in: phase) else { return nil }
        return (open.asked, open.isGated, open.saidBefore)
    }

    /// Whether a bank speaks of the sum that it answered last, as it must: a statement about another
    /// one would be taken for a late one, and the right one be waited for in vain.
    private func isAnswered(_ asked: Asked, by place: Int) -> Bool {
        guard asked.slot < slots else { return false }
        return banks[place].answered.map { $0 == asked } ?? true
    }

    private mutating func commit() -> [Effect] {
        guard let open = slot else { return [] }
        phase = .releases
        let effect = say(
            .commit(
                slot: open.number, attempt: open.attempt,
                updateDigests: open.accumulator.orderedDigests,
                certificates: open.roster.banks.map { open.certificates[$0] ?? [] }))
        slot?.saidBefore = UInt64(said.count)
        return [effect, nextDeadline(), report()] + holdForAbsent()
    }

    mutating func release(
        seed: [UInt8], of asked: Asked, place: Int, bank: NodeID
    ) -> [Effect] {
        guard isAnswered(asked, by: place) else {
            return violation(place, "a release of \(asked), which it has not answered last")
        }
        guard let open = slot, phase == .releases, asked == open.asked,
            open.accumulator.stillGated.contains(bank)
        else { return stale(bank, asked) }
        let seed = SecretBytes(seed)
        guard isGate(seed, of: place, gate: Int(open.gate)) else {
            return exclude(.bankViolation(bank, "its gate seed is not the one it committed to"))
        }
        confirm(bank, open.saidBefore)
        return ungate(bank, seed)
    }

    mutating func recover(
        _ shares: [RecoveredShare], of asked: Asked, holder: Int, bank: NodeID
    ) -> [Effect] {
        guard isAnswered(asked, by: holder) else {
            return violation(holder, "shares for \(asked), which it has not answered last")
        }
        guard let open = slot, phase == .releases, asked == open.asked else {
            return stale(bank, asked)
        }
        var effects: [Effect] = []
        for share in shares {
            guard let commitment = commitments[share.dealer],
                share.isDealt(
                    to: holder, gate: Int(open.gate), of: manifest.gates, by: commitment)
            else {
                return effects
                    + exclude(.bankViolation(bank, "its share is not the one dealt to it"))
            }
            guard phase == .releases, var known = slot?.recovering[share.dealer],
                !known.contains(where: { Int($0.index) == holder + 1 })
            else { continue }
            known.append(share.secret(of: holder))
            slot?.recovering[share.dealer] = known
            let dealer = manifest.roster.banks[share.dealer]
            guard known.count == charter.threshold,
                slot?.accumulator.stillGated.contains(dealer) == true
            else { continue }
            guard
                let seed = try? SecretSharing.reconstruct(known, threshold: charter.threshold),
                isGate(seed, of: share.dealer, gate: Int(open.gate))
            else { return abort(.gateDiffers(dealer)) }
            effects += ungate(dealer, seed)
        }
        return effects
    }

    private func isGate(_ seed: SecretBytes, of dealer: Int, gate: Int) -> Bool {
        guard seed.count == 32, let digests = seedDigests[dealer] else { return false }
        return GateCommitment.leaf(of: seed, gate: gate, dealer: dealer)
            == Array(digests[(gate * 32)..<(gate * 32 + 32)])
    }

    private mutating func ungate(_ bank: NodeID, _ seed: SecretBytes) -> [Effect] {
        slot?.accumulator.ungate(bank, seed: seed)
        return slot?.accumulator.stillGated.isEmpty == true
            ? openSum() : [report()] + goOnWithoutExcluded()
    }

    /// Opens the sum and gives it to the learner.
    private mutating func openSum() -> [Effect] {
        guard let open = slot else { return [] }
        do {
            let aggregate = try open.accumulator.open()
            receipt = SlotReceipt(
                updateDigests: open.accumulator.orderedDigests,
                sumDigest: aggregate.digest)
            phase = .forming
            if groups.count == 1 { eligible = Set(open.roster.banks) }
            try learner.absorb(aggregate)
        } catch let failure as UpdateFailure {
            if failure == .checkLanesDiffer { return abort(.garbledSum(slot: Int(open.number))) }
            return abort(.learning(failure.description))
        } catch let error as LearningError {
            return abort(.learning(error.description))
        } catch {
            return abort(.learning("\(error)"))
        }
        return advance()
    }

    private func stale(_ bank: NodeID, _ asked: Asked) -> [Effect] {
        [.note(Notice(.debug, "bank \(bank): too late for \(asked)"))]
    }

    mutating func confirm(_ bank: NodeID, _ count: UInt64) {
        guard let place = manifest.roster.index(of: bank) else { return }
        banks[place].mustHave = max(banks[place].mustHave, count)
    }
}

extension CoordinatorRun.OpenSlot {
    var asked: CoordinatorRun.Asked { CoordinatorRun.Asked(slot: number, attempt: attempt) }

    /// Whether the slot is still to be summed.
    func isOpen(in phase: CoordinatorRun.Phase) -> Bool {
        phase == .uploads || phase == .releases
    }
}

extension Aggregate {
    /// SHA-256 of the sums, eight bytes a lane, least significant first.
    var digest: [UInt8] {
        integers.withUnsafeBufferPointer { lanes in
            #if _endian(little)
                return SHA256.hash(UnsafeRawBufferPointer(lanes))
            #else
                return lanes.map(\.littleEndian).withUnsafeBytes { SHA256.hash($0) }
            #endif
        }
    }
}
