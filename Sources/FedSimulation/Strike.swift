public import FedCore

/// One thing that befalls one bank at one moment of a run.
public struct Strike: Equatable, Sendable, CustomStringConvertible {
    /// What befalls it.
    public enum Kind: String, CaseIterable, Sendable {
        /// Its connection breaks before the statement arrives.
        case drop
        /// Its process is killed before it has taken the statement, and started again.
        case kill
        /// Its process is killed right after it has done what follows from the statement.
        case restart
        /// It takes longer than the phase's time.
        case slow
        /// Its link carries nothing more, and nobody is told.
        case halfOpen
        /// It never comes back.
        case away
    }

    /// The statement of the coordinator at which it happens.
    public enum Phase: CaseIterable, Sendable {
        case proposal, epoch, dealing, parcel, agreement
        case firstStatistics, firstCommit, laterStatistics
        case firstOfTree, commitOfTree, laterOfTree, outcome

        /// The kind of message, and how many of that kind come before.
        var message: (kind: String, before: Int) {
            switch self {
            case .proposal: ("proposal", 0)
            case .epoch: ("epoch", 0)
            case .dealing: ("dealing", 0)
            case .parcel: ("parcel", 0)
            case .agreement: ("agreement", 0)
            case .firstStatistics: ("query", 0)
            case .firstCommit: ("commit", 0)
            case .laterStatistics: ("query", 1)
            case .firstOfTree: ("query", 2)
            case .commitOfTree: ("commit", 1)
            case .laterOfTree: ("query", 3)
            case .outcome: ("outcome", 0)
            }
        }
    }

    /// The bank.
    public let bank: NodeID
    /// The moment.
    public let phase: Phase
    /// The fault.
    public let kind: Kind

    /// Wraps the parts.
    public init(_ bank: NodeID, _ phase: Phase, _ kind: Kind) {
        self.bank = bank
        self.phase = phase
        self.kind = kind
    }

    /// In words.
    public var description: String { "bank \(bank), \(phase), \(kind.rawValue)" }

    /// Every bank, every phase, every fault.
    public static func all(_ banks: [NodeID]) -> [Strike] {
        banks.flatMap { bank in
            Phase.allCases.flatMap { phase in Kind.allCases.map { Strike(bank, phase, $0) } }
        }
    }

    /// Every bank in every phase with one fault each, dealt out so that each phase has each fault.
    public static func some(_ banks: [NodeID]) -> [Strike] {
        banks.enumerated().flatMap { place, bank in
            Phase.allCases.enumerated().map { index, phase in
                Strike(bank, phase, Kind.allCases[(place + index) % Kind.allCases.count])
            }
        }
    }

    /// What such a run did that it must not do; `nil` when nothing.
    ///
    /// A bank that is back within the hold time changes nothing. One that stays away costs its bloc
    /// and nothing else, or the run waits for it and says so.
    public func violation(
        of result: SimulatedConsortium.Result, reference: ModelDocument?
    ) -> String? {
        if !result.wrongSums.isEmpty { return "a wrong sum" }
        if !result.doubleOpenings.isEmpty { return "a group opened twice" }
        if let phase = result.unclocked.min() { return "no clock ran in phase \(phase)" }
        if let bank = result.silent.first { return "bank \(bank) was there and did not answer" }
        if kind != .away {
            return result.model == reference && result.hasFullRosters && result.truncations == 0
                ? nil
                : "not the model of the undisturbed run: \(String(describing: result.outcome))"
        }
        switch result.outcome {
        case .model(let model, _):
            return result.models.values.allSatisfy { $0 == model } ? nil : "two models"
        case .aborted(let reason): return "aborted: \(reason)"
        case nil:
            return result.progress?.isHeld == true && result.progress?.waitingFor == [bank]
                ? nil : "held for \(result.progress?.waitingFor.map(\.name) ?? [])"
        }
    }
}
