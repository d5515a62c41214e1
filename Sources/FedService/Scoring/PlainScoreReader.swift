package import FedCore

/// Reads single transactions as programs write them, many times as fast as a general JSON reader.
///
/// It takes a plain spelling only: ASCII, no escapes, each member once, all values within the
/// standard. Of anything else it says nothing, and ``ScoreRequestReader`` reads it again and names
/// what is wrong. What it takes it reads as that reader does.
package struct PlainScoreReader: Sendable {
    /// The most features of a standard that it reads for.
    package static let featuresMax = 128

    /// The order in which a caller writes the features, as seen last: looked at first.
    package struct Order: Sendable {
        fileprivate var places: [Int]
    }

    private let features: [Feature]
    private let names: [UInt8]
    private let ends: [Int]

    /// Reads for these features.
    package init(_ standard: FeatureStandard) {
        features = standard.features
        var (names, ends): ([UInt8], [Int]) = ([], [])
        for feature in standard.features {
            names += Array(feature.name.utf8)
            ends.append(names.count)
        }
        self.names = names
        self.ends = ends
    }

    /// The order to begin with.
    package var order: Order { Order(places: Array(features.indices)) }

    /// Reads a body.
    ///
    /// - Returns: `nil` for a body that needs the general reader.
    package func read(_ body: UnsafeRawBufferPointer, order: inout Order) -> ScoreTransaction? {
        guard features.count <= Self.featuresMax, order.places.count == features.count else {
            return nil
        }
        var cursor = PlainCursor(body)
        guard cursor.take(0x7B) else { return nil }
        var (id, entity): (String?, String?)
        var amount: Int64?
        var row: [Double]?
        var seen: UInt8 = 0
        repeat {
            guard let name = cursor.string(), cursor.take(0x3A), let member = Member(name),
                seen & member.rawValue == 0
            else { return nil }
            seen |= member.rawValue
            if member != .features, cursor.null() { continue }
            switch member {
            case .id:
                guard let text = cursor.name() else { return nil }
                id = text
            case .entity:
                guard let text = cursor.name() else { return nil }
                entity = text
            case .amount:
                guard let number = cursor.number(), number.isWhole,
                    (0...Double(ScoreRequestReader.amountMax)).contains(number.value)
                else { return nil }
                amount = Int64(number.value)
            case .features:
                guard let values = self.row(&cursor, &order) else { return nil }
                row = values
            }
        } while cursor.take(0x2C)
        guard cursor.take(0x7D), cursor.isAtEnd, let row else { return nil }
        return ScoreTransaction(id: id, entity: entity, amount: amount, row: row)
    }

    private enum Member: UInt8 {
        case id = 1
        case entity = 2
        case amount = 4
        case features = 8

        init?(_ name: UnsafeRawBufferPointer) {
            switch name.count {
            case 2 where name.elementsEqual("id".utf8): self = .id
            case 6 where name.elementsEqual("entity".utf8): self = .entity
            case 6 where name.elementsEqual("amount".utf8): self = .amount
            case 8 where name.elementsEqual("features".utf8): self = .features
            default: return nil
            }
        }
    }

    private func row(_ cursor: inout PlainCursor, _ order: inout Order) -> [Double]? {
        guard cursor.take(0x7B) else { return nil }
        var row = [Double](repeating: 0, count: features.count)
        var seen: UInt128 = 0
        var place = 0
        repeat {
            guard place < features.count, let name = cursor.string(), cursor.take(0x3A) else {
                return nil
            }
            var feature = order.places[place]
            if !isName(name, of: feature) {
                guard let other = features.indices.first(where: { isName(name, of: $0) }) else {
                    return nil
                }
                feature = other
                order.places[place] = other
            }
            guard seen & (1 << UInt128(feature)) == 0 else { return nil }
            seen |= 1 << UInt128(feature)
            if cursor.null() {
                guard features[feature].missing != .refuse else { return nil }
                row[feature] = .nan
            } else {
                guard let number = cursor.number(), features[feature].accepts(number.value) else {
                    return nil
                }
                row[feature] = number.value
            }
            place += 1
        } while cursor.take(0x2C)
        guard cursor.take(0x7D), place == features.count else { return nil }
        return row
    }

    private func isName(_ name: UnsafeRawBufferPointer, of feature: Int) -> Bool {
        let start = feature == 0 ? 0 : ends[feature - 1]
        guard ends[feature] - start == name.count else { return false }
        return names.withUnsafeBytes {
            UnsafeRawBufferPointer(rebasing: $0[start..<ends[feature]]).elementsEqual(name)
        }
    }
}

