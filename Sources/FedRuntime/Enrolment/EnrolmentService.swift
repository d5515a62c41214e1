internal import FedCore
internal import FedWire
internal import Foundation
internal import GRPCCore

/// The coordinator's end of enrolment.
struct EnrolmentService: Fed_V1_Enrolment.SimpleServiceProtocol {
    static let reasonKey = "fed-reason"

    let delegate: any EnrolmentDelegate

    func enrol(
        request: Fed_V1_EnrolRequest, context: ServerContext
    ) async throws -> Fed_V1_EnrolReply {
        guard let bank = NodeID(request.bank), request.token.utf8.count <= 256,
            request.certificateRequestDer.count <= 1 << 14, request.identityKey.count <= 256,
            request.identityProof.count <= 256
        else { throw Self.rpcError(.badRequest) }
        do {
            let reply = try await delegate.enrol(
                EnrolmentRequest(
                    bank: bank, token: request.token,
                    certificateRequestDER: Array(request.certificateRequestDer),
                    identityKey: Array(request.identityKey),
                    identityProof: Array(request.identityProof)))
            var wire = Fed_V1_EnrolReply()
            wire.certificatePem = reply.certificatePEM
            wire.authorityPem = reply.authorityPEM
            wire.coordinatorIdentityKey = Data(reply.coordinatorIdentityKey)
            return wire
        } catch {
            guard case .refused(let reason) = error else { throw Self.rpcError(.unavailable) }
            throw Self.rpcError(reason)
        }
    }

    private static func rpcError(_ reason: EnrolmentError.Reason) -> RPCError {
        RPCError(
            code: reason == .unavailable ? .internalError : .permissionDenied,
            message: reason.description, metadata: [reasonKey: .string(reason.rawValue)])
    }
}
