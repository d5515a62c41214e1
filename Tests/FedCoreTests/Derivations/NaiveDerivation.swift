import FedCore

/// Every feature of every row by going over all rows: the definition, and no more.
struct NaiveDerivation {
    let derivation: Derivation
    let rows: [RawRow]

    func features() -> [[Double]] {
        rows.indices.map { row in derivation.features.map { value($0.value, row) } }
    }

    private func number(_ column: String, _ row: Int) -> Double {
        let index = derivation.numberColumns.firstIndex { $0.name == column }!
        return rows[row].numbers[index]
    }

    private func keyPart(_ column: String, _ row: Int) -> AnyHashable? {
        if let index = derivation.entityColumns.firstIndex(where: { $0.name == column }) {
            let key = rows[row].entities[index]
            return key == .missing ? nil : key
        }
        let value = number(column, row)
        return value.isNaN ? nil : value
    }

    private func value(_ expression: Expression, _ row: Int) -> Double {
        let time = Double(rows[row].time)
        let day = (time / 86_400).rounded(.down)
        switch expression {
        case .copy(let column): return number(column, row)
        case .constant(let value): return value
        case .hour: return ((time - day * 86_400) / 3_600).rounded(.down)
        case .day: return day
        case .weekday(let offset):
            let shifted = day + Double(offset)
            return shifted - 7 * (shifted / 7).rounded(.down)
        case .compare(let operand, let relation, let other):
            let value = value(operand, row)
            if value.isNaN { return .nan }
            switch relation {
            case .less: return value < other ? 1 : 0
            case .atMost: return value <= other ? 1 : 0
            case .equal: return value == other ? 1 : 0
            case .unequal: return value != other ? 1 : 0
            case .atLeast: return value >= other ? 1 : 0
            case .greater: return value > other ? 1 : 0
            }
        case .isIn(let operand, let values):
            let value = value(operand, row)
            return value.isNaN ? .nan : values.contains(value) ? 1 : 0
        case .oneHot(let column, let level): return number(column, row) == level ? 1 : 0
        case .ratio(let first, let second, let empty):
            let denominator = value(second, row)
            return denominator == 0 ? empty : value(first, row) / denominator
        case .product(let terms): return terms.reduce(1) { $0 * value($1, row) }
        case .sum(let terms): return terms.reduce(0) { $0 + value($1, row) }
        case .difference(let first, let second): return value(first, row) - value(second, row)
        case .window(let figure): return value(figure, row)
        case .indicator: return .nan
        }
    }

    private func members(_ figure: WindowFigure, _ row: Int) -> [Int] {
        let key = figure.by.map { keyPart($0, row) }
        guard !key.contains(nil) else { return [] }
        let time = rows[row].time
        return rows.indices.filter { other in
            let isWithin =
                rows[other].time > time - figure.window.far
                && rows[other].time <= time - figure.window.near
            let cameBefore = derivation.ties == .together || other <= row
            let counts = figure.filter.map { filter in
                let value = value(filter, other)
                return !value.isNaN && value != 0
            }
            return isWithin && cameBefore && (counts ?? true)
                && figure.by.map { keyPart($0, other) } == key
        }
    }

    private func value(_ figure: WindowFigure, _ row: Int) -> Double {
        let members = members(figure, row)
        let empty = figure.empty
        func present(_ column: String) -> [Double] {
            members.map { number(column, $0) }.filter { !$0.isNaN }
        }
        switch figure.measure {
        case .count: return Double(members.count)
        case .sum(let column): return present(column).reduce(0, +)
        case .mean(let column):
            let values = present(column)
            return values.isEmpty ? empty : values.reduce(0, +) / Double(values.count)
        case .min(let column): return present(column).min() ?? empty
        case .max(let column): return present(column).max() ?? empty
        case .distinct(let column):
            return Double(Set(members.compactMap { keyPart(column, $0) }).count)
        case .timeSinceLast:
            let latest = members.filter { $0 != row }.map { rows[$0].time }.max()
            return latest.map { Double(rows[row].time - $0) } ?? empty
        case .frauds: return Double(members.count { rows[$0].isFraud == true })
        case .fraudShare:
            guard !members.isEmpty else { return empty }
            return Double(members.count { rows[$0].isFraud == true }) / Double(members.count)
        }
    }
}