/// Goes over the bytes of a body.
private struct PlainCursor {
    private let bytes: UnsafeRawBufferPointer
    private var at = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    private var next: UInt8? { at < bytes.count ? bytes[at] : nil }

    var isAtEnd: Bool {
        mutating get {
            skipSpace()
            return at == bytes.count
        }
    }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            at += 1
        }
    }

    /// Takes a byte, and space before it.
    mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard next == byte else { return false }
        at += 1
        return true
    }

    /// Takes the word `null`.
    mutating func null() -> Bool {
        skipSpace()
        guard at + 4 <= bytes.count, bytes[at] == 0x6E, bytes[at + 1] == 0x75,
            bytes[at + 2] == 0x6C, bytes[at + 3] == 0x6C
        else { return false }
        at += 4
        return true
    }

    /// A string of ASCII without escapes.
    mutating func string() -> UnsafeRawBufferPointer? {
        guard take(0x22) else { return nil }
        let start = at
        while let byte = next {
            if byte == 0x22 {
                at += 1
                return UnsafeRawBufferPointer(rebasing: bytes[start..<at - 1])
            }
            guard byte >= 0x20, byte < 0x80, byte != 0x5C else { return nil }
            at += 1
        }
        return nil
    }

    /// A string that may name a transaction or an entity.
    mutating func name() -> String? {
        guard let text = string(), (1...ScoreRequestReader.nameBytesMax).contains(text.count)
        else { return nil }
        return String(decoding: text, as: UTF8.self)
    }

    /// 10^0 to 10^22, each exact.
    private static let powers: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
        1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]

    /// A number, correctly rounded; `isWhole` for one without point and exponent.
    ///
    /// A mantissa below 10^15 and a power of ten up to 22 are both exact, so that one division or
    /// product rounds correctly (Clinger, "How to read floating point numbers accurately", 1990);
    /// others go to the library.
    mutating func number() -> (value: Double, isWhole: Bool)? {
        skipSpace()
        let start = at
        let isNegative = next == 0x2D
        if isNegative { at += 1 }
        var (mantissa, digits, exponent): (Int64, Int, Int) = (0, 0, 0)
        let first = at
        guard digit(&mantissa, &digits) else { return nil }
        if bytes[first] != 0x30 { while digit(&mantissa, &digits) {} }
        var isWhole = true
        if next == 0x2E {
            isWhole = false
            at += 1
            let point = at
            guard digit(&mantissa, &digits) else { return nil }
            while digit(&mantissa, &digits) {}
            exponent = point - at
        }
        if next == 0x65 || next == 0x45 {
            isWhole = false
            at += 1
            let falls = next == 0x2D
            if falls || next == 0x2B { at += 1 }
            var (power, count): (Int64, Int) = (0, 0)
            guard digit(&power, &count) else { return nil }
            while digit(&power, &count) {}
            guard count <= 15 else { return nil }
            exponent += falls ? -Int(power) : Int(power)
        }
        if digits <= 15, exponent.magnitude <= 22 {
            let whole = Double(isNegative ? -mantissa : mantissa)
            let power = Self.powers[Int(exponent.magnitude)]
            let value = exponent < 0 ? whole / power : whole * power
            // Minus zero with a point is one; without, it is the integer zero.
            return (isNegative && mantissa == 0 && !isWhole ? -0.0 : value, isWhole)
        }
        guard !isWhole,
            let value = Double(
                String(decoding: UnsafeRawBufferPointer(rebasing: bytes[start..<at]), as: UTF8.self)
            ),
            value.isFinite
        else { return nil }
        return (value, false)
    }

    /// Takes a digit; of more than 18 only the count.
    private mutating func digit(_ number: inout Int64, _ count: inout Int) -> Bool {
        guard let byte = next, byte >= 0x30, byte <= 0x39 else { return false }
        if count < 18 { number = number * 10 + Int64(byte - 0x30) }
        count += 1
        at += 1
        return true
    }
}
