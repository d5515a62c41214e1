/// What the coordinator asks in a logistic regression; its canonical bytes are the body of a
/// ``Query``.
enum LogisticQuery: Equatable, Sendable {
    /// Rows, frauds, and the sum of each feature's transformed values.
    case rowSums(RowSums)
    /// First and second moments about provisional means.
    case moments(Moments)
    /// Gradient, Hessian and loss at a point.
    case newton(Newton)

    /// Scales of the sums, one a feature.
    struct RowSums: Equatable, Sendable {
        var exponents: [Int]
    }

    /// The public figures of the first sums, and scales.
    struct Moments: Equatable, Sendable {
        var rows: Int
        var centres: [Double]
        var firstExponents: [Int]
        var secondExponents: [Int]
    }

    /// The public figures of both statistics, the point, and the scales of the lane blocks.
    struct Newton: Equatable, Sendable {
        var rows: Int
        var standardisation: Standardisation
        var point: [Double]
        var gradientExponent: Int
        var hessianExponent: Int
        var lossExponent: Int
    }

    /// The name in logs and in the egress ledger.
    var kind: String {
        switch self {
        case .rowSums: "row-sums"
        case .moments: "moments"
        case .newton: "newton"
        }
    }

    /// Lanes of the answer, with `features` features.
    func laneCount(features: Int) -> Int {
        switch self {
        case .rowSums: 2 + features
        case .moments: 2 * features
        case .newton: Self.newtonLaneCount(features: features)
        }
    }

    /// Gradient, upper triangle of the Hessian, loss.
    static func newtonLaneCount(features: Int) -> Int {
        (features + 1) + (features + 1) * (features + 2) / 2 + 1
    }

    /// The canonical bytes, naming the feature standard.
    func bytes(standardHash: [UInt8]) -> [UInt8] {
        var writer = ByteWriter()
        writer.writeFixed(standardHash)
        switch self {
        case .rowSums(let query):
            writer.write(UInt8(0))
            Self.write(query.exponents, to: &writer)
        case .moments(let query):
            writer.write(UInt8(1))
            writer.write(UInt64(query.rows))
            writer.writeEach(query.centres) { $0.write($1) }
            Self.write(query.firstExponents, to: &writer)
            Self.write(query.secondExponents, to: &writer)
        case .newton(let query):
            writer.write(UInt8(2))
            writer.write(UInt64(query.rows))
            writer.writeEach(query.standardisation.means) { $0.write($1) }
            writer.writeEach(query.standardisation.deviations) { $0.write($1) }
            writer.writeEach(query.standardisation.varies) { $0.write(UInt8($1 ? 1 : 0)) }
            writer.writeEach(query.point) { $0.write($1) }
            for exponent in [query.gradientExponent, query.hessianExponent, query.lossExponent] {
                writer.write(UInt8(exponent))
            }
        }
        return writer.bytes
    }

    /// Parses ``bytes(standardHash:)``.
    ///
    /// - Throws: ``DecodingFailure``, also for another feature standard.
    init(bytes: [UInt8], standardHash: [UInt8]) throws(DecodingFailure) {
        var reader = ByteReader(bytes)
        guard try reader.readFixed(32) == standardHash else {
            throw .invalidValue(field: "feature standard", at: 0)
        }
        let kind = try reader.read(UInt8.self)
        let query: Self
        switch kind {
        case 0:
            query = .rowSums(RowSums(exponents: try Self.readExponents(&reader)))
        case 1:
            query = .moments(
                Moments(
                    rows: try Self.readCount(&reader), centres: try Self.readDoubles(&reader),
                    firstExponents: try Self.readExponents(&reader),
                    secondExponents: try Self.readExponents(&reader)))
        case 2:
            query = .newton(try Self.readNewton(&reader))
        default:
            throw .invalidValue(field: "kind", at: 32)
        }
        try reader.finish()
        self = query
    }

    private static func readNewton(_ reader: inout ByteReader) throws(DecodingFailure) -> Newton {
        let rows = try readCount(&reader)
        let means = try readDoubles(&reader)
        let deviations = try readDoubles(&reader)
        let start = reader.position
        let varies = try reader.readEach(limit: LinearFeatureSpace.featureCountMax) {
            (reader: inout ByteReader) throws(DecodingFailure) -> Bool in
            let flag = try reader.read(UInt8.self)
            guard flag <= 1 else { throw .invalidValue(field: "flag", at: reader.position) }
            return flag == 1
        }
        guard means.count == deviations.count, means.count == varies.count else {
            throw .invalidValue(field: "standardisation", at: start)
        }
        return Newton(
            rows: rows,
            standardisation: Standardisation(means: means, deviations: deviations, varies: varies),
            point: try readDoubles(&reader), gradientExponent: Int(try reader.read(UInt8.self)),
            hessianExponent: Int(try reader.read(UInt8.self)),
            lossExponent: Int(try reader.read(UInt8.self)))
    }

    private static func write(_ exponents: [Int], to writer: inout ByteWriter) {
        writer.writeEach(exponents) { $0.write(UInt8($1)) }
    }

    private static func readExponents(_ reader: inout ByteReader) throws(DecodingFailure) -> [Int] {
        try reader.readEach(limit: LinearFeatureSpace.featureCountMax) {
            (reader: inout ByteReader) throws(DecodingFailure) -> Int in
            Int(try reader.read(UInt8.self))
        }
    }

    private static func readDoubles(_ reader: inout ByteReader) throws(DecodingFailure) -> [Double]
    {
        try reader.readEach(limit: LinearFeatureSpace.featureCountMax + 1) {
            (reader: inout ByteReader) throws(DecodingFailure) -> Double in
            try reader.readDouble()
        }
    }

    private static func readCount(_ reader: inout ByteReader) throws(DecodingFailure) -> Int {
        let start = reader.position
        let count = try reader.read(UInt64.self)
        guard count <= 1 << 40 else { throw .invalidValue(field: "rows", at: start) }
        return Int(count)
    }
}
