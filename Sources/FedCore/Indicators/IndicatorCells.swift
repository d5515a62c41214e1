public import FedCrypto

/// What a bank must hold beside the derivation to find entities' cells.
public struct IndicatorSecrets: Sendable {
    /// Bytes of the shared key.
    public static let keyByteCount = 32

    /// Nothing: enough where all indexes are ranges.
    public static let none = IndicatorSecrets()

    /// The key of sketches, shared by the banks and unknown to the coordinator.
    let key: SecretBytes?
    /// The lists of public identifiers, by indicator.
    let dictionaries: [String: [EntityKey]]

    /// A digest that tells whether two banks hold the same key, and nothing of the key: 32 bytes;
    /// `nil` without a key.
    public var keyCheck: [UInt8]? {
        key.map {
            HMACSHA256.authenticate(Array("fed/v1/indicator-key-check".utf8), key: $0)
        }
    }

    private init() {
        key = nil
        dictionaries = [:]
    }

    /// Wraps the shared key and the agreed lists.
    ///
    /// - Parameters:
    ///   - key: 32 bytes from a random source, the same at all banks.
    ///   - dictionaries: lists by the indicator's name, ascending by
    ///     ``IndicatorCells/sorted(_:)``.
    /// - Throws: ``IndicatorError/keySize(got:expected:)``.
    public init(
        key: SecretBytes? = nil, dictionaries: [String: [EntityKey]] = [:]
    ) throws(IndicatorError) {
        if let key, key.count != Self.keyByteCount {
            throw .keySize(got: key.count, expected: Self.keyByteCount)
        }
        self.key = key
        self.dictionaries = dictionaries
    }
}

/// Finds the cells of an entity in an indicator's index.
public struct IndicatorCells: Sendable {
    /// The indicator.
    public let indicator: Indicator

    private let key: SecretBytes?
    /// Positions in the agreed list.
    private let positions: [EntityKey: Int32]
    /// Cells found before; an HMAC takes a microsecond and entities come again.
    private var cache: [EntityKey: [Int32]] = [:]

    private static let cachedMax = 1 << 18

    /// Prepares an index.
    ///
    /// - Throws: ``IndicatorError`` when the key or the list is missing or another one.
    public init(
        _ indicator: Indicator, secrets: IndicatorSecrets = .none
    ) throws(IndicatorError) {
        self.indicator = indicator
        var key: SecretBytes?
        var positions: [EntityKey: Int32] = [:]
        switch indicator.index {
        case .range: break
        case .dictionary(let count, let sha256):
            guard let list = secrets.dictionaries[indicator.name] else {
                throw .dictionaryMissing(indicator: indicator.name)
            }
            guard list.count == count, list == Self.sorted(list),
                SHA256.hash(Self.dictionaryBytes(list)).hexadecimal == sha256
            else { throw .anotherDictionary(indicator: indicator.name) }
            for (position, entity) in list.enumerated() { positions[entity] = Int32(position) }
        case .sketch:
            guard let shared = secrets.key else { throw .keyMissing(indicator: indicator.name) }
            key = shared
        }
        self.key = key
        self.positions = positions
    }

    /// The identifiers of an agreed list in its order, each once.
    public static func sorted(_ entities: [EntityKey]) -> [EntityKey] {
        let ordered = entities.sorted { $0.bits < $1.bits }
        return ordered.indices.filter { $0 == 0 || ordered[$0 - 1] != ordered[$0] }
            .map { ordered[$0] }
    }

    /// The bytes whose SHA-256 identifies an agreed list: 8 a identifier, most significant first.
    public static func dictionaryBytes(_ entities: [EntityKey]) -> [UInt8] {
        var writer = ByteWriter()
        for entity in entities { writer.write(entity.bits) }
        return writer.bytes
    }

    /// The cells of an entity: one, one a row of a sketch, or none for one that is not in the index.
    public mutating func cells(of entity: EntityKey) -> [Int32] {
        guard entity != .missing else { return [] }
        switch indicator.index {
        case .range(let first, let count):
            let number = Int64(bitPattern: entity.bits)
            let (offset, overflow) = number.subtractingReportingOverflow(first)
            guard !overflow, offset >= 0, offset < Int64(count) else { return [] }
            return [Int32(offset)]
        case .dictionary: return positions[entity].map { [$0] } ?? []
        case .sketch(let width, let depth):
            if let known = cache[entity] { return known }
            let cells = sketchCells(entity, width: width, depth: depth)
            if cache.count >= Self.cachedMax { cache.removeAll(keepingCapacity: true) }
            cache[entity] = cells
            return cells
        }
    }

    /// Four bytes of HMAC(key, indicator ‖ entity) choose the cell of each row.
    private func sketchCells(_ entity: EntityKey, width: Int, depth: Int) -> [Int32] {
        guard let key else { return [] }
        var writer = ByteWriter()
        writer.write("fed-indicator-cell/1")
        writer.write(indicator.name)
        writer.write(entity.bits)
        let code = HMACSHA256.authenticate(writer.bytes, key: key)
        return (0..<depth).map { row in
            let word = code[(4 * row)..<(4 * row + 4)].reduce(0 as UInt32) { $0 << 8 | UInt32($1) }
            return Int32(row * width + Int(word & UInt32(width - 1)))
        }
    }
}
