package import FedCore
internal import Foundation
internal import SwiftProtobuf

extension Fed_V1_StartRunRequest {
    /// The wire form of a request.
    package init(_ request: RunRequest) {
        self.init()
        banks = request.banks.map(\.name)
        algorithm = request.algorithm
        configurationJson = request.configurationJSON
        standardJson = Data(request.standardJSON)
        rowsMax = request.rowsMax
    }
}

extension RunRequest {
    /// Reads the wire form.
    package init(_ wire: Fed_V1_StartRunRequest) throws(WireError) {
        var banks: [NodeID] = []
        for name in wire.banks {
            banks.append(try NodeID(wire: name, message: "StartRunRequest"))
        }
        self.init(
            banks: banks, algorithm: wire.algorithm, configurationJSON: wire.configurationJson,
            standardJSON: Array(wire.standardJson), rowsMax: wire.rowsMax)
    }
}

extension NodeID {
    /// Reads a bank's name from a message.
    package init(wire name: String, message: String) throws(WireError) {
        guard let bank = NodeID(name) else {
            throw .invalidField(message: message, field: "bank", expected: "a bank's name")
        }
        self = bank
    }
}

extension RunID {
    /// Reads a run's identifier from a message.
    package init(wire text: String, message: String) throws(WireError) {
        guard let run = RunID(text) else {
            throw .invalidField(message: message, field: "run", expected: "32 hexadecimal digits")
        }
        self = run
    }
}

extension Fed_V1_RunState {
    fileprivate init(_ state: RunState) {
        self =
            switch state {
            case .waiting: .waiting
            case .running: .running
            case .succeeded: .succeeded
            case .failed: .failed
            case .aborted: .aborted
            }
    }
}

extension RunState {
    fileprivate init(_ wire: Fed_V1_RunState) throws(WireError) {
        switch wire {
        case .waiting: self = .waiting
        case .running: self = .running
        case .succeeded: self = .succeeded
        case .failed: self = .failed
        case .aborted: self = .aborted
        case .unspecified, .UNRECOGNIZED:
            throw .invalidField(message: "RunStatus", field: "state", expected: "a known state")
        }
    }
}

extension Fed_V1_RunStatus {
    /// The wire form of a status.
    package init(_ status: RunStatus) {
        self.init()
        run = status.run.description
        state = Fed_V1_RunState(status.state)
        algorithm = status.algorithm
        round = status.round
        roundsMax = status.roundsMax
        slot = status.slot
        note = status.note
        banks = status.banks.map { traffic in
            var wire = Fed_V1_BankTraffic()
            wire.bank = traffic.bank.name
            wire.bytesReceived = traffic.bytesReceived
            wire.bytesSent = traffic.bytesSent
            wire.connected = traffic.isConnected
            return wire
        }
        reason = status.reason
        hint = status.hint
        modelSha256 = status.modelSHA256
        startedUnixMs = status.startedUnixMilliseconds
        finishedUnixMs = status.finishedUnixMilliseconds ?? 0
        seconds = status.seconds
    }
}

extension RunStatus {
    /// Reads the wire form.
    package init(_ wire: Fed_V1_RunStatus) throws(WireError) {
        self.init(
            run: try RunID(wire: wire.run, message: "RunStatus"), algorithm: wire.algorithm,
            startedUnixMilliseconds: wire.startedUnixMs)
        state = try RunState(wire.state)
        round = wire.round
        roundsMax = wire.roundsMax
        slot = wire.slot
        note = wire.note
        for traffic in wire.banks {
            banks.append(
                BankTraffic(
                    bank: try NodeID(wire: traffic.bank, message: "BankTraffic"),
                    bytesReceived: traffic.bytesReceived, bytesSent: traffic.bytesSent,
                    isConnected: traffic.connected))
        }
        reason = wire.reason
        hint = wire.hint
        modelSHA256 = wire.modelSha256
        finishedUnixMilliseconds = wire.finishedUnixMs == 0 ? nil : wire.finishedUnixMs
        seconds = wire.seconds
    }
}

extension Fed_V1_Member {
    /// The wire form of a member.
    package init(_ member: MemberStatus) {
        self.init()
        bank = member.bank.name
        state =
            switch member.state {
            case .invited: .invited
            case .active: .active
            case .revoked: .revoked
            }
        connected = member.isConnected
        identityKey = Data(member.identityKey)
        certificateSerial = member.certificateSerial
        certificateExpiresUnixMs = member.certificateExpiresUnixMilliseconds
        enrolledUnixMs = member.enrolledUnixMilliseconds
    }
}

extension MemberStatus {
    /// Reads the wire form.
    package init(_ wire: Fed_V1_Member) throws(WireError) {
        let state: MemberState
        switch wire.state {
        case .invited: state = .invited
        case .active: state = .active
        case .revoked: state = .revoked
        case .unspecified, .UNRECOGNIZED:
            throw .invalidField(message: "Member", field: "state", expected: "a known state")
        }
        self.init(bank: try NodeID(wire: wire.bank, message: "Member"), state: state)
        isConnected = wire.connected
        identityKey = Array(wire.identityKey)
        certificateSerial = wire.certificateSerial
        certificateExpiresUnixMilliseconds = wire.certificateExpiresUnixMs
        enrolledUnixMilliseconds = wire.enrolledUnixMs
    }
}
