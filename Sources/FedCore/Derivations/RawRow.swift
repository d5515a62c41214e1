internal import FedCrypto

/// A customer, card, merchant, terminal, payee or device as a window knows it.
///
/// A number stands for itself; a text by 64 bits of its SHA-256, so a state holds no names.
public struct EntityKey: Hashable, Sendable {
    let bits: UInt64

    /// No entity: the row belongs to no window of this column.
    public static let missing = EntityKey(bits: 1 << 63)

    /// An entity that the bank numbers; `Int64.min` is ``missing``.
    public init(_ number: Int64) { bits = UInt64(bitPattern: number) }

    /// An entity that the bank names; the empty text is ``missing``.
    ///
    /// - Parameter name: UTF-8 bytes, compared as they are.
    public init(name: [UInt8]) {
        guard !name.isEmpty else {
            self = .missing
            return
        }
        let hash = SHA256.hash(name).prefix(8).reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
        // The key of no entity stays free.
        bits = hash == Self.missing.bits ? 1 : hash
    }

    init(bits: UInt64) { self.bits = bits }
}

/// One raw transaction, its columns told apart.
public struct RawRow: Equatable, Sendable {
    /// Seconds since the origin that the bank uses, within ±2^52.
    public var time: Int64
    /// The row's own number, by which its label is learnt later.
    public var number: Int64
    /// Whether it is a fraud; `nil` while that is not known.
    public var isFraud: Bool?
    /// The columns of roles amount, number and category, in the order of the document; NaN for a
    /// missing value.
    public var numbers: [Double]
    /// The columns of role entity, in the order of the document.
    public var entities: [EntityKey]

    /// Wraps the values; ``DerivationState`` checks them.
    public init(
        time: Int64, number: Int64, isFraud: Bool?, numbers: [Double], entities: [EntityKey]
    ) {
        self.time = time
        self.number = number
        self.isFraud = isFraud
        self.numbers = numbers
        self.entities = entities
    }
}
