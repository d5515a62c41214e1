/// The JSON form of ``Expression``: an object whose member `op` names the operator.
struct ExpressionMembers: Decodable {
    /// The operators' names.
    enum Operator: String, CaseIterable {
        case copy
        case constant
        case hour
        case day
        case weekday
        case compare
        case isIn = "in"
        case oneHot = "one_hot"
        case count
        case sum
        case mean
        case min
        case max
        case distinct
        case timeSinceLast = "time_since_last"
        case frauds
        case fraudShare = "fraud_share"
        case indicator
        case ratio
        case times
        case plus
        case minus

        /// The members beside `op`; `empty` may be left out and is 0 then, `where` may be left out.
        var memberNames: [String] {
            switch self {
            case .copy: ["column"]
            case .constant: ["value"]
            case .hour, .day: []
            case .weekday: ["offset"]
            case .compare: ["of", "is", "to"]
            case .isIn: ["of", "values"]
            case .oneHot: ["column", "level"]
            case .count, .frauds: ["by", "window", "where"]
            case .sum, .distinct: ["column", "by", "window", "where"]
            case .mean, .min, .max: ["column", "by", "window", "empty", "where"]
            case .timeSinceLast, .fraudShare: ["by", "window", "empty", "where"]
            case .indicator: ["indicator", "measure", "window"]
            case .ratio: ["of", "to", "empty"]
            case .times, .plus: ["terms"]
            case .minus: ["of", "less"]
            }
        }
    }

    /// Operators within operators.
    static let depthMax = 16

    /// As it stands; ``resolved(delay:)`` moves windows that wait for labels.
    let expression: Expression

    init(from decoder: any Decoder) throws {
        let members = try StrictMembers(decoder)
        // Each level of operators has one name in the path, or a name and an index.
        guard decoder.codingPath.count <= 2 * Self.depthMax + 3 else {
            throw FeatureStandardError.invalidValue(
                place: "features", got: "operators within more than \(Self.depthMax) operators",
                expected: "fewer")
        }
        let path = decoder.codingPath.map { $0.intValue.map { "[\($0)]" } ?? "." + $0.stringValue }
        let place = String(path.joined().drop { $0 == "." })
        let op: Operator = try members.word("op", place: place + ".op")
        try members.allow(["op"] + op.memberNames)
        expression = try Self.read(op, members, place: place)
    }

    private static func read(
        _ op: Operator, _ members: StrictMembers, place: String
    ) throws -> Expression {
        func text(_ name: String) throws -> String {
            try members.value(String.self, name, "a string")
        }
        func number(_ name: String) throws -> Double {
            // Zero has one sign, or equal documents would give unequal derivations.
            try members.value(Double.self, name, "a number") + 0
        }
        func operand(_ name: String) throws -> Expression {
            try members.value(ExpressionMembers.self, name, "an object").expression
        }
        func terms() throws -> [Expression] {
            try members.value([ExpressionMembers].self, "terms", "a list of objects")
                .map(\.expression)
        }
        func figure(_ measure: WindowFigure.Measure) throws -> Expression {
            .window(
                WindowFigure(
                    measure, by: try members.value([String].self, "by", "a list of strings"),
                    window: try members.value(WindowMembers.self, "window", "an object").window,
                    empty: try members.has("empty") ? number("empty") : 0,
                    filter: try members.has("where") ? operand("where") : nil))
        }
        switch op {
        case .copy: return .copy(column: try text("column"))
        case .constant: return .constant(try number("value"))
        case .hour: return .hour
        case .day: return .day
        case .weekday:
            return .weekday(offset: try members.value(Int.self, "offset", "a whole number"))
        case .compare:
            let relation: Expression.Relation = try members.word("is", place: place + ".is")
            return .compare(try operand("of"), relation, try number("to"))
        case .isIn:
            let values = try members.value([Double].self, "values", "a list of numbers")
            return .isIn(try operand("of"), values.map { $0 + 0 })
        case .oneHot: return .oneHot(column: try text("column"), level: try number("level"))
        case .count: return try figure(.count)
        case .sum: return try figure(.sum(column: text("column")))
        case .mean: return try figure(.mean(column: text("column")))
        case .min: return try figure(.min(column: text("column")))
        case .max: return try figure(.max(column: text("column")))
        case .distinct: return try figure(.distinct(column: text("column")))
        case .timeSinceLast: return try figure(.timeSinceLast)
        case .frauds: return try figure(.frauds)
        case .fraudShare: return try figure(.fraudShare)
        case .indicator:
            return .indicator(
                IndicatorFigure(
                    indicator: try text("indicator"), measure: try text("measure"),
                    window: try members.value(WindowMembers.self, "window", "an object").window))
        case .ratio:
            return .ratio(
                try operand("of"), try operand("to"),
                empty: try members.has("empty") ? number("empty") : 0)
        case .times: return .product(try terms())
        case .plus: return .sum(try terms())
        case .minus: return .difference(try operand("of"), try operand("less"))
        }
    }

    /// The expression with windows that wait for labels moved back by the delay.
    func resolved(delay: Int64) -> Expression { Self.resolve(expression, delay) }

