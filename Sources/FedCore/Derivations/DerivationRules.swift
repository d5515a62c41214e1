/// The rules of a derivation beyond its JSON types.
enum DerivationRules {
    static func check(
        name: String, version: Int, description: String, standard: String, labelDelay: Int64,
        columns: [RawColumn], indicators: [Indicator], features: [Derivation.DerivedFeature]
    ) throws(FeatureStandardError) {
        try checkName(name, place: "name")
        try checkName(standard, place: "standard")
        guard (1...1_000_000).contains(version) else {
            throw .invalidValue(
                place: "version", got: "\(version)", expected: "a whole number in 1...1000000")
        }
        guard (1...4000).contains(description.utf8.count) else {
            throw .invalidValue(
                place: "description", got: "\(description.utf8.count) bytes",
                expected: "1...4000 bytes")
        }
        guard (0...Derivation.windowSecondsMax).contains(labelDelay) else {
            throw .invalidValue(
                place: "label_delay", got: "\(labelDelay)",
                expected: "0...\(Derivation.windowSecondsMax) seconds")
        }
        try check(columns)
        guard (1...FeatureStandard.featureCountMax).contains(features.count) else {
            throw .invalidValue(
                place: "features", got: "\(features.count) features",
                expected: "1...\(FeatureStandard.featureCountMax) features")
        }
        try IndicatorRules(columns: columns, labelDelay: labelDelay).check(indicators)
        let rules = ExpressionRules(
            columns: columns, indicators: indicators, labelDelay: labelDelay)
        try rules.checkFilters()
        var names: Set<String> = []
        for (index, feature) in features.enumerated() {
            let place = "features[\(index)]"
            try checkName(feature.name, place: place + ".name")
            guard names.insert(feature.name).inserted else {
                throw .duplicateName(place: place + ".name", name: feature.name)
            }
            try rules.check(feature.value, place: place + ".value", depth: 0)
        }
    }

    private static func check(_ columns: [RawColumn]) throws(FeatureStandardError) {
        guard (1...Derivation.columnCountMax).contains(columns.count) else {
            throw .invalidValue(
                place: "columns", got: "\(columns.count) columns",
                expected: "1...\(Derivation.columnCountMax) columns")
        }
        var names: Set<String> = []
        for (index, column) in columns.enumerated() {
            let place = "columns[\(index)]"
            try checkName(column.name, place: place + ".name")
            guard names.insert(column.name).inserted else {
                throw .duplicateName(place: place + ".name", name: column.name)
            }
            guard column.role.kinds.contains(column.kind) else {
                throw .invalidValue(
                    place: place + ".type", got: column.kind.rawValue,
                    expected: column.role.kinds.map(\.rawValue).joined(separator: " | "))
            }
            try checkLevels(column, place: place + ".levels")
        }
        for role in [RawColumn.Role.time, .amount, .label, .row, .part] {
            let count = columns.count { $0.role == role }
            guard count <= 1, role != .time || count == 1 else {
                throw .invalidValue(
                    place: "columns", got: "\(count) columns of role \(role.rawValue)",
                    expected: role == .time ? "one" : "at most one")
            }
        }
    }

    private static func checkLevels(
        _ column: RawColumn, place: String
    ) throws(FeatureStandardError) {
        guard column.role == .category, column.kind == .text else {
            guard column.levels.isEmpty else { throw .unknownMember(place: place) }
            return
        }
        let fits =
            (1...1024).contains(column.levels.count)
            && Set(column.levels).count == column.levels.count
            && column.levels.allSatisfy { (1...256).contains($0.utf8.count) }
        guard fits else {
            throw .invalidValue(
                place: place, got: "\(column.levels.count) levels",
                expected: "1...1024 different words of 1...256 bytes")
        }
    }

