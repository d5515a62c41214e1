internal import COpenSSL

/// Secret bytes of a fixed count, wiped when the last reference goes.
///
/// Immutable, so one value can be shared between threads and stored in state machines. It prints
/// as its count, mirrors as nothing, and is neither `Codable`, `Hashable` nor `Equatable`: two
/// secrets are compared by ``isEqual(to:)``, in constant time.
public final class SecretBytes: Sendable, CustomStringConvertible, CustomReflectable {
    private let storage: WipedBuffer

    /// Number of bytes.
    public var count: Int { storage.count }

    /// Copies `bytes`.
    ///
    /// The caller's array is not wiped: see ``init(wiping:)``.
    public init(_ bytes: [UInt8]) {
        storage = WipedBuffer(count: bytes.count)
        storage.mutable.copyBytes(from: bytes)
    }

    /// Copies `bytes` and then overwrites the caller's array with zeros.
    public init(wiping bytes: inout [UInt8]) {
        storage = WipedBuffer(count: bytes.count)
        storage.mutable.copyBytes(from: bytes)
        bytes.withUnsafeMutableBytes { OPENSSL_cleanse($0.baseAddress, $0.count) }
    }

    /// Copies a buffer.
    public init(copying bytes: UnsafeRawBufferPointer) {
        storage = WipedBuffer(count: bytes.count)
        storage.mutable.copyMemory(from: bytes)
    }

    /// Makes `count` bytes that `body` writes.
    ///
    /// They are zero before, and wiped when `body` throws.
    ///
    /// - Throws: what `body` throws.
    public init<Failure: Error>(
        count: Int, initializingWith body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        precondition(count >= 0, "\(count) secret bytes")
        storage = WipedBuffer(count: count)
        try body(storage.mutable)
    }

    /// Calls `body` with the bytes.
    ///
    /// The pointer must not leave it, and copies are the caller's to wipe.
    ///
    /// - Throws: what `body` throws.
    public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(storage.mutable))
    }

    /// A copy of a part; `range` must lie in `0..<count`.
    public func slice(_ range: Range<Int>) -> SecretBytes {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= count, "\(range) of \(count) bytes")
        return withUnsafeBytes { SecretBytes(copying: .init(rebasing: $0[range])) }
    }

    /// Whether both hold the same bytes, in a time that depends on the counts only.
    public func isEqual(to other: SecretBytes) -> Bool {
        withUnsafeBytes { left in
            other.withUnsafeBytes { right in ConstantTime.equal(left, right) }
        }
    }

    /// The count; never the bytes.
    public var description: String { "SecretBytes(\(count) bytes, redacted)" }

    /// No children, so `dump` shows nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Owner of heap bytes that are wiped before they are freed.
///
/// It is written only while its ``SecretBytes`` is being made, hence safe to share.
private final class WipedBuffer: @unchecked Sendable {
    let mutable: UnsafeMutableRawBufferPointer
    var count: Int { mutable.count }

    init(count: Int) {
        mutable = .allocate(byteCount: count, alignment: 16)
        mutable.initializeMemory(as: UInt8.self, repeating: 0)
    }

    deinit {
        OPENSSL_cleanse(mutable.baseAddress, mutable.count)
        mutable.deallocate()
    }
}

/// Comparison whose time does not depend on where two byte strings differ.
public enum ConstantTime {
    /// Whether the byte strings are equal; counts are public, contents are not.
    public static func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.withUnsafeBytes { first in right.withUnsafeBytes { equal(first, $0) } }
    }

    static func equal(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        guard left.count == right.count else { return false }
        guard let first = left.baseAddress, let second = right.baseAddress else { return true }
        return CRYPTO_memcmp(first, second, left.count) == 0
    }
}
