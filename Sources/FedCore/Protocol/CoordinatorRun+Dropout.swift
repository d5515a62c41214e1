// Banks that vanish, wait and come back.
extension CoordinatorRun {
    mutating func lose(_ bank: NodeID) -> [Effect] {
        guard let place = manifest.roster.index(of: bank), banks[place].isPresent else { return [] }
        banks[place].isPresent = false
        guard phase != .ended, phase != .idle, waitingFor.contains(bank) else { return [] }
        return isHeld ? askForShares() + [report()] : holdForAbsent()
    }

    /// Stops the phase's clock and starts the hold time.
    ///
    /// - Parameter banks: those that are missing; of them, who seems connected is cut off, since a
    ///   link may be half open: a new connection cures it.
    mutating func holdBack(for banks: [NodeID]) -> [Effect] {
        guard !isReplaying else { return [] }
        isHeld = true
        return cutOff(banks) + [.hold(phase: phaseNumber, missing: banks), report()]
            + askForShares()
    }

    private func cutOff(_ banks: [NodeID]) -> [Effect] {
        phase == .forming ? [] : banks.filter(isPresent).map { .disconnect($0) }
    }

    /// Holds a phase whose answers cannot all come; those who are still at work are left alone.
    mutating func holdForAbsent() -> [Effect] {
        let absent = waitingFor.filter { !isPresent($0) }
        return absent.isEmpty ? [] : holdBack(for: absent)
    }

    /// Sends a bank what it does not have.
    mutating func connect(_ bank: NodeID, has count: UInt64) -> [Effect] {
        guard let place = manifest.roster.index(of: bank), !isExcluded(bank) else { return [] }
        guard count <= UInt64(said.count) else {
            return exclude(.bankViolation(bank, "it has statements that were never made"))
        }
        guard count >= banks[place].mustHave || phase == .ended else {
            return exclude(.bankRefused(bank, .stateLost))
        }
        banks[place].isPresent = true
        var effects: [Effect] = said[Int(count)...].map { saying in
            switch saying {
            case .common(let bytes, let kind): .send(bytes, to: bank, kind: kind)
            case .each(let statements, let kind): .send(statements[place], to: bank, kind: kind)
            }
        }
        if phase == .forming {
            if expected.allSatisfy(isPresent), let places = presentRoster() {
                effects += decide(.roster(places))
            }
        } else if isHeld, waitingFor.allSatisfy(isPresent) {
            effects += [nextDeadline(), report()]
        }
        return effects
    }

    /// The hold time is over: go on without those who are still missing, where that is possible.
    mutating func expire() -> [Effect] {
        let missing = waitingFor
        guard !missing.isEmpty else { return [] }
        switch phase {
        case .hellos, .dealings, .acknowledgements:
            let rest = participants.map { manifest.roster.banks[$0] }
            if let places = roster(of: Set(rest).subtracting(missing)) {
                return decide(.roster(places))
            }
        case .forming:
            if let places = presentRoster() { return decide(.roster(places)) }
        case .uploads:
            guard let open = slot else { return [] }
            if open.isGated {
                let rest = Set(open.roster.banks).subtracting(missing)
                if let places = roster(of: rest) { return decide(.retry(places)) }
            } else if canTruncate(open) {
                return decide(.truncated(missing: manifest.roster.places(of: missing)))
            }
        case .releases:
            let effects = askForShares()
            // Those who are asked may vanish too: the clock goes on.
            if !effects.isEmpty {
                return effects + [.hold(phase: phaseNumber, missing: missing)]
            }
        case .delivering: return decide(.delivered)
        case .idle, .ended: return []
        }
        let names = missing.map(\.name).joined(separator: ", ")
        // While the run waits for the absent, a link of another may have lost something too.
        return [.note(Notice(.warning, "held: the run cannot go on without \(names)"))]
            + cutOff(missing) + [.hold(phase: phaseNumber, missing: missing)]
    }

    /// Asks the others for shares of the gates of those who uploaded and vanished, if they are
    /// enough.
    mutating func askForShares() -> [Effect] {
        guard phase == .releases, let open = slot else { return [] }
        let gated = manifest.roster.places(of: open.accumulator.stillGated)
        let helpers = open.places.filter { place in
            banks[place].exclusion == nil
                && (!gated.contains(place) || isPresent(manifest.roster.banks[place]))
        }
        let missing = gated.filter { place in
            !isPresent(manifest.roster.banks[place]) && open.recovering[place] == nil
        }
        guard !missing.isEmpty, helpers.count >= charter.threshold else { return [] }
        return decide(.recover(missing))
    }

    mutating func askShares(of missing: [Int]) -> [Effect] {
        guard phase == .releases, let open = slot else { return [] }
        for place in missing { slot?.recovering[place] = [] }
        return [say(.recover(slot: open.number, attempt: open.attempt, missing: missing))]
    }

    /// Asks the same of the banks that are left.
    mutating func retry(places: [Int]) -> [Effect] {
        guard phase == .uploads, let open = slot, open.isGated,
            let roster = manifest.roster.choosing(places)
        else { return [] }
        expected = Set(roster.banks)
        return ask(open.query, places: places, attempt: open.attempt + 1, isGated: true)
    }

    /// Ends a tree with the levels that were opened.
    mutating func truncate(missing: [Int]) -> [Effect] {
        guard phase == .uploads, let open = slot, !open.isGated else { return [] }
        do throws(LearningError) {
            try learner.truncateGroup()
        } catch {
            return abort(.learning(error.description))
        }
        let lost = Set(missing.map { manifest.roster.banks[$0] })
        expected = Set(charter.wholeBlocs(in: expected.subtracting(lost)))
        receipt = .none
        slot = nil
        phase = .forming
        return [say(.truncation(slot: open.number))] + advance()
    }
}
