internal import FedCore
internal import FedWire
internal import Foundation
internal import GRPCCore

/// The coordinator's end of the operator's calls.
struct OperatorService: Fed_V1_Operator.SimpleServiceProtocol {
    let delegate: any OperatorDelegate
    let registry: ConnectionRegistry

    func startRun(
        request: Fed_V1_StartRunRequest, context: ServerContext
    ) async throws -> Fed_V1_RunStatus {
        try await answer {
            Fed_V1_RunStatus(try await delegate.startRun(try RunRequest(request)))
        }
    }

    func watchRun(
        request: Fed_V1_RunReference, response: RPCWriter<Fed_V1_RunStatus>, context: ServerContext
    ) async throws {
        let updates = try await answer {
            try await delegate.watchRun(try RunID(wire: request.run, message: "RunReference"))
        }
        for await status in updates {
            try await response.write(Fed_V1_RunStatus(status))
            if status.state.isFinal { return }
        }
    }

    func getRun(
        request: Fed_V1_RunReference, context: ServerContext
    ) async throws -> Fed_V1_RunStatus {
        try await answer {
            Fed_V1_RunStatus(
                try await delegate.run(try RunID(wire: request.run, message: "RunReference")))
        }
    }

    func listRuns(
        request: Fed_V1_ListRunsRequest, context: ServerContext
    ) async throws -> Fed_V1_ListRunsReply {
        try await answer {
            var reply = Fed_V1_ListRunsReply()
            reply.runs = try await delegate.runs(limit: Int(request.limit))
                .map(Fed_V1_RunStatus.init)
            return reply
        }
    }

    func abortRun(
        request: Fed_V1_AbortRunRequest, context: ServerContext
    ) async throws -> Fed_V1_RunStatus {
        try await answer {
            let run = try RunID(wire: request.run, message: "AbortRunRequest")
            return Fed_V1_RunStatus(
                try await delegate.abortRun(run, reason: String(request.reason.prefix(1000))))
        }
    }

    func getModel(
        request: Fed_V1_ModelReference, response: RPCWriter<Fed_V1_ModelPart>,
        context: ServerContext
    ) async throws {
        let model = try await answer { try await delegate.model(sha256: request.sha256) }
        for frame in FrameSequence(model) {
            var part = Fed_V1_ModelPart()
            part.data = Data(frame.data)
            try await response.write(part)
        }
    }

    func listMembers(
        request: Fed_V1_ListMembersRequest, context: ServerContext
    ) async throws -> Fed_V1_ListMembersReply {
        try await answer {
            var reply = Fed_V1_ListMembersReply()
            reply.members = try await delegate.members().map(wire)
            return reply
        }
    }

    func revokeMember(
        request: Fed_V1_RevokeMemberRequest, context: ServerContext
    ) async throws -> Fed_V1_Member {
        try await answer {
            let bank = try NodeID(wire: request.bank, message: "RevokeMemberRequest")
            let member = try await delegate.revokeMember(bank)
            registry.end(bank, .revoked)
            return wire(member)
        }
    }

    func createInvitation(
        request: Fed_V1_CreateInvitationRequest, context: ServerContext
    ) async throws -> Fed_V1_CreateInvitationReply {
        try await answer {
            let bank = try NodeID(wire: request.bank, message: "CreateInvitationRequest")
            let seconds = Int64(clamping: min(request.validSeconds, 365 * 86_400))
            var reply = Fed_V1_CreateInvitationReply()
            reply.invitationJson = Data(
                try await delegate.createInvitation(for: bank, validFor: .seconds(seconds)))
            return reply
        }
    }

    func proposeModel(
        request: Fed_V1_ProposeModelRequest, context: ServerContext
    ) async throws -> Fed_V1_ConsensusReply {
        try await consensus {
            .propose(
                run: request.run.isEmpty
                    ? nil : try RunID(wire: request.run, message: "ProposeModelRequest"),
                validSeconds: request.validSeconds == 0
                    ? nil : Int64(clamping: request.validSeconds))
        }
    }

    func getConsensus(
        request: Fed_V1_ConsensusRequest, context: ServerContext
    ) async throws -> Fed_V1_ConsensusReply {
        try await consensus { .status }
    }

    func publishModel(
        request: Fed_V1_ConsensusRequest, context: ServerContext
    ) async throws -> Fed_V1_ConsensusReply {
        try await consensus { .publish }
    }

    private func consensus(
        _ order: () throws -> ConsensusOrder
    ) async throws -> Fed_V1_ConsensusReply {
        try await answer {
            var reply = Fed_V1_ConsensusReply()
            reply.statusJson = Data(try await delegate.consensus(try order()))
            return reply
        }
    }

    private func wire(_ member: MemberStatus) -> Fed_V1_Member {
        var member = member
        member.isConnected = registry.banks.contains(member.bank)
        return Fed_V1_Member(member)
    }

    /// Runs the delegate's work; what it throws travels with its code, reason and hint.
    private func answer<Reply>(_ body: () async throws -> Reply) async throws -> Reply {
        do {
            return try await body()
        } catch let error as OperatorError {
            throw OperatorFailure.rpcError(error)
        } catch let error as WireError {
            throw OperatorFailure.rpcError(.invalid(reason: error.description, hint: ""))
        }
    }
}