/// A derivation with every operator, over windows that share keys and overlap.
func everyOperator(ties: Derivation.Ties, labelDelay: Int64 = 50) throws -> Derivation {
    func window(
        _ measure: WindowFigure.Measure, _ by: [String], _ far: Int64, _ near: Int64 = 0,
        empty: Double = 0, of filter: Expression? = nil
    ) -> Expression {
        .window(
            WindowFigure(
                measure, by: by, window: TimeWindow(far: far, near: near), empty: empty,
                filter: filter))
    }
    let large = Expression.compare(.copy(column: "amount"), .greater, 20)
    let known = Expression.product([
        .copy(column: "age"), .compare(.copy(column: "kind"), .atLeast, 1),
        .sum([.constant(1), large, .constant(-1)]),
    ])
    let one = ["card"]
    let late = labelDelay
    let values: [Expression] = [
        .copy(column: "amount"), .hour, .day, .weekday(offset: 3),
        .compare(.hour, .atMost, 6), .compare(.copy(column: "age"), .greater, 40),
        .isIn(.weekday(offset: 1), [0, 6]), .oneHot(column: "kind", level: 2),
        window(.count, one, 30), window(.count, one, 200), window(.count, ["shop"], 90, 7),
        window(.sum(column: "amount"), one, 30), window(.sum(column: "age"), one, 200, 20),
        window(.mean(column: "amount"), one, 200, empty: -1),
        window(.mean(column: "age"), ["shop"], 60, 1, empty: 9),
        window(.min(column: "amount"), one, 100), window(.max(column: "amount"), one, 100),
        window(.min(column: "age"), ["shop"], 80, 5, empty: 3),
        window(.max(column: "age"), one, 40, empty: -2),
        window(.distinct(column: "shop"), one, 100), window(.distinct(column: "kind"), one, 60, 3),
        window(.distinct(column: "card"), ["shop", "kind"], 150),
        window(.timeSinceLast, one, 100, empty: 777), window(.timeSinceLast, ["shop"], 60, 9),
        window(.count, ["card", "kind"], 120), window(.count, ["kind", "shop", "card"], 300),
        window(.frauds, ["shop"], late + 40, late), window(.frauds, one, late + 90, late + 10),
        window(.fraudShare, ["shop"], late + 100, late, empty: 0.5),
        window(.count, one, 90, of: large), window(.count, one, 90, 4, of: large),
        window(.timeSinceLast, one, 150, empty: 777, of: large),
        window(.timeSinceLast, ["shop"], 90, 5, empty: 777, of: known),
        window(.mean(column: "amount"), ["shop"], 120, empty: -1, of: known),
        window(.max(column: "age"), one, 80, empty: -1, of: large),
        window(.distinct(column: "shop"), one, 100, of: known),
        window(.fraudShare, ["shop"], late + 100, late, empty: 0.5, of: large),
        .ratio(.copy(column: "amount"), window(.mean(column: "amount"), one, 200), empty: 4),
        .ratio(window(.count, one, 60, 30), window(.count, one, 90, 60), empty: -1),
        .product([.copy(column: "amount"), window(.count, one, 30), .constant(2)]),
        .sum([.hour, .copy(column: "age"), .constant(0.5)]),
        .difference(.copy(column: "amount"), window(.min(column: "amount"), one, 100)),
    ]
    return try Derivation(
        name: "every", version: 1, description: "Every operator.", standard: "every",
        labelDelay: labelDelay, ties: ties,
        columns: [
            RawColumn(name: "row", role: .row, kind: .integer),
            RawColumn(name: "time", role: .time, kind: .integer),
            RawColumn(name: "card", role: .entity, kind: .integer),
            RawColumn(name: "shop", role: .entity, kind: .text, missing: .keep),
            RawColumn(name: "amount", role: .amount, kind: .number),
            RawColumn(name: "age", role: .number, kind: .integer, missing: .keep),
            RawColumn(name: "kind", role: .category, kind: .integer, missing: .keep),
            RawColumn(name: "fraud", role: .label, kind: .integer),
        ],
        features: values.enumerated().map {
            Derivation.DerivedFeature(name: "f\($0)", value: $1)
        })
}

/// Rows with many ties in time, missing values and keys that fall silent.
func randomRows(_ count: Int, seed: UInt64, labelled: Bool = true) -> [RawRow] {
    var random = SplitMix64(seed: seed)
    var time = Int64(-300)
    return (0..<count).map { index in
        if Int.random(in: 0..<3, using: &random) > 0 {
            time += Int64.random(in: 0..<12, using: &random)
        }
        if Int.random(in: 0..<60, using: &random) == 0 { time += 200 }
        func rarely() -> Bool { Int.random(in: 0..<9, using: &random) == 0 }
        let shop = Int.random(in: 0..<5, using: &random)
        let isFraud = Int.random(in: 0..<4, using: &random) == 0
        return RawRow(
            time: time, number: Int64(index), isFraud: labelled ? isFraud : nil,
            numbers: [
                Double(Int.random(in: 0..<5000, using: &random)) / 100,
                rarely() ? .nan : Double(Int.random(in: 18..<80, using: &random)),
                rarely() ? .nan : Double(Int.random(in: 0..<4, using: &random)),
            ],
            entities: [
                EntityKey(Int64.random(in: 0..<4, using: &random)),
                rarely() ? .missing : EntityKey(name: Array("shop \(shop)".utf8)),
            ])
    }
}

extension DerivationState {
    /// The features of rows in a file's order: all rows of one time at once.
    mutating func batch(_ rows: [RawRow]) throws -> [[Double]] {
        var features: [[Double]] = []
        var start = 0
        while start < rows.count {
            let end = rows[start...].firstIndex { $0.time != rows[start].time } ?? rows.count
            features += try apply(together: Array(rows[start..<end]))
            start = end
        }
        return features
    }
}

/// Equal bit for bit, missing values being equal to each other.
func isSame(_ first: [[Double]], _ second: [[Double]]) -> Bool {
    first.count == second.count
        && zip(first, second).allSatisfy { first, second in
            first.count == second.count
                && zip(first, second).allSatisfy { $0 == $1 || ($0.isNaN && $1.isNaN) }
        }
}
