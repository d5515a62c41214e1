internal import FedCrypto

// Groups and their slots.
extension NodeRun {
    mutating func begin(
        _ query: SlotQuery, headBefore: [UInt8]
    ) throws(RefusalReason) -> [Effect] {
        guard let consent, let roster = consent.manifest.roster.choosing(query.places) else {
            throw .roster("its places are not those of at least three banks")
        }
        guard consent.charter.permits(roster.banks) else {
            throw .roster("it is not a union of whole blocs of at least the charter's size")
        }
        guard
            !consent.manifest.algorithm.needsWholeRoster
                || roster.members.count == consent.manifest.roster.members.count
        else { throw .roster("it has not all banks of the run") }
        guard Set(query.places).isSubset(of: participants) else {
            throw .roster("it has banks that have not acknowledged the epoch")
        }
        let isMember = query.places.contains(consent.ownPlace)
        if let open = current, query.slot == open.query.slot {
            return try retry(query, roster: roster, isMember: isMember, open: open)
        }
        try checkNew(query, roster: roster)
        try verify(query.receipt)
        if query.isGated {
            if groups?.count ?? 0 > 0 { keys?.ratchet(transcriptHead: headBefore) }
            try takeGate(query)
        }
        groups?.advance(by: query.query)
        lapse(current?.upload)
        slots += 1
        isTruncated = false
        open(query, roster: roster, isMember: isMember)
        try admit()
        if isRestoring {
            restoredQueries?.append((query.query, query.slot))
            return []
        }
        return isMember
            ? [
                .compute(
                    query.query, slot: query.slot, contributors: roster.members.count)
            ]
            : flush() + [.replay(query.query)]
    }

    /// The rules for a query that is not a further attempt.
    private func checkNew(_ query: SlotQuery, roster: Roster) throws(RefusalReason) {
        guard query.slot == slots else {
            throw .protocolViolation("slot \(query.slot) came where \(slots) was due")
        }
        let isStart = groups?.isStart(query.query) ?? false
        guard query.isGated == isStart else {
            throw .protocolViolation(
                isStart ? "a group begins without a gate" : "a gate inside of a group")
        }
        if let open = current, open.query.isGated, !open.isCommitted {
            throw .protocolViolation("slot \(query.slot) before the commit of the one before")
        }
        if isStart {
            guard query.attempt == 0 else {
                throw .protocolViolation("a group begins with attempt \(query.attempt)")
            }
            return
        }
        guard !isTruncated, let open = current else {
            throw .protocolViolation("a truncated group goes on")
        }
        guard query.attempt == open.query.attempt, roster == open.roster else {
            throw .roster("it differs from the roster that the group began with")
        }
    }

    /// A further attempt of a group's first slot, with fewer banks.
    private mutating func retry(
        _ query: SlotQuery, roster: Roster, isMember: Bool, open: OpenSlot
    ) throws(RefusalReason) -> [Effect] {
        guard open.query.isGated, !open.isCommitted else {
            throw .protocolViolation("a further attempt of a slot that was opened")
        }
        guard query.isGated, query.attempt == open.query.attempt + 1,
            query.query == open.query.query, query.receipt == open.query.receipt
        else { throw .protocolViolation("a further attempt asks for something else") }
        guard roster.members.count < open.roster.members.count,
            Set(roster.banks).isSubset(of: open.roster.banks)
        else { throw .roster("a further attempt has banks that the one before had not") }
        try takeGate(query)
        lapse(open.upload)
        let vector = open.vector
        self.open(query, roster: roster, isMember: isMember)
        try admit()
        current?.vector = isMember ? vector : nil
        return isMember ? upload() : flush()
    }

    private mutating func takeGate(_ query: SlotQuery) throws(RefusalReason) {
        guard query.gate == gates, Int(gates) < consent?.manifest.gates ?? 0 else {
            throw .protocolViolation("gate \(query.gate) came where \(gates) was due")
        }
        gates += 1
    }

    /// Takes part in an attempt, if the safety rules allow it.
    private mutating func admit() throws(RefusalReason) {
        guard let open = current, open.isMember, open.query.isGated, !isRestoring else { return }
        let attempt = attemptID(of: open)
        do throws(SafetyViolation) {
            let entries = try safety?.admit(attempt, roster: open.query.places) ?? []
            unpersisted += entries.map { .safety($0) }
        } catch {
            throw .safety(error.description)
        }
    }

