internal import FedCrypto

/// The JSON form of ``Indicator``.
struct IndicatorMembers: Decodable {
    let indicator: Indicator

    static let memberNames = [
        "name", "entity", "period", "delay", "floor", "index", "measures",
    ]

    init(from decoder: any Decoder) throws {
        let members = try StrictMembers(decoder, allowed: Self.memberNames)
        let floor = try members.value(FloorMembers.self, "floor", "an object")
        indicator = Indicator(
            name: try members.value(String.self, "name", "a string"),
            entity: try members.value(String.self, "entity", "a string"),
            period: try members.value(Int64.self, "period", "a whole number"),
            delay: try members.value(Int64.self, "delay", "a whole number"),
            floorBanks: floor.banks, floorWindow: floor.window,
            index: try members.value(IndexMembers.self, "index", "an object").index,
            measures: try members.value(
                [MeasureMembers].self, "measures", "a list of objects"
            ).map(\.measure))
    }

    static func json(_ indicator: Indicator) -> CanonicalJSON {
        .object([
            "name": .string(indicator.name),
            "entity": .string(indicator.entity),
            "period": .integer(indicator.period),
            "delay": .integer(indicator.delay),
            "floor": .object([
                "banks": .integer(Int64(indicator.floorBanks)),
                "window": .integer(indicator.floorWindow),
            ]),
            "index": IndexMembers.json(indicator.index),
            "measures": .array(indicator.measures.map(MeasureMembers.json)),
        ])
    }

    struct FloorMembers: Decodable {
        let banks: Int
        let window: Int64

        static let memberNames = ["banks", "window"]

        init(from decoder: any Decoder) throws {
            let members = try StrictMembers(decoder, allowed: Self.memberNames)
            banks = try members.value(Int.self, "banks", "a whole number")
            window = try members.value(Int64.self, "window", "a whole number")
        }
    }

    struct IndexMembers: Decodable {
        enum Kind: String, CaseIterable {
            case range
            case dictionary
            case sketch

            /// The members beside `kind`.
            var memberNames: [String] {
                switch self {
                case .range: ["first", "count"]
                case .dictionary: ["count", "sha256"]
                case .sketch: ["width", "depth"]
                }
            }
        }

        let index: Indicator.Index

        init(from decoder: any Decoder) throws {
            let members = try StrictMembers(decoder)
            let kind: Kind = try members.word("kind", place: "index.kind")
            try members.allow(["kind"] + kind.memberNames)
            func whole(_ name: String) throws -> Int {
                try members.value(Int.self, name, "a whole number")
            }
            switch kind {
            case .range:
                index = .range(
                    first: try members.value(Int64.self, "first", "a whole number"),
                    count: try whole("count"))
            case .dictionary:
                index = .dictionary(
                    count: try whole("count"),
                    sha256: try members.value(String.self, "sha256", "a string"))
            case .sketch: index = .sketch(width: try whole("width"), depth: try whole("depth"))
            }
        }

        static func json(_ index: Indicator.Index) -> CanonicalJSON {
            switch index {
            case .range(let first, let count):
                .object([
                    "kind": .string(Kind.range.rawValue), "first": .integer(first),
                    "count": .integer(Int64(count)),
                ])
            case .dictionary(let count, let sha256):
                .object([
                    "kind": .string(Kind.dictionary.rawValue), "count": .integer(Int64(count)),
                    "sha256": .string(sha256),
                ])
            case .sketch(let width, let depth):
                .object([
                    "kind": .string(Kind.sketch.rawValue), "width": .integer(Int64(width)),
                    "depth": .integer(Int64(depth)),
                ])
            }
        }
    }

    struct MeasureMembers: Decodable {
        enum Kind: String, CaseIterable {
            case count
            case frauds
            case confirmed
            case sum
            case distinct

            /// The members beside `name`, `kind`, `most` and `where`.
            var memberNames: [String] {
                switch self {
                case .count, .frauds, .confirmed: []
                case .sum: ["column", "unit"]
                case .distinct: ["column"]
                }
            }
        }

        /// The members of every kind; `where` may be left out.
        static let memberNames = ["name", "kind", "most", "where"]

        let measure: Indicator.Measure

