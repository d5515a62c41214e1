internal import FedCore
internal import FedWire
internal import Foundation
internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix

/// The bank's end of enrolment.
public enum EnrolmentClient {
    /// Asks the coordinator for a certificate.
    ///
    /// The TLS key stays here; so does the identity key, which comes in as a signing function.
    ///
    /// - Parameters:
    ///   - invitation: where to ask and whom to trust.
    ///   - key: the TLS key; repeat a lost enrolment with the same one.
    ///   - identityKey: the public identity key.
    ///   - sign: signs bytes by the identity key.
    /// - Returns: credentials that have been checked, and the coordinator's identity key.
    public static func enrol(
        _ invitation: Invitation, key: TLSKey, identityKey: [UInt8],
        settings: TransportSettings = TransportSettings(),
        sign: (_ statement: [UInt8]) -> [UInt8]
    ) async throws(EnrolmentError) -> (credentials: Credentials, coordinatorIdentityKey: [UInt8]) {
        let request: [UInt8]
        do {
            request = try key.certificateRequest(for: invitation.bank)
        } catch {
            throw .credentials(error)
        }
        let statement = EnrolmentRequest.statement(
            bank: invitation.bank, token: invitation.token, certificateRequestDER: request,
            identityKey: identityKey)
        var wire = Fed_V1_EnrolRequest()
        wire.bank = invitation.bank.name
        wire.token = invitation.token
        wire.certificateRequestDer = Data(request)
        wire.identityKey = Data(identityKey)
        wire.identityProof = Data(sign(statement))
        let reply = try await reply(to: wire, invitation, settings)
        do {
            let credentials = try Credentials(
                key: key, certificatePEM: reply.certificatePem,
                authorityPEM: invitation.authorityPEM)
            try await credentials.check(expected: .bank(invitation.bank))
            return (credentials, Array(reply.coordinatorIdentityKey))
        } catch {
            throw .credentials(error)
        }
    }

    private static func reply(
        to request: Fed_V1_EnrolRequest, _ invitation: Invitation, _ settings: TransportSettings
    ) async throws(EnrolmentError) -> Fed_V1_EnrolReply {
        try await Patience.call(settings) { (error: EnrolmentError) in
            if case .transport(.unreachable) = error { true } else { false }
        } attempt: { tap throws(EnrolmentError) in
            try await send(request, invitation, settings, tap)
        }
    }

    private static func send(
        _ request: Fed_V1_EnrolRequest, _ invitation: Invitation, _ settings: TransportSettings,
        _ tap: ConnectionTap
    ) async throws(EnrolmentError) -> Fed_V1_EnrolReply {
        do {
            let transport = try ClientTransport.make(
                to: invitation.enrolment, authorityPEM: invitation.authorityPEM,
                credentials: nil, settings: settings, tap: tap)
            var options = CallOptions.defaults
            options.waitForReady = false
            options.timeout = settings.connectTimeout + .seconds(20)
            return try await withGRPCClient(transport: transport) { [options] client in
                try await Fed_V1_Enrolment.Client(wrapping: client)
                    .enrol(request, options: options)
            }
        } catch let error as TransportError {
            throw .transport(error)
        } catch {
            let reason = (error as? RPCError)?.metadata[stringValues: EnrolmentService.reasonKey]
                .first { _ in true }
            if let reason = reason.flatMap(EnrolmentError.Reason.init(rawValue:)) {
                throw .refused(reason)
            }
            throw .transport(
                TransportFailure.connecting(error, first: tap.error, to: invitation.enrolment))
        }
    }
}
