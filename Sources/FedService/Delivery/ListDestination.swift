internal import FedCore
internal import FedCrypto

/// Where lists go without being fetched.
package enum ListDestination: Equatable, Sendable {
    /// Posted as JSON.
    case webhook(WebAddress)
    /// Written as JSON and CSV.
    case folder(String)

    /// The name in the outbox.
    package var name: String {
        switch self {
        case .webhook(let address): address.description
        case .folder(let path): "file:\(path)"
        }
    }
}

/// A webhook's signature: HMAC-SHA-256 of time and body under a secret that both sides hold.
package struct WebhookSigner: Sendable {
    /// The header's name.
    package static let headerName = "Fed-Signature"
    /// The fewest bytes of a secret.
    package static let byteCountMin = 32

    private let secret: SecretBytes

    /// Takes a secret's file: its bytes, without line ends behind them.
    ///
    /// - Throws: ``ServiceError/token(reason:)``.
    package init(file bytes: [UInt8]) throws(ServiceError) {
        var bytes = bytes
        while let last = bytes.last, last == 0x0A || last == 0x0D { bytes.removeLast() }
        guard (Self.byteCountMin...4096).contains(bytes.count) else {
            throw .token(
                reason: "a webhook's secret of \(bytes.count) bytes, expected at least "
                    + "\(Self.byteCountMin)")
        }
        secret = SecretBytes(bytes)
    }

    /// The header's value: `t=SECONDS,v1=HEX`, the HMAC being over `SECONDS.BODY`.
    ///
    /// The time lets a receiver refuse what somebody recorded and plays again.
    package func signature(of body: [UInt8], at time: Int64) -> String {
        let code = HMACSHA256.authenticate(Array("\(time).".utf8) + body, key: secret)
        return "t=\(time),v1=\(code.hexadecimal)"
    }
}
