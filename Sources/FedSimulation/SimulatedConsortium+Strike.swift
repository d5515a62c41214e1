import FedCore

extension SimulatedConsortium {
    /// Whether a statement to the strike's bank is the one at which it happens.
    mutating func isMoment(of strike: Strike, _ bytes: [UInt8]) -> Bool {
        let (kind, before) = strike.phase.message
        guard !hasStruck, let statement = try? SignedStatement(bytes: bytes),
            let message = try? RunMessage(bytes: statement.body), message.kind == kind,
            strikesSeen.insert(bytes).inserted, strikesSeen.count == before + 1
        else { return false }
        hasStruck = true
        return true
    }

    mutating func befall(_ strike: Strike, _ bytes: [UInt8]) {
        let bank = strike.bank
        switch strike.kind {
        case .drop: disconnect(bank)
        case .kill: die(bank)
        case .restart:
            give(.received(bytes), to: bank)
            die(bank)
        case .slow:
            let life = nodes[bank]?.life ?? 0
            schedule(.late(bank, life: life, bytes), in: faults.deadline + faults.holdTime / 2)
        case .halfOpen:
            give(.received(bytes), to: bank)
            stall(bank)
        case .away:
            nodes[bank]?.isDead = true
            die(bank)
        }
    }
}