        init(from decoder: any Decoder) throws {
            let members = try StrictMembers(decoder)
            let word: Kind = try members.word("kind", place: "measures.kind")
            try members.allow(Self.memberNames + word.memberNames)
            func column() throws -> String {
                try members.value(String.self, "column", "a string")
            }
            let kind: Indicator.Measure.Kind =
                switch word {
                case .count: .count
                case .frauds: .frauds
                case .confirmed: .confirmed
                case .sum:
                    .sum(
                        column: try column(),
                        unit: try members.value(Double.self, "unit", "a number"))
                case .distinct: .distinct(column: try column())
                }
            measure = Indicator.Measure(
                name: try members.value(String.self, "name", "a string"), kind: kind,
                most: try members.value(Int64.self, "most", "a whole number"),
                filter: try members.has("where")
                    ? members.value(ExpressionMembers.self, "where", "an object").expression
                    : nil)
        }

        static func json(_ measure: Indicator.Measure) -> CanonicalJSON {
            var members: [String: CanonicalJSON] = [
                "name": .string(measure.name), "most": .integer(measure.most),
            ]
            let kind: Kind
            switch measure.kind {
            case .count: kind = .count
            case .frauds: kind = .frauds
            case .confirmed: kind = .confirmed
            case .sum(let column, let unit):
                kind = .sum
                members["column"] = .string(column)
                members["unit"] = .number(unit)
            case .distinct(let column):
                kind = .distinct
                members["column"] = .string(column)
            }
            members["kind"] = .string(kind.rawValue)
            // Left out where there is none, as in declarations from before there were any.
            if let filter = measure.filter { members["where"] = ExpressionMembers.json(filter) }
            return .object(members)
        }
    }
}

extension Indicator {
    /// The indicator with windows of filters that wait for labels moved back by the delay.
    func resolved(delay: Int64) -> Indicator {
        Indicator(
            name: name, entity: entity, period: period, delay: self.delay, floorBanks: floorBanks,
            floorWindow: floorWindow, index: index,
            measures: measures.map {
                Measure(
                    name: $0.name, kind: $0.kind, most: $0.most,
                    filter: $0.filter.map { ExpressionMembers.resolve($0, delay) })
            })
    }
}

/// The JSON form of ``IndicatorPlan``.
struct IndicatorPlanMembers: Decodable {
    let plan: IndicatorPlan

    private static let memberNames = [
        "indicator", "first_period", "period_count", "revision", "key_check",
    ]

    init(from decoder: any Decoder) throws {
        let members = try StrictMembers(decoder, allowed: Self.memberNames)
        var keyCheck: [UInt8]?
        if members.has("key_check") {
            let text = try members.value(String.self, "key_check", "a string")
            guard let bytes = [UInt8](hexadecimal: text) else {
                throw FeatureStandardError.wrongType(
                    place: "key_check", expected: "hexadecimal digits")
            }
            keyCheck = bytes
        }
        plan = try IndicatorPlan(
            // A plan is canonical: no window waits for a delay that it does not state.
            try members.value(IndicatorMembers.self, "indicator", "an object").indicator
                .resolved(delay: 0),
            firstPeriod: try members.value(Int64.self, "first_period", "a whole number"),
            periodCount: try members.value(Int.self, "period_count", "a whole number"),
            revision: try members.value(Int.self, "revision", "a whole number"),
            keyCheck: keyCheck)
    }

    static func json(
        _ indicator: Indicator, firstPeriod: Int64, periodCount: Int, revision: Int,
        keyCheck: [UInt8]?
    ) -> CanonicalJSON {
        var members: [String: CanonicalJSON] = [
            "indicator": IndicatorMembers.json(indicator),
            "first_period": .integer(firstPeriod),
            "period_count": .integer(Int64(periodCount)),
            "revision": .integer(Int64(revision)),
        ]
        if let keyCheck { members["key_check"] = .string(keyCheck.hexadecimal) }
        return .object(members)
    }
}

/// The member names of indicators, to be compared with the schema.
package enum IndicatorVocabulary {
    /// Members of an indicator.
    package static var indicatorMembers: [String] { IndicatorMembers.memberNames }
    /// Members of a floor.
    package static var floorMembers: [String] { IndicatorMembers.FloorMembers.memberNames }
    /// The members of each kind of index.
    package static var indexMembers: [String: [String]] {
        Dictionary(
            uniqueKeysWithValues: IndicatorMembers.IndexMembers.Kind.allCases.map {
                ($0.rawValue, ["kind"] + $0.memberNames)
            })
    }
    /// The members of each kind of measure.
    package static var measureMembers: [String: [String]] {
        Dictionary(
            uniqueKeysWithValues: IndicatorMembers.MeasureMembers.Kind.allCases.map {
                ($0.rawValue, IndicatorMembers.MeasureMembers.memberNames + $0.memberNames)
            })
    }
}
