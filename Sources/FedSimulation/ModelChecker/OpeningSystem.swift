import FedCore

extension OpeningModel {
    /// The product of all honest banks, up to renaming of banks that are in the same rosters.
    ///
    /// What one bank can do is found once for each set of rosters, by asking its real kernel for
    /// everything in each of its states. Shares are handed out as soon as the kernel allows: asking
    /// for one does not change the kernel, so asking later gives the adversary nothing more.
    struct System {
        /// The places of all honest banks in their kinds' graphs, a byte each, ascending within a
        /// kind.
        typealias State = UInt64

        private let corruptedCount: Int
        private let threshold: Int
        private let offerCount: Int
        private let honestCount: Int
        /// For each honest bank, those of the same kind next to each other: its kind's first bank,
        /// the bank after its kind's last, and all that it can do.
        private let firsts: [Int]
        private let ends: [Int]
        private let memberships: [UInt8]
        private let sets: [[Sets]]
        private let edges: [[[Edge]]]
        /// For each offer, the honest banks of its roster.
        private let involved: [[Int]]
        /// For each offer, all offers with its gate.
        private let sameGate: [UInt8]

        init(model: OpeningModel) {
            let memberCount = model.blocs.reduce(0) { $0 + $1.count }
            precondition(memberCount <= 8, "a state has room for eight banks")
            let honest = (0..<memberCount).filter { !model.corrupted.contains($0) }
            let groups = Dictionary(grouping: honest) { member in
                model.offers.indices.filter { model.offers[$0].roster.contains(member) }
            }.sorted { $0.key.lexicographicallyPrecedes($1.key) }
            let graphs = groups.map { Graph(model: model, member: $0.value[0], rosters: $0.key) }
            let kinds = groups.indices.flatMap { kind in groups[kind].value.map { _ in kind } }
            firsts = kinds.map { kind in kinds.firstIndex(of: kind) ?? 0 }
            ends = kinds.map { kind in (kinds.lastIndex(of: kind) ?? 0) + 1 }
            memberships = kinds.map { graphs[$0].membership }
            sets = kinds.map { graphs[$0].sets }
            edges = kinds.map { graphs[$0].edges }
            corruptedCount = model.corrupted.count
            threshold = model.threshold
            offerCount = model.offers.count
            honestCount = honest.count
            involved = model.offers.indices.map { offer in
                kinds.indices.filter { groups[kinds[$0]].key.contains(offer) }
            }
            sameGate = model.offers.map { offer in
                model.offers.indices.reduce(0) { bits, other in
                    let attempt = model.offers[other].attempt
                    let same =
                        attempt.epoch == offer.attempt.epoch && attempt.gate == offer.attempt.gate
                    return bits | (same ? 1 << UInt8(other) : 0)
                }
            }
        }

        func steps(_ state: State) -> [(event: Event, state: State)] {
            var evidence: UInt8 = 0
            for offer in 0..<offerCount where allUploaded(offer, in: state) {
                evidence |= 1 << UInt8(offer)
            }
            var found: [(event: Event, state: State)] = []
            for index in 0..<honestCount {
                let place = place(of: index, in: state)
                // Of equal banks in equal states, let the first one move.
                if index > firsts[index], self.place(of: index - 1, in: state) == place { continue }
                for edge in edges[index][place]
                where !edge.needsEvidence || evidence >> UInt8(edge.offer) & 1 == 1 {
                    let event = Event(
                        rosters: memberships[index], action: edge.action, offer: edge.offer)
                    found.append((event, moving(index, to: edge.target, in: state)))
                }
            }
            return found
        }

        /// Whether the adversary can compute the sum of an attempt's gated slot or of a plain one.
        func opens(_ offer: Int, in state: State) -> Bool {
            guard allUploaded(offer, in: state) else { return false }
            let bit = UInt8(1) << UInt8(offer)
            if involved[offer].allSatisfy({ sets(of: $0, in: state).plain & bit != 0 }) {
                return true
            }
            return involved[offer].allSatisfy { isSeedKnown(of: $0, offer, in: state) }
        }

        private func isSeedKnown(of index: Int, _ offer: Int, in state: State) -> Bool {
            if sets(of: index, in: state).released & sameGate[offer] != 0 { return true }
            // Shares of this bank's seed were asked for in attempts whose roster it is in.
            let useful = sameGate[offer] & memberships[index]
            var shares = corruptedCount
            for other in 0..<honestCount where sets(of: other, in: state).shared & useful != 0 {
                shares += 1
            }
            return shares >= threshold
        }

        private func allUploaded(_ offer: Int, in state: State) -> Bool {
            let bit = UInt8(1) << UInt8(offer)
            return !involved[offer].isEmpty
                && involved[offer].allSatisfy { sets(of: $0, in: state).uploaded & bit != 0 }
        }

        private func place(of index: Int, in state: State) -> Int {
            Int(truncatingIfNeeded: state >> UInt64(8 * index) & 0xFF)
        }

        private func sets(of index: Int, in state: State) -> Sets {
            sets[index][place(of: index, in: state)]
        }

        /// Puts a bank at another place and restores the order within its kind.
        private func moving(_ index: Int, to target: UInt8, in state: State) -> State {
            var state = state
            var index = index
            func put(_ place: UInt64, at index: Int) {
                state = state & ~(0xFF << UInt64(8 * index)) | place << UInt64(8 * index)
            }
            let target = UInt64(target)
            while index > firsts[index], UInt64(place(of: index - 1, in: state)) > target {
                put(UInt64(place(of: index - 1, in: state)), at: index)
                index -= 1
            }
            while index + 1 < ends[index], UInt64(place(of: index + 1, in: state)) < target {
                put(UInt64(place(of: index + 1, in: state)), at: index)
                index += 1
            }
            put(target, at: index)
            return state
        }
    }

    /// A step of one bank, to the place of its next state.
    struct Edge {
        let action: Action
        let offer: Int
        let needsEvidence: Bool
        let target: UInt8
    }

    /// All that one honest bank can do.
    struct Graph {
        /// The offers whose rosters hold the bank.
        let membership: UInt8
        private(set) var sets: [Sets] = []
        private(set) var edges: [[Edge]] = []

        init(model: OpeningModel, member: Int, rosters: [Int]) {
            membership = rosters.reduce(0) { $0 | 1 << UInt8($1) }
            var places: [HonestBank: Int] = [:]
            var banks: [HonestBank] = []
            func place(_ bank: HonestBank) -> UInt8 {
                let bank = Self.sharing(bank, model)
                if let known = places[bank] { return UInt8(known) }
                precondition(model.restartsEqual(bank, member: member), "a restart forgets")
                places[bank] = banks.count
                banks.append(bank)
                return UInt8(banks.count - 1)
            }
            _ = place(HonestBank(kernel: model.kernel(of: member)))
            while edges.count < banks.count {
                let bank = banks[edges.count]
                var found: [Edge] = []
                for offer in model.offers.indices {
                    for action in [Action.upload, .release, .plain] {
                        let bare = model.step(bank, action, offer, evidence: false)
                        guard let next = bare ?? model.step(bank, action, offer, evidence: true)
                        else { continue }
                        found.append(
                            Edge(
                                action: action, offer: offer, needsEvidence: bare == nil,
                                target: place(next)))
                    }
                }
                edges.append(found)
            }
            sets = banks.map(\.sets)
        }

        private static func sharing(_ bank: HonestBank, _ model: OpeningModel) -> HonestBank {
            model.offers.indices.reduce(bank) { bank, offer in
                model.step(bank, .share, offer, evidence: false) ?? bank
            }
        }
    }
}
