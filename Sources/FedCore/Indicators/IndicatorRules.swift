/// The rules of indicators beyond their JSON types.
struct IndicatorRules {
    let columns: [RawColumn]
    let labelDelay: Int64

    func check(_ indicators: [Indicator]) throws(FeatureStandardError) {
        guard indicators.count <= Indicator.countMax else {
            throw .invalidValue(
                place: "indicators", got: "\(indicators.count) indicators",
                expected: "at most \(Indicator.countMax)")
        }
        for (position, indicator) in indicators.enumerated() {
            let place = "indicators[\(position)]"
            guard !indicators[..<position].contains(where: { $0.name == indicator.name }) else {
                throw .duplicateName(place: place + ".name", name: indicator.name)
            }
            try Self.checkBounds(of: indicator, place: place)
            try columns.require(indicator.entity, place: place + ".entity", "an entity") {
                $0.role == .entity
            }
            try checkIndexColumn(of: indicator, place: place + ".index")
            for (position, measure) in indicator.measures.enumerated() {
                try check(
                    measure.kind, of: indicator, place: place + ".measures[\(position)]")
            }
        }
    }

    /// Checks what can be checked without the derivation's columns: enough to work with.
    static func checkBounds(of indicator: Indicator, place: String) throws(FeatureStandardError) {
        try DerivationRules.checkName(indicator.name, place: place + ".name")
        try checkTimes(indicator, place: place)
        try checkIndex(indicator, place: place + ".index")
        try checkMeasures(indicator, place: place)
    }

    private static func checkTimes(
        _ indicator: Indicator, place: String
    ) throws(FeatureStandardError) {
        let most = Derivation.windowSecondsMax
        guard (60...most).contains(indicator.period) else {
            throw .invalidValue(
                place: place + ".period", got: "\(indicator.period)", expected: "60...\(most)")
        }
        guard (0...most).contains(indicator.delay) else {
            throw .invalidValue(
                place: place + ".delay", got: "\(indicator.delay)", expected: "0...\(most)")
        }
        guard (Indicator.floorBanksMin...1024).contains(indicator.floorBanks) else {
            throw .invalidValue(
                place: place + ".floor.banks", got: "\(indicator.floorBanks)",
                expected: "\(Indicator.floorBanksMin)...1024")
        }
        let window = indicator.floorWindow
        guard window >= indicator.period, window <= most, window % indicator.period == 0 else {
            throw .invalidValue(
                place: place + ".floor.window", got: "\(window)",
                expected: "a multiple of the period up to \(most)")
        }
    }

    private static func checkIndex(_ indicator: Indicator, place: String)
        throws(FeatureStandardError)
    {
        let cells = 1...Indicator.cellCountMax
        switch indicator.index {
        case .range(let first, let count):
            guard cells.contains(count), first.magnitude <= 1 << 52 else {
                throw .invalidValue(
                    place: place, got: "\(count) numbers from \(first)",
                    expected: "1...\(cells.upperBound) of them, within ±2^52")
            }
        case .dictionary(let count, let sha256):
            guard cells.contains(count) else {
                throw .invalidValue(
                    place: place + ".count", got: "\(count)",
                    expected: "1...\(cells.upperBound)")
            }
            guard let digest = [UInt8](hexadecimal: sha256), digest.count == 32,
                digest.hexadecimal == sha256
            else {
                throw .invalidValue(
                    place: place + ".sha256", got: "\(sha256.utf8.count) bytes",
                    expected: "64 hexadecimal digits in lower case")
            }
        case .sketch(let width, let depth):
            let fits =
                (1...8).contains(depth) && (16...(1 << 22)).contains(width)
                && width & (width - 1) == 0 && width * depth <= Indicator.cellCountMax
            guard fits else {
                throw .invalidValue(
                    place: place, got: "\(depth) rows of \(width) cells",
                    expected: "1...8 rows of a power of two from 16 on, at most "
                        + "\(Indicator.cellCountMax) cells")
            }
        }
    }

