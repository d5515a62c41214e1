internal import FedConsole
internal import FedCore
internal import FedRuntime
internal import FedWire
internal import Foundation

/// A run's status as people and scripts read it.
struct StatusReport: Encodable {
    struct Bank: Encodable {
        let bank: String
        let connected: Bool
        let bytesReceived: UInt64
        let bytesSent: UInt64
    }

    let run: String
    let state: String
    let algorithm: String
    let round: UInt32
    let roundsMax: UInt32
    let slots: UInt64
    let note: String
    let reason: String
    let modelSHA256: String
    let seconds: Double
    let banks: [Bank]

    init(_ status: RunStatus) {
        run = status.run.description
        state = status.state.rawValue
        algorithm = status.algorithm
        round = status.round
        roundsMax = status.roundsMax
        slots = status.slot
        note = status.note
        reason = status.reason
        modelSHA256 = status.modelSHA256
        seconds = status.seconds
        banks = status.banks.map {
            Bank(
                bank: $0.bank.name, connected: $0.isConnected, bytesReceived: $0.bytesReceived,
                bytesSent: $0.bytesSent)
        }
    }

    static func seconds(_ value: Double) -> String { String(format: "%.1f", value) }

    /// One line while the run is under way: how far, how long still, what was sent, what is awaited.
    var progress: String {
        var parts = ["\(Self.seconds(seconds)) s", state]
        if round > 0 {
            parts.append("\(algorithm == "gbdt" ? "tree" : "round") \(round)/\(roundsMax)")
        }
        // The rate so far carried on; a logistic fit ends long before its last allowed round.
        if algorithm == "gbdt", round > 0, roundsMax > round {
            let left = seconds * Double(roundsMax - round) / Double(round)
            parts.append("\(Self.seconds(left)) s left")
        }
        let bytes = banks.reduce(0) { $0 + $1.bytesReceived }
        if bytes > 0 {
            parts.append(String(format: "%.1f MB from the banks", Double(bytes) / 1e6))
        }
        return (parts + [note]).joined(separator: " · ")
    }

    /// Everything, for a person.
    var text: String {
        var lines = [
            "run        \(run)", "state      \(state)", "algorithm  \(algorithm)",
            "seconds    \(Self.seconds(seconds))",
        ]
        if slots > 0 { lines.append("slots      \(slots)") }
        if !note.isEmpty, reason.isEmpty || state == RunState.succeeded.rawValue {
            lines.append("note       \(note)")
        }
        if !reason.isEmpty { lines.append("reason     \(reason)") }
        if !modelSHA256.isEmpty { lines.append("model      \(modelSHA256)") }
        for bank in banks {
            lines.append(
                "bank \(bank.bank)  \(bank.connected ? "connected" : "away"), "
                    + "\(bank.bytesReceived) bytes from it, \(bank.bytesSent) to it")
        }
        return lines.joined(separator: "\n")
    }
}