    /// Names as in a feature standard: 1 to 63 ASCII characters.
    static func checkName(_ name: String, place: String) throws(FeatureStandardError) {
        let bytes = Array(name.utf8)
        func isLetter(_ byte: UInt8) -> Bool {
            (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F
        }
        let fits =
            (1...63).contains(bytes.count) && isLetter(bytes[0])
            && bytes.allSatisfy {
                isLetter($0) || (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x2E
            }
        guard fits else {
            throw .invalidValue(
                place: place, got: "\"\(name.prefix(40))\"",
                expected: "1 to 63 ASCII letters, digits, _ - . beginning with a letter or _")
        }
    }
}

/// The rules of one operator within the columns of its document.
private struct ExpressionRules {
    let columns: [RawColumn]
    let indicators: [Indicator]
    let labelDelay: Int64

    /// Checks the filters of indicators' measures.
    func checkFilters() throws(FeatureStandardError) {
        for (position, indicator) in indicators.enumerated() {
            for (index, measure) in indicator.measures.enumerated() {
                guard let filter = measure.filter else { continue }
                let place = "indicators[\(position)].measures[\(index)].where"
                guard filter.isOfUnlabelledRows else {
                    throw .invalidValue(
                        place: place, got: "a label or an indicator",
                        expected: "what can be computed of the bank's own rows without labels")
                }
                try check(filter, place: place, depth: 0)
            }
        }
    }

    func check(
        _ expression: Expression, place: String, depth: Int
    ) throws(FeatureStandardError) {
        guard depth < ExpressionMembers.depthMax else {
            throw .invalidValue(
                place: place, got: "\(depth + 1) operators within each other",
                expected: "at most \(ExpressionMembers.depthMax)")
        }
        switch expression {
        case .hour, .day, .difference: break
        case .copy(let column):
            try columns.require(column, place: place, "a numeric column") { $0.role.isNumeric }
        case .constant(let value): try checkNumber(value, place: place + ".value")
        case .weekday(let offset):
            guard (0...6).contains(offset) else {
                throw .invalidValue(place: place + ".offset", got: "\(offset)", expected: "0...6")
            }
        case .compare(_, _, let value): try checkNumber(value, place: place + ".to")
        case .isIn(_, let values):
            try checkCount(values.count, 1...1024, place: place + ".values")
            for value in values { try checkNumber(value, place: place + ".values") }
        case .oneHot(let column, let level):
            try columns.require(column, place: place, "a category") { $0.role == .category }
            guard level == level.rounded(), abs(level) <= 0x1p53 else {
                throw .invalidValue(
                    place: place + ".level", got: "\(level)", expected: "a whole number")
            }
        case .window(let figure):
            try check(figure, place: place)
            if let filter = figure.filter {
                guard filter.isOfRow else {
                    throw .invalidValue(
                        place: place + ".where", got: "a window or an indicator",
                        expected: "what can be computed of a row alone")
                }
                try check(filter, place: place + ".where", depth: depth + 1)
            }
        case .indicator(let figure):
            try IndicatorRules(columns: columns, labelDelay: labelDelay)
                .check(figure, of: indicators, place: place)
        case .ratio(_, _, let empty): try checkNumber(empty, place: place + ".empty")
        case .product(let terms), .sum(let terms):
            try checkCount(terms.count, 2...64, place: place + ".terms")
        }
        for operand in expression.operands {
            try check(operand, place: place + ".operand", depth: depth + 1)
        }
    }

    private func check(_ figure: WindowFigure, place: String) throws(FeatureStandardError) {
        let window = figure.window
        let near = window.near
        guard 0 <= near, near < window.far, window.far <= Derivation.windowSecondsMax else {
            throw .invalidValue(
                place: place + ".window", got: "far \(window.far), near \(near)",
                expected: "0 <= near < far <= \(Derivation.windowSecondsMax)")
        }
        try checkCount(figure.by.count, 1...4, place: place + ".by")
        for (index, name) in figure.by.enumerated() {
            try columns.require(name, place: place + ".by[\(index)]", "an entity or a category") {
                $0.role == .entity || $0.role == .category
            }
            guard !figure.by[..<index].contains(name) else {
                throw .duplicateName(place: place + ".by[\(index)]", name: name)
            }
        }
        try checkNumber(figure.empty, place: place + ".empty")
        switch figure.measure {
        case .count, .timeSinceLast: break
        case .sum(let column), .mean(let column), .min(let column), .max(let column):
            try columns.require(column, place: place, "a numeric column") { $0.role.isNumeric }
        case .distinct(let column):
            try columns.require(column, place: place, "an entity or a numeric column") {
                $0.role == .entity || $0.role.isNumeric
            }
        case .frauds, .fraudShare:
            guard columns.contains(where: { $0.role == .label }) else {
                throw .invalidValue(
                    place: place, got: "no column of role label", expected: "one")
            }
            // Also without a delay a row must not see its own label, nor those of its second.
            guard near >= max(labelDelay, 1) else {
                throw .invalidValue(
                    place: place + ".window.near", got: "\(near)",
                    expected: "at least \(max(labelDelay, 1)): labels are not known earlier")
            }
        }
    }

    private func checkCount(
        _ count: Int, _ bounds: ClosedRange<Int>, place: String
    ) throws(FeatureStandardError) {
        guard bounds.contains(count) else {
            throw .invalidValue(
                place: place, got: "\(count)",
                expected: "\(bounds.lowerBound) to \(bounds.upperBound) of them")
        }
    }

    private func checkNumber(_ value: Double, place: String) throws(FeatureStandardError) {
        guard value.isFinite, value.magnitude <= FeatureStandard.magnitudeMax else {
            throw .invalidValue(place: place, got: "\(value)", expected: "a number within ±1e15")
        }
    }
}
