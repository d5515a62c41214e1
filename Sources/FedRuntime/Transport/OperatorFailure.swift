internal import GRPCCore

/// ``OperatorError`` as gRPC carries it, in both directions.
enum OperatorFailure {
    private static let hintKey = "fed-hint-bin"

    static func rpcError(_ error: OperatorError) -> RPCError {
        var metadata = Metadata()
        metadata.addBinary(Array(error.hint.utf8), forKey: hintKey)
        let code: RPCError.Code
        let message: String
        switch error {
        case .notFound(let what): (code, message) = (.notFound, what)
        case .invalid(let reason, _): (code, message) = (.invalidArgument, reason)
        case .conflict(let reason, _): (code, message) = (.failedPrecondition, reason)
        case .failed(let reason): (code, message) = (.internalError, reason)
        case .transport(let error): (code, message) = (.internalError, error.description)
        }
        return RPCError(code: code, message: message, metadata: metadata)
    }

    static func operatorError(
        _ error: any Error, first: (any Error)?, address: HostAddress
    ) -> OperatorError {
        if let error = error as? OperatorError { return error }
        guard let error = error as? RPCError else {
            return .transport(
                TransportFailure.connecting(error, first: first, to: address))
        }
        let hint =
            error.metadata[binaryValues: hintKey].first { _ in true }
            .map { String(decoding: $0, as: UTF8.self) } ?? ""
        switch error.code {
        case .notFound: return .notFound(error.message)
        case .invalidArgument: return .invalid(reason: error.message, hint: hint)
        case .failedPrecondition: return .conflict(reason: error.message, hint: hint)
        case .internalError: return .failed(reason: error.message)
        default:
            return .transport(
                TransportFailure.connecting(error, first: first, to: address))
        }
    }
}