    /// The attempt as the safety rules know it: the group for this version of this bank's rows.
    private func attemptID(of open: OpenSlot) -> AttemptID {
        AttemptID(
            epoch: open.context.epochDigest,
            group: SHA256.hash(
                Array("fed/v1/dataset-group".utf8) + configuration.datasetDigest
                    + open.context.groupID),
            gate: gates - 1)
    }

    /// Nothing more of this epoch.
    mutating func closeEpoch() {
        guard !epochDigest.isEmpty, !isRestoring else { return }
        unpersisted += (safety?.close(epoch: epochDigest) ?? []).map { .safety($0) }
    }

    private mutating func open(_ query: SlotQuery, roster: Roster, isMember: Bool) {
        guard let consent, let groups else { return }
        progress.slots = Int(query.slot) + 1
        progress.rounds = max(progress.rounds, query.query.round)
        progress.leftOut.formUnion(Set(consent.manifest.roster.banks).subtracting(roster.banks))
        let context = SlotContext(
            manifestDigest: consent.manifest.digest, epochDigest: epochDigest,
            group: groups.count - 1, groupID: groups.id, attempt: query.attempt, slot: query.slot,
            layout: query.query.layout, transcriptHead: transcript.head, roster: roster)
        current = OpenSlot(query: query, roster: roster, isMember: isMember, context: context)
    }

    /// The receipt of the slot before must hold this bank's own update, in its place.
    private mutating func verify(_ receipt: SlotReceipt) throws(RefusalReason) {
        guard let open = current else {
            guard receipt == .none else { throw .receiptDiffers }
            return
        }
        guard receipt.updateDigests.count == open.roster.members.count,
            receipt.sumDigest.count == 32
        else { throw .receiptDiffers }
        guard open.isMember else { return }
        guard let place = open.roster.index(of: configuration.bank), let upload = open.upload,
            receipt.updateDigests[place] == outbox[upload].digest
        else { throw .receiptDiffers }
    }

    mutating func answer(_ vector: EncodedVector, slot: UInt32) -> [Effect] {
        guard phase == .running, let open = current, open.query.slot == slot else { return [] }
        guard vector.layout == open.query.query.layout else {
            return refuse(.learning("the answer has another layout than the query"))
        }
        guard open.isMember, !open.isCommitted else { return [] }
        current?.vector = vector
        return upload()
    }

    /// Masks and sends the vector, or the same bytes again.
    private mutating func upload() -> [Effect] {
        guard let open = current, let vector = open.vector, let keys, let consent else {
            return []
        }
        let isGated = open.query.isGated
        let update = keys.mask(
            vector, context: open.context,
            gate: isGated ? consent.dealer.seed(of: Int(open.query.gate)) : nil)
        // Only a group's first vector can be asked for again, with another roster.
        if !isGated { current?.vector = nil }
        let certificate =
            isGated
            ? UploadCertificate.sign(
                context: update.contextDigest, bank: configuration.bank, run: run,
                key: configuration.identity) : []
        let place = open.upload ?? outbox.count
        let statement = SignedStatement(
            run: run, author: .bank(configuration.bank), sequence: UInt64(place),
            chainHead: open.upload.map { outbox[$0].chainHead } ?? chain.head,
            message: .update(
                slot: open.query.slot, attempt: open.query.attempt,
                contextDigest: update.contextDigest, laneBytes: update.laneBytes,
                certificate: certificate),
            key: nil)
        let entry = uploadEntry(statement.digest, bytes: statement.bytes.count)
        let attempt = attemptID(of: open)
        do throws(SafetyViolation) {
            let entries = try safety?.upload(
                attempt, slot: open.query.slot, context: update.contextDigest,
                digest: statement.digest)
            unpersisted += (entries ?? []).map { .safety($0) }
        } catch {
            return refuse(.safety(error.description))
        }
        if open.upload != nil {
            guard outbox[place].digest == statement.digest else { return refuse(.uploadDiffers) }
            outbox[place].bytes = statement.bytes
            outbox[place].entry = entry
            return [.send(statement.bytes, entry)]
        }
        current?.upload = place
        append(digest: statement.digest, bytes: statement.bytes, entry: entry)
        return flush() + [.send(statement.bytes, entry)]
    }

