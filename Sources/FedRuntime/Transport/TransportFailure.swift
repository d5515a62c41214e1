internal import GRPCCore
internal import NIOCore
internal import NIOPosix
internal import NIOSSL

/// The one place where the errors of gRPC, NIO and TLS become a ``TransportError``.
enum TransportFailure {
    /// The key of the trailing metadata that carries a ``Refusal``.
    static let refusalKey = "fed-refusal"

    /// A refusal as gRPC carries it.
    static func rpcError(_ refusal: Refusal) -> RPCError {
        RPCError(
            code: refusal.isTransient ? .unavailable : .permissionDenied,
            message: refusal.description, metadata: [refusalKey: .string(refusal.rawValue)])
    }

    /// Why an established stream ended.
    ///
    /// - Parameter first: the first error in the connection below gRPC, if it is known.
    static func lost(_ error: any Error, first: (any Error)? = nil) -> TransportError {
        if let error = error as? TransportError { return error }
        if first is SilentPeer { return .connectionLost(reason: "the peer has fallen silent") }
        guard let error = error as? RPCError else {
            return .connectionLost(reason: error is CancellationError ? "cancelled" : "\(error)")
        }
        if let refusal = refusal(in: error) { return .refused(refusal) }
        return .connectionLost(reason: error.message)
    }

    /// Why a connection was not made.
    ///
    /// - Parameter first: the first error in the connection below gRPC, if there was one.
    static func connecting(
        _ error: any Error, first: (any Error)?, to address: HostAddress
    ) -> TransportError {
        if let error = error as? RPCError, let refusal = refusal(in: error) {
            return .refused(refusal)
        }
        for candidate in chain(of: first) + chain(of: error) {
            if let found = classify(candidate, address: address) { return found }
        }
        if let error = error as? RPCError, error.code != .unavailable {
            return .connectionLost(reason: error.message)
        }
        return .unreachable(address: address, reason: text(of: error))
    }

    private static func refusal(in error: RPCError) -> Refusal? {
        error.metadata[stringValues: refusalKey].first { _ in true }.flatMap(
            Refusal.init(rawValue:))
    }

    /// An error and its causes, outermost first.
    private static func chain(of error: (any Error)?) -> [any Error] {
        var chain: [any Error] = []
        var next = error
        while let error = next, chain.count < 8 {
            chain.append(error)
            if let connection = error as? NIOConnectionError {
                chain.append(contentsOf: connection.connectionErrors.map(\.error))
            }
            next =
                (error as? RPCError)?.cause ?? (error as? RuntimeError)?.cause
        }
        return chain
    }

    private static func classify(_ error: any Error, address: HostAddress) -> TransportError? {
        switch error {
        case is SilentPeer:
            return .connectTimeout(address: address)
        case is OutdatedTLS:
            return .connectionLost(reason: "the peer does not speak TLS 1.3")
        case let error as IOError:
            return .unreachable(address: address, reason: SystemFailure.text(error.errnoCode))
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            return .nameMismatch(address: address)
        case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError:
            return classifyTLS("\(error)", address: address)
        default:
            return nil
        }
    }

    /// BoringSSL's reasons come as text.
    ///
    /// Alerts are the peer's words about our certificate, verification failures are ours about the
    /// peer's.
    private static func classifyTLS(_ text: String, address: HostAddress) -> TransportError? {
        let text = text.uppercased()
        if text.contains("ALERT") {
            if text.contains("EXPIRED") {
                return .certificateRefused(reason: "it has expired")
            }
            if text.contains("UNKNOWN_CA") || text.contains("BAD_CERTIFICATE") {
                return .certificateRefused(reason: "another authority issued it")
            }
            if text.contains("CERTIFICATE") {
                return .certificateRefused(reason: "it is not fit for this service")
            }
            return nil
        }
        if text.contains("CERTIFICATE_VERIFY_FAILED") || text.contains("UNABLETOVALIDATE") {
            return .coordinatorNotTrusted(address: address)
        }
        return nil
    }

    private static func text(of error: any Error) -> String {
        (error as? RPCError)?.message ?? "\(error)"
    }
}