    /// An expression with windows that wait for labels moved back by the delay.
    static func resolve(_ expression: Expression, _ delay: Int64) -> Expression {
        switch expression {
        case .copy, .constant, .hour, .day, .weekday, .oneHot: return expression
        case .compare(let operand, let relation, let value):
            return .compare(resolve(operand, delay), relation, value)
        case .isIn(let operand, let values): return .isIn(resolve(operand, delay), values)
        case .window(let figure):
            return .window(
                WindowFigure(
                    figure.measure, by: figure.by, window: figure.window.resolved(delay: delay),
                    empty: figure.empty, filter: figure.filter))
        case .indicator(let figure):
            return .indicator(
                IndicatorFigure(
                    indicator: figure.indicator, measure: figure.measure,
                    window: figure.window.resolved(delay: delay)))
        case .ratio(let first, let second, let empty):
            return .ratio(resolve(first, delay), resolve(second, delay), empty: empty)
        case .product(let terms): return .product(terms.map { resolve($0, delay) })
        case .sum(let terms): return .sum(terms.map { resolve($0, delay) })
        case .difference(let first, let second):
            return .difference(resolve(first, delay), resolve(second, delay))
        }
    }

    static func json(_ expression: Expression) -> CanonicalJSON {
        func object(_ op: Operator, _ members: [String: CanonicalJSON] = [:]) -> CanonicalJSON {
            .object(members.merging(["op": .string(op.rawValue)]) { first, _ in first })
        }
        func list(_ terms: [Expression]) -> CanonicalJSON { .array(terms.map(json)) }
        switch expression {
        case .copy(let column): return object(.copy, ["column": .string(column)])
        case .constant(let value): return object(.constant, ["value": .number(value)])
        case .hour: return object(.hour)
        case .day: return object(.day)
        case .weekday(let offset):
            return object(.weekday, ["offset": .integer(Int64(offset))])
        case .compare(let operand, let relation, let value):
            return object(
                .compare,
                ["of": json(operand), "is": .string(relation.rawValue), "to": .number(value)])
        case .isIn(let operand, let values):
            return object(
                .isIn, ["of": json(operand), "values": .array(values.map { .number($0) })])
        case .oneHot(let column, let level):
            return object(.oneHot, ["column": .string(column), "level": .number(level)])
        case .window(let figure): return json(figure)
        case .indicator(let figure):
            return object(
                .indicator,
                [
                    "indicator": .string(figure.indicator), "measure": .string(figure.measure),
                    "window": WindowMembers.json(figure.window),
                ])
        case .ratio(let first, let second, let empty):
            return object(
                .ratio, ["of": json(first), "to": json(second), "empty": .number(empty)])
        case .product(let terms): return object(.times, ["terms": list(terms)])
        case .sum(let terms): return object(.plus, ["terms": list(terms)])
        case .difference(let first, let second):
            return object(.minus, ["of": json(first), "less": json(second)])
        }
    }

    private static func json(_ figure: WindowFigure) -> CanonicalJSON {
        let (op, column): (Operator, String?) =
            switch figure.measure {
            case .count: (.count, nil)
            case .sum(let column): (.sum, column)
            case .mean(let column): (.mean, column)
            case .min(let column): (.min, column)
            case .max(let column): (.max, column)
            case .distinct(let column): (.distinct, column)
            case .timeSinceLast: (.timeSinceLast, nil)
            case .frauds: (.frauds, nil)
            case .fraudShare: (.fraudShare, nil)
            }
        var members: [String: CanonicalJSON] = [
            "op": .string(op.rawValue),
            "by": .array(figure.by.map { .string($0) }),
            "window": WindowMembers.json(figure.window),
        ]
        if let column { members["column"] = .string(column) }
        if op.memberNames.contains("empty") { members["empty"] = .number(figure.empty) }
        if let filter = figure.filter { members["where"] = json(filter) }
        return .object(members)
    }
}

/// The JSON form of ``TimeWindow``: `far` with `near`, or with `after_label_delay`.
struct WindowMembers: Decodable {
    /// Stands for a near end at the label delay until that is known.
    static let afterDelay = Int64.min

    static let memberNames = ["far", "near", "after_label_delay"]

    let window: TimeWindow

    static func json(_ window: TimeWindow) -> CanonicalJSON {
        .object(["far": .integer(window.far), "near": .integer(window.near)])
    }

    init(from decoder: any Decoder) throws {
        let members = try StrictMembers(decoder, allowed: Self.memberNames)
        let far = try members.value(Int64.self, "far", "a whole number")
        let isDelayed =
            try members.has("after_label_delay")
            && members.value(Bool.self, "after_label_delay", "true or false")
        if isDelayed, !members.has("near") {
            window = TimeWindow(far: far, near: Self.afterDelay)
        } else {
            let near = try members.value(Int64.self, "near", "a whole number")
            // Both at once would say two things of one end.
            guard !isDelayed, near != Self.afterDelay else {
                throw FeatureStandardError.invalidValue(
                    place: "window", got: "near and after_label_delay", expected: "one of them")
            }
            window = TimeWindow(far: far, near: near)
        }
    }
}

extension TimeWindow {
    /// The window with its near end moved to the label delay, where that was asked for.
    fileprivate func resolved(delay: Int64) -> TimeWindow {
        guard near == WindowMembers.afterDelay else { return self }
        // Wrapping keeps nonsense out of a trap; the rules refuse it by its size.
        return TimeWindow(far: far &+ delay, near: delay)
    }
}
