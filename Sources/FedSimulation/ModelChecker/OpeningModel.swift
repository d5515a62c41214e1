package import FedCore

/// Something that a coordinator may ask banks for: an attempt with a roster, and what follows.
package struct Offer: Equatable, Sendable {
    /// Epoch, group and gate.
    package let attempt: AttemptID
    /// Places of the members, ascending.
    package let roster: [Int]

    /// Wraps the parts.
    package init(_ attempt: AttemptID, roster: [Int]) {
        self.attempt = attempt
        self.roster = roster
    }

    /// Stands for the digest of the slot's context: different for any different offer.
    package var context: [UInt8] {
        SafetyEntry.admitted(attempt, roster: roster).bytes
    }
}

/// A consortium in which the coordinator and some banks do what they like, and the honest banks do
/// whatever their ``SafetyKernel`` lets them be asked for, in any order.
///
/// The first two offers are of one group with different rosters; they must not both open. Further
/// ones are decoys: other groups that use the same gates. What the adversary holds: each upload and
/// released seed, each share handed out, and the shares of the corrupted banks. Late packets need no
/// event of their own: an upload is in the adversary's hands from when it is sent, whatever the
/// adversary told others about its sender.
package struct OpeningModel {
    /// What one honest bank does.
    package enum Action: Equatable, Sendable {
        /// Takes part and sends the gated first slot.
        case upload
        /// Releases its gate on a commit.
        case release
        /// Hands out its shares of all members' seeds.
        case share
        /// Sends a plain slot.
        case plain
    }

    /// A step of the whole system.
    package struct Event: Equatable, Sendable, CustomStringConvertible {
        /// Which rosters the bank is in, as a set of offers; banks of the same ones are not told
        /// apart.
        package let rosters: UInt8
        /// What it does.
        package let action: Action
        /// Which offer.
        package let offer: Int

        /// For the report of a violation.
        package var description: String {
            "a bank in \((0..<8).filter { rosters >> $0 & 1 == 1 }): \(action) \(offer)"
        }
    }

    /// What the charter says, as far as it is the same for all banks.
    package let blocs: [[Int]]
    /// c of the charter.
    package let collusionBound: Int
    /// t of the dealing and of the charter.
    package let threshold: Int
    /// m of the charter.
    package let rosterMin: Int
    /// The banks that collude.
    package let corrupted: Set<Int>
    /// What the coordinator asks for.
    package let offers: [Offer]
    /// The rules that the honest banks keep.
    package let rules: SafetyKernel.Rules

    /// Wraps the parts.
    package init(
        blocs: [[Int]], collusionBound: Int, threshold: Int, rosterMin: Int,
        corrupted: Set<Int>, offers: [Offer], rules: SafetyKernel.Rules = .all
    ) {
        precondition(offers.count >= 2 && offers[0].roster != offers[1].roster)
        precondition(offers[0].attempt.group == offers[1].attempt.group)
        self.blocs = blocs
        self.collusionBound = collusionBound
        self.threshold = threshold
        self.rosterMin = rosterMin
        self.corrupted = corrupted
        self.offers = offers
        self.rules = rules
    }

    /// What the search found.
    package struct Finding {
        /// How many states of the system were reached.
        package let stateCount: Int
        /// How many of the two attempts open in some run, each for itself.
        package let openable: Int
        /// A run in which both open.
        package let violation: [Event]?
    }

    /// Searches all runs.
    package func search() -> Finding {
        let system = System(model: self)
        var opened = [false, false]
        let search = StateSearch<System.State, Event>(
            from: 0, steps: system.steps,
            isForbidden: { state in
                let first = system.opens(0, in: state)
                let second = system.opens(1, in: state)
                if first { opened[0] = true }
                if second { opened[1] = true }
                return first && second
            })
        return Finding(
            stateCount: search.stateCount, openable: opened.count(where: \.self),
            violation: search.violation)
    }

    /// The kernel of one bank.
    package func kernel(of member: Int) -> SafetyKernel {
        SafetyKernel(parameters(of: member), rules: rules)
    }

    private func parameters(of member: Int) -> SafetyParameters {
        SafetyParameters(
            unchecked: [UInt8](repeating: 1, count: 32), blocs: blocs, own: member,
            collusionBound: collusionBound, threshold: threshold, rosterMin: rosterMin)
    }

    /// Asks the real kernel; `nil` when it refuses or when nothing new comes of it.
    ///
    /// - Parameter evidence: whether the commit shows all signed uploads.
    func step(
        _ bank: HonestBank, _ action: Action, _ offer: Int, evidence: Bool
    ) -> HonestBank? {
        var bank = bank
        let asked = offers[offer]
        let bit = UInt8(1) << UInt8(offer)
        // What follows an upload is asked for in the attempt and the roster of that upload.
        guard action == .upload || bank.sets.uploaded & bit != 0 else { return nil }
        do {
            switch action {
            case .upload:
                guard bank.sets.uploaded & bit == 0 else { return nil }
                bank.entries += try bank.kernel.admit(asked.attempt, roster: asked.roster)
                bank.entries += try bank.kernel.upload(
                    asked.attempt, slot: 0, context: asked.context, digest: [0])
                bank.sets.uploaded |= bit
            case .release:
                guard bank.sets.released & bit == 0 else { return nil }
                let uploads = evidence ? asked.roster.map { ($0, asked.context) } : []
                bank.entries += try bank.kernel.release(
                    asked.attempt, uploads: Dictionary(uniqueKeysWithValues: uploads))
                bank.sets.released |= bit
            case .share:
                guard bank.sets.shared & bit == 0 else { return nil }
                for member in asked.roster { try bank.kernel.share(asked.attempt, of: member) }
                bank.sets.shared |= bit
            case .plain:
                guard bank.sets.plain & bit == 0 else { return nil }
                bank.entries += try bank.kernel.upload(
                    asked.attempt, slot: 1, context: asked.context + [1], digest: [1])
                bank.sets.plain |= bit
            }
        } catch { return nil }
        return bank
    }

    /// What the adversary has got from one bank, as sets of offers.
    struct Sets: Hashable {
        var uploaded: UInt8 = 0
        var released: UInt8 = 0
        var shared: UInt8 = 0
        var plain: UInt8 = 0
    }

    /// One bank's kernel, what it gave, and what is on its disk.
    struct HonestBank: Hashable {
        var kernel: SafetyKernel
        var sets = Sets()
        var entries: [SafetyEntry] = []

        /// How the disk came to its state is of no matter.
        static func == (left: HonestBank, right: HonestBank) -> Bool {
            left.sets == right.sets && left.kernel == right.kernel
        }

        func hash(into hasher: inout Hasher) { hasher.combine(sets) }
    }

    /// Whether a bank restarted from its disk would be in the same state; entries pass through their
    /// bytes.
    func restartsEqual(_ bank: HonestBank, member: Int) -> Bool {
        let entries = bank.entries.compactMap { try? SafetyEntry(bytes: $0.bytes) }
        let restarted = SafetyKernel(parameters(of: member), replaying: entries, rules: rules)
        return entries == bank.entries && restarted == bank.kernel
    }
}