    mutating func release(
        slot: UInt32, attempt: UInt32, digests: [[UInt8]], certificates: [[UInt8]]
    ) throws(RefusalReason) -> [Effect] {
        guard let consent, let open = current, open.query.isGated, !open.isCommitted,
            open.query.slot == slot, open.query.attempt == attempt
        else { throw .protocolViolation("a commit of another attempt") }
        guard digests.count == open.roster.members.count, certificates.count == digests.count
        else { throw .commitDiffers }
        current?.isCommitted = true
        guard open.isMember else { return flush() }
        guard let place = open.roster.index(of: configuration.bank), let upload = open.upload,
            digests[place] == outbox[upload].digest
        else { throw .commitDiffers }
        current?.vector = nil
        if !isRestoring { try commit(open, certificates: certificates) }
        let seed = consent.dealer.seed(of: Int(open.query.gate))
        return send(
            .release(slot: slot, attempt: attempt, seed: seed.withUnsafeBytes { Array($0) }))
    }

    /// Checks that all of the roster uploaded in this bank's own context, and commits to it.
    private mutating func commit(
        _ open: OpenSlot, certificates: [[UInt8]]
    ) throws(RefusalReason) {
        let context = open.context.digest
        var uploads: [Int: [UInt8]] = [:]
        for (index, member) in open.roster.members.enumerated() {
            guard
                member.bank == configuration.bank
                    || UploadCertificate.holds(
                        certificates[index], context: context, member: member, run: run)
            else { throw .splitView(member.bank) }
            uploads[open.query.places[index]] = context
        }
        let attempt = attemptID(of: open)
        do throws(SafetyViolation) {
            let entries = try safety?.release(attempt, uploads: uploads) ?? []
            unpersisted += entries.map { .safety($0) }
        } catch {
            throw .safety(error.description)
        }
    }

    mutating func recover(
        slot: UInt32, attempt: UInt32, missing: [Int]
    ) throws(RefusalReason) -> [Effect] {
        guard let consent, let open = current, open.isCommitted, open.query.isGated,
            open.query.slot == slot, open.query.attempt == attempt
        else { throw .protocolViolation("a recovery of another attempt") }
        guard !missing.isEmpty, Set(missing).count == missing.count,
            Set(missing).isSubset(of: open.query.places)
        else { throw .protocolViolation("a recovery of banks that are not in the roster") }
        guard open.isMember else { return flush() }
        let gate = Int(open.query.gate)
        do throws(SafetyViolation) {
            // What was given before a restart was allowed then; by now a later attempt has begun.
            for dealer in missing where !isRestoring {
                try safety?.share(attemptID(of: open), of: dealer)
            }
        } catch {
            throw .safety(error.description)
        }
        let shares = missing.compactMap { dealer -> RecoveredShare? in
            guard dealer != consent.ownPlace, let shares = held[dealer] else { return nil }
            return RecoveredShare(
                dealer: dealer,
                share: shares.withUnsafeBytes { Array($0[(gate * 32)..<(gate * 32 + 32)]) },
                path: GateCommitment.tree(of: shares).path(to: gate))
        }
        return shares.isEmpty
            ? flush() : send(.recovery(slot: slot, attempt: attempt, shares: shares))
    }

    mutating func truncate(slot: UInt32) throws(RefusalReason) -> [Effect] {
        guard let consent, let open = current, !open.query.isGated, open.query.slot == slot,
            consent.manifest.algorithm.truncates(round: open.query.query.round)
        else { throw .protocolViolation("a truncation out of place") }
        lapse(open.upload)
        current = nil
        isTruncated = true
        return flush()
    }

    mutating func finish(model: [UInt8], receipt: SlotReceipt) throws(RefusalReason) -> [Effect] {
        try verify(receipt)
        if let open = current, open.query.isGated, !open.isCommitted {
            throw .protocolViolation("an outcome before the commit")
        }
        phase = .ended
        closeEpoch()
        let digest = SHA256.hash(model)
        return [.adopt(ModelDocument(bytes: model))] + send(.stored(modelDigest: digest))
            + [.finish(.model(digest: digest, transcriptHead: transcript.head))]
    }
}
