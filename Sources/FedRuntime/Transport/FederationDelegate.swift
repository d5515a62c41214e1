public import FedCore

/// What a coordinator does with its connections.
public protocol FederationDelegate: Sendable {
    /// Whether a bank with this certificate may connect.
    ///
    /// - Parameter serial: the certificate's serial number, hexadecimal.
    /// - Returns: `nil` to admit it.
    func admission(of bank: NodeID, serial: String) async -> Refusal?

    /// Serves one connection; when this returns, the connection is closed.
    ///
    /// Called once for each connection. When the connection ends, `channel.incoming` ends and the
    /// task is cancelled.
    func serve(_ bank: NodeID, over channel: MessageChannel) async
}
