import FedCore
import FedWire
import SwiftProtobuf
import Testing

@Suite struct OperatorTypesTests {
    @Test("A run's status survives the wire in every state", arguments: RunState.allCases)
    func runStatus(state: RunState) throws {
        var status = try sample()
        status.state = state
        let bytes: [UInt8] = try Fed_V1_RunStatus(status).serializedBytes()
        #expect(try RunStatus(Fed_V1_RunStatus(serializedBytes: bytes)) == status)
    }

    @Test("A run under way has no time of its end")
    func unfinished() throws {
        var status = try sample()
        status.finishedUnixMilliseconds = nil
        #expect(try RunStatus(Fed_V1_RunStatus(status)).finishedUnixMilliseconds == nil)
    }

    @Test("A state that this release does not know is refused")
    func unknownState() throws {
        var wire = Fed_V1_RunStatus(try sample())
        wire.state = .UNRECOGNIZED(99)
        #expect(
            throws: WireError.invalidField(
                message: "RunStatus", field: "state", expected: "a known state")
        ) { try RunStatus(wire) }
    }

    @Test(
        "Malformed names are refused",
        arguments: ["", "a b", "-x", String(repeating: "a", count: 64)])
    func malformedNames(name: String) {
        var request = Fed_V1_StartRunRequest()
        request.banks = [name]
        #expect(throws: WireError.self) { try RunRequest(request) }
        var status = Fed_V1_RunStatus()
        status.run = name
        #expect(throws: WireError.self) { try RunStatus(status) }
    }

    @Test("A member survives the wire in every state", arguments: MemberState.allCases)
    func member(state: MemberState) throws {
        let bank = try #require(NodeID("bank_a"))
        var member = MemberStatus(bank: bank, state: state)
        member.isConnected = true
        member.identityKey = [1, 2, 3]
        member.certificateSerial = "0a0b"
        member.certificateExpiresUnixMilliseconds = 5
        member.enrolledUnixMilliseconds = 4
        #expect(try MemberStatus(Fed_V1_Member(member)) == member)
    }

    @Test("A request for a run survives the wire")
    func request() throws {
        let bank = try #require(NodeID("bank_a"))
        let request = RunRequest(
            banks: [bank], algorithm: "gbdt", configurationJSON: "{}", standardJSON: [0x7B, 0x7D],
            rowsMax: 7)
        #expect(try RunRequest(Fed_V1_StartRunRequest(request)) == request)
    }

    private func sample() throws -> RunStatus {
        let run = try #require(RunID(bytes: Array(0..<16)))
        let bank = try #require(NodeID("bank_a"))
        var status = RunStatus(run: run, algorithm: "gbdt", startedUnixMilliseconds: 1000)
        status.round = 3
        status.roundsMax = 60
        status.slot = 21
        status.note = "tree 3"
        status.banks = [
            BankTraffic(bank: bank, bytesReceived: 1, bytesSent: 2, isConnected: true)
        ]
        status.reason = "why"
        status.hint = "what"
        status.modelSHA256 = "00ff"
        status.finishedUnixMilliseconds = 2000
        status.seconds = 1.5
        return status
    }
}
