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
        let bytes_received: UInt64
        let bytes_sent: UInt64
    }

    let run: String
    let state: String
    let algorithm: String
    let round: UInt32
    let rounds_max: UInt32
    let slots: UInt64
    let note: String
    let reason: String
    let model_sha256: String
    let seconds: Double
    let banks: [Bank]

    init(_ status: RunStatus) {
        run = status.run.description
        state = status.state.rawValue
        algorithm = status.algorithm
        round = status.round
        rounds_max = status.roundsMax
        slots = status.slot
        note = status.note
        reason = status.reason
        model_sha256 = status.modelSHA256
        seconds = status.seconds
        banks = status.banks.map {
            Bank(
                bank: $0.bank.name, connected: $0.isConnected, bytes_received: $0.bytesReceived,
                bytes_sent: $0.bytesSent)
        }
    }

    static func seconds(_ value: Double) -> String { String(format: "%.1f", value) }

    /// One line while the run is under way.
    var progress: String {
        let rounds = round > 0 ? "round \(round)/\(rounds_max) · " : ""
        return "\(Self.seconds(seconds)) s · \(state) · \(rounds)\(note)"
    }

    /// Everything, for a person.
    var text: String {
        var lines = [
            "run        \(run)", "state      \(state)", "algorithm  \(algorithm)",
            "seconds    \(Self.seconds(seconds))",
        ]
        if slots > 0 { lines.append("slots      \(slots)") }
        if !note.isEmpty, reason.isEmpty { lines.append("note       \(note)") }
        if !reason.isEmpty { lines.append("reason     \(reason)") }
        if !model_sha256.isEmpty { lines.append("model      \(model_sha256)") }
        for bank in banks {
            lines.append(
                "bank \(bank.bank)  \(bank.connected ? "connected" : "away"), "
                    + "\(bank.bytes_received) bytes from it, \(bank.bytes_sent) to it")
        }
        return lines.joined(separator: "\n")
    }
}
