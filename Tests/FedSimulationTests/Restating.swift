import FedCore
import FedCrypto

extension SignedStatement {
    /// The bytes of another message in this one's place.
    ///
    /// - Parameter key: the author's; `nil` for a statement without a signature.
    func restated(_ message: RunMessage, key: SigningKey?) -> [UInt8] {
        SignedStatement(
            run: run, author: author, sequence: sequence, chainHead: chainHead, message: message,
            key: key
        ).bytes
    }
}