    private func checkIndexColumn(
        of indicator: Indicator, place: String
    ) throws(FeatureStandardError) {
        guard case .range = indicator.index else { return }
        guard columns.first(where: { $0.name == indicator.entity })?.kind == .integer else {
            throw .invalidValue(
                place: place, got: "a range for an entity of texts", expected: "numbers")
        }
    }

    private static func checkMeasures(
        _ indicator: Indicator, place: String
    ) throws(FeatureStandardError) {
        let measures = indicator.measures
        guard (1...Indicator.measureCountMax).contains(measures.count) else {
            throw .invalidValue(
                place: place + ".measures", got: "\(measures.count) measures",
                expected: "1...\(Indicator.measureCountMax)")
        }
        for (position, measure) in measures.enumerated() {
            let place = place + ".measures[\(position)]"
            try DerivationRules.checkName(measure.name, place: place + ".name")
            guard !measures[..<position].contains(where: { $0.name == measure.name }) else {
                throw .duplicateName(place: place + ".name", name: measure.name)
            }
            guard (1...(1 << 40)).contains(measure.most) else {
                throw .invalidValue(
                    place: place + ".most", got: "\(measure.most)", expected: "1...2^40")
            }
            guard case .sum(_, let unit) = measure.kind else { continue }
            guard unit.isFinite, (1e-9...1e12).contains(unit) else {
                throw .invalidValue(
                    place: place + ".unit", got: "\(unit)", expected: "1e-9...1e12")
            }
            // The least of several rows bounds a sum only where no part of it is negative.
            if case .sketch(_, let depth) = indicator.index, depth > 1 {
                throw .invalidValue(
                    place: place, got: "a sum in a sketch of \(depth) rows", expected: "one row")
            }
        }
    }

    private func check(
        _ kind: Indicator.Measure.Kind, of indicator: Indicator, place: String
    ) throws(FeatureStandardError) {
        switch kind {
        case .count, .confirmed: break
        case .frauds:
            guard columns.contains(where: { $0.role == .label }) else {
                throw .invalidValue(place: place, got: "no column of role label", expected: "one")
            }
            guard indicator.delay >= labelDelay else {
                throw .invalidValue(
                    place: place, got: "a delay of \(indicator.delay)",
                    expected: "at least \(labelDelay): labels are not known earlier")
            }
        case .sum(let column, _):
            try columns.require(column, place: place + ".column", "a numeric column") {
                $0.role.isNumeric
            }
        case .distinct(let column):
            try columns.require(column, place: place + ".column", "another entity") {
                $0.role == .entity && $0.name != indicator.entity
            }
        }
    }

    /// Checks what a feature reads of an indicator.
    func check(
        _ figure: IndicatorFigure, of indicators: [Indicator], place: String
    ) throws(FeatureStandardError) {
        guard let indicator = indicators.first(where: { $0.name == figure.indicator }) else {
            throw .invalidValue(
                place: place + ".indicator", got: "\"\(figure.indicator.prefix(40))\"",
                expected: "an indicator of the document")
        }
        guard indicator.measure(figure.measure) != nil else {
            throw .invalidValue(
                place: place + ".measure", got: "\"\(figure.measure.prefix(40))\"",
                expected: indicator.measures.map(\.name).joined(separator: " | "))
        }
        let (far, near) = (figure.window.far, figure.window.near)
        let isWhole = far % indicator.period == 0 && near % indicator.period == 0
        guard isWhole, indicator.delay <= near, near < far, far <= Derivation.windowSecondsMax
        else {
            throw .invalidValue(
                place: place + ".window", got: "far \(far), near \(near)",
                expected: "multiples of the period, \(indicator.delay) <= near < far")
        }
    }
}

extension [RawColumn] {
    /// Refuses a name that no fitting column has.
    func require(
        _ name: String, place: String, _ expected: String, _ fits: (RawColumn) -> Bool
    ) throws(FeatureStandardError) {
        guard contains(where: { $0.name == name && fits($0) }) else {
            throw .invalidValue(
                place: place, got: "column \"\(name.prefix(40))\"", expected: expected)
        }
    }
}
