internal import CFedKernels
internal import FedCrypto

/// Reads model files in the one spelling that they are written in, in a single pass over the bytes.
///
/// A service reads models of megabytes while it answers requests; a general decoder takes most of a
/// second of a processor for that. Of anything but the canonical bytes with their right hash it
/// says nothing, and the general reader names what is wrong. What it takes, that reader takes as
/// the same.
struct ModelFileScanner {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var at = 0
    /// For comparison: how a number that was read is written.
    private var text: [UInt8] = []
    /// Where the edges of each feature stand; thresholds repeat them.
    private var edges: [[Range<Int>]] = []

    /// Reads the members of a file.
    ///
    /// - Returns: `nil` for bytes that need the general reader; whether the members make a model is
    ///   not looked at.
    static func scan(_ bytes: [UInt8]) -> ModelFile? {
        bytes.withUnsafeBufferPointer { bytes in
            var scanner = ModelFileScanner(bytes: bytes)
            return scanner.file()
        }
    }

    private init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    private mutating func file() -> ModelFile? {
        guard take("{\"baseMargin\":"), let base = number(), take(",\"configuration\":"),
            let configuration = configuration()
        else { return nil }
        let hashStart = at
        guard take(",\"contentHash\":"), let hash = digest() else { return nil }
        let hashEnd = at
        guard take(",\"features\":"), let features = list({ $0.feature() }),
            take(",\"format\":"), string() == GradientBoostingModel.format,
            take(",\"manifestHash\":")
        else { return nil }
        var manifest: String?
        if !take("null") {
            guard let digest = digest() else { return nil }
            manifest = digest
        }
        guard take(",\"standardHash\":"), let standard = digest(), take(",\"trees\":"),
            let trees = list({ $0.tree() }), take("}"), at == bytes.count
        else { return nil }
        var content = SHA256()
        content.update(
            UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[..<hashStart]))
        content.update(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[hashEnd...]))
        guard content.finalize().hexadecimal == hash else { return nil }
        return ModelFile(
            format: GradientBoostingModel.format, standardHash: standard, manifestHash: manifest,
            configuration: configuration, baseMargin: base, features: features, trees: trees)
    }

    /// The hyper-parameters, whose text is compared as a whole.
    private mutating func configuration() -> [String: Double]? {
        let start = at
        guard take("{") else { return nil }
        var members: [String: Double] = [:]
        repeat {
            guard let name = string(), take(":"), let value = number(),
                members.updateValue(value, forKey: name) == nil
            else { return nil }
        } while take(",")
        guard take("}"), let read = try? GradientBoostingConfiguration(members: members),
            bytes[start..<at].elementsEqual(read.json.bytes)
        else { return nil }
        return members
    }

    private mutating func feature() -> ModelFile.Feature? {
        var feature = ModelFile.Feature(name: "", missingBin: 0)
        var places: [Range<Int>] = []
        if take("{\"edges\":") {
            feature.edges = list { scanner in
                let start = scanner.at
                guard let edge = scanner.number() else { return nil }
                places.append(start..<scanner.at)
                return edge
            }
            guard feature.edges != nil else { return nil }
        } else {
            guard take("{\"levelBins\":"), let levels = list({ $0.byte() }) else { return nil }
            feature.levelBins = levels
        }
        edges.append(places)
        guard take(",\"missingBin\":"), let missing = byte(), take(",\"name\":"),
            let name = string(), take("}")
        else { return nil }
        feature.missingBin = missing
        feature.name = name
        return feature
    }

    private mutating func tree() -> ModelFile.Tree? {
        var tree = ModelFile.Tree()
        guard take("{\"bin\":"), let bins = list({ $0.byte() }), take(",\"cover\":"),
            let covers = list({ $0.number() }, reserving: bins.count), take(",\"feature\":"),
            let features = list({ $0.whole() }, reserving: bins.count), take(",\"gain\":"),
            let gains = list({ $0.number() }, reserving: bins.count), take(",\"left\":"),
            let lefts = list({ $0.whole() }, reserving: bins.count), take(",\"missingLeft\":"),
            let missing = list({ $0.bool() }, reserving: bins.count), take(",\"threshold\":"),
            features.count == bins.count, thresholds(bins, features), take(",\"weight\":"),
            let weights = list({ $0.number() }, reserving: bins.count), take("}")
        else { return nil }
        tree.feature = features
        tree.bin = bins
        tree.missingLeft = missing
        tree.left = lefts
        tree.gain = gains
        tree.cover = covers
        tree.weight = weights
        return tree
    }

    /// Takes the list of thresholds, which say again what features and bins say.
    private mutating func thresholds(_ bins: [UInt8], _ features: [Int]) -> Bool {
        guard take("[") else { return false }
        for index in bins.indices {
            guard index == 0 || take(",") else { return false }
            let (bin, feature) = (Int(bins[index]), features[index])
            guard feature == -1 || edges.indices.contains(feature) else { return false }
            guard feature >= 0, bin > 0, !edges[feature].isEmpty else {
                guard take("null") else { return false }
                continue
            }
            guard bin <= edges[feature].count else { return false }
            let edge = edges[feature][bin - 1]
            guard at + edge.count <= bytes.count,
                bytes[at..<at + edge.count].elementsEqual(bytes[edge])
            else { return false }
            at += edge.count
        }
        return take("]")
    }

    // MARK: Values

    private mutating func take(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard at + count <= bytes.count else { return false }
        for index in 0..<count where bytes[at + index] != text.utf8Start[index] { return false }
        at += count
        return true
    }

    private mutating func list<Value>(
        _ read: (inout Self) -> Value?, reserving count: Int = 0
    ) -> [Value]? {
        guard take("[") else { return nil }
        var values: [Value] = []
        values.reserveCapacity(count)
        if take("]") { return values }
        repeat {
            guard let value = read(&self) else { return nil }
            values.append(value)
        } while take(",")
        return take("]") ? values : nil
    }

    private mutating func bool() -> Bool? { take("true") ? true : take("false") ? false : nil }

    /// A whole number of at most nine digits without a plus sign or needless zeros.
    private mutating func whole() -> Int? {
        let isNegative = take("-")
        let start = at
        var value = 0
        while at < bytes.count, (0x30...0x39).contains(bytes[at]), at - start < 9 {
            value = value * 10 + Int(bytes[at] - 0x30)
            at += 1
        }
        guard at > start, at - start == 1 || bytes[start] != 0x30, !isNegative || value != 0 else {
            return nil
        }
        return isNegative ? -value : value
    }

    private mutating func byte() -> UInt8? { whole().flatMap { UInt8(exactly: $0) } }

    /// A number as it is written, and in no other spelling.
    private mutating func number() -> Double? {
        let start = at
        while at < bytes.count, Self.isOfNumber(bytes[at]) { at += 1 }
        var value = 0.0
        let spelt = UnsafeBufferPointer(rebasing: bytes[start..<at])
        // Half of the numbers of a tree are the zeros of leaves or of splits.
        if spelt.count == 1, spelt[0] == 0x30 { return 0 }
        guard fed_csv_parse_number(spelt.baseAddress, spelt.count, &value) == FED_CSV_NUMBER else {
            return nil
        }
        text.removeAll(keepingCapacity: true)
        CanonicalJSON.append(value, to: &text)
        return text.elementsEqual(spelt) ? value : nil
    }

    private static func isOfNumber(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x2D, 0x2E, 0x2B, 0x65: true
        default: false
        }
    }

    /// A string without escapes.
    private mutating func string() -> String? {
        guard take("\"") else { return nil }
        let start = at
        while at < bytes.count, bytes[at] >= 0x20, bytes[at] != 0x22, bytes[at] != 0x5C { at += 1 }
        let end = at
        guard take("\"") else { return nil }
        return String(validating: bytes[start..<end], as: UTF8.self)
    }

    /// A SHA-256, 64 lower-case hexadecimal digits.
    private mutating func digest() -> String? {
        guard let text = string(), text.utf8.count == 64,
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else { return nil }
        return text
    }
}
