// Banks that refuse or break the protocol: the run goes on without their blocs, where it can.
extension CoordinatorRun {
    /// Whether a bank is out of the run for good; nothing more is said to it.
    public func isExcluded(_ bank: NodeID) -> Bool {
        manifest.roster.index(of: bank).map { banks[$0].exclusion != nil } ?? false
    }

    /// The reasons for which banks are out of the run for good, in roster order.
    public var exclusions: [AbortReason] { banks.compactMap(\.exclusion) }

    /// Banks that were not in the last group, sorted: excluded ones, their blocs, and those whose
    /// hold time passed.
    public var leftOut: [NodeID] {
        manifest.roster.banks.filter { !expected.contains($0) }
    }

    /// Puts out the bank that a reason blames.
    mutating func exclude(_ reason: AbortReason) -> [Effect] {
        guard phase != .ended, let bank = reason.bank,
            let place = manifest.roster.index(of: bank), !isExcluded(bank)
        else { return [] }
        return decide(.excluded(place, reason))
    }

    mutating func shutOut(_ place: Int, _ reason: AbortReason) -> [Effect] {
        guard banks.indices.contains(place), banks[place].exclusion == nil else { return [] }
        let bank = manifest.roster.banks[place]
        banks[place].exclusion = reason
        banks[place].isPresent = false
        blame = reason
        waiting.remove(bank)
        if phase != .delivering {
            expected = Set(charter.wholeBlocs(in: expected.subtracting([bank])))
        }
        let note = Effect.note(Notice(.error, "\(reason); it is out of the run"))
        return [note] + goOn(reason)
    }

    private mutating func goOn(_ reason: AbortReason) -> [Effect] {
        switch phase {
        case .ended: return []
        case .idle, .hellos, .dealings, .acknowledgements:
            let rest = participants.filter { banks[$0].exclusion == nil }
            guard let places = roster(of: Set(rest.map { manifest.roster.banks[$0] })) else {
                return abort(reason)
            }
            return narrow(to: places)
        case .forming: return form()
        case .uploads, .releases:
            // What is under way might still end, and then there would be no next group.
            guard roster(of: eligible.filter { !isExcluded($0) }) != nil else {
                return abort(reason)
            }
            let effects = goOnWithoutExcluded()
            return effects.isEmpty ? resumeIfPresent() : effects
        case .delivering: return waiting.isEmpty ? end() : [report()]
        }
    }

    /// Goes on with a slot that has excluded banks in its roster: another attempt, shares of their
    /// gates, the end of the tree, or else the end of the run.
    ///
    /// - Returns: nothing when there are none.
    mutating func goOnWithoutExcluded() -> [Effect] {
        guard let open = slot, open.isOpen(in: phase),
            let reason = open.places.compactMap({ banks[$0].exclusion }).first
        else { return [] }
        let excluded = open.places.filter { banks[$0].exclusion != nil }
        if phase == .releases { return recoverGates(of: excluded, reason, open) }
        guard !open.isGated else {
            let rest = Set(open.places).subtracting(excluded)
            guard let places = roster(of: Set(rest.map { manifest.roster.banks[$0] })) else {
                return abort(reason)
            }
            return decide(.retry(places))
        }
        guard canTruncate(open) else { return abort(reason) }
        return decide(.truncated(missing: excluded))
    }

    /// Whether the group can end with the sums that it has.
    func canTruncate(_ open: OpenSlot) -> Bool {
        guard !open.isGated, manifest.algorithm.truncates(round: open.query.round) else {
            return false
        }
        var trial = learner
        return (try? trial.truncateGroup()) != nil
    }

    private mutating func recoverGates(
        of excluded: [Int], _ reason: AbortReason, _ open: OpenSlot
    ) -> [Effect] {
        let gated = excluded.filter {
            open.accumulator.stillGated.contains(manifest.roster.banks[$0])
        }
        let others = Set(open.places).subtracting(excluded)
        for place in gated {
            let holders = (open.recovering[place] ?? []).map { Int($0.index) - 1 }
            guard others.union(holders).count >= charter.threshold else { return abort(reason) }
        }
        return askForShares()
    }

    /// Starts the clock again when nobody is away any more.
    mutating func resumeIfPresent() -> [Effect] {
        isHeld && waitingFor.allSatisfy(isPresent) ? [nextDeadline(), report()] : [report()]
    }

    /// Who dealt shares that cannot be used, or says so falsely, as far as can be told.
    ///
    /// At most c banks lie. So a dealer whom more than c banks blame has lied, and so has a bank
    /// that blames more than c dealers. Between one bank and one dealer nobody can decide; the
    /// dealer goes, since its gate could not be recovered.
    func culprit() -> (place: Int, reason: AbortReason)? {
        let bound = charter.collusionBound
        let complaints = complaints.mapValues { Set($0).intersection(participants) }
        for (place, dealers) in complaints.sorted(by: { $0.key < $1.key })
        where dealers.count > bound || dealers.contains(place) {
            let blamed = "it says that it cannot use the shares of \(dealers.count) banks"
            return (place, .bankViolation(manifest.roster.banks[place], blamed))
        }
        var blamers: [Int: [NodeID]] = [:]
        for (place, dealers) in complaints.sorted(by: { $0.key < $1.key }) {
            for dealer in dealers {
                blamers[dealer, default: []].append(manifest.roster.banks[place])
            }
        }
        guard
            let (dealer, banks) = blamers.max(by: {
                ($0.value.count, $1.key) < ($1.value.count, $0.key)
            })
        else { return nil }
        let names = banks.map(\.name).joined(separator: ", ")
        let dealt = "the shares that it dealt cannot be used, say: \(names)"
        return (dealer, .bankViolation(manifest.roster.banks[dealer], dealt))
    }
}
