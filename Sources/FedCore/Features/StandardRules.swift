/// The rules of a standard beyond its JSON types.
enum StandardRules {
    static func check(
        name: String, version: Int, description: String, rowColumn: String, labelColumn: String,
        features: [Feature]
    ) throws(FeatureStandardError) {
        try checkName(name, place: "name")
        guard (1...1_000_000).contains(version) else {
            throw .invalidValue(
                place: "version", got: "\(version)", expected: "a whole number in 1...1000000")
        }
        try checkText(description, place: "description", bytesMax: 4000)
        try checkName(rowColumn, place: "row")
        try checkName(labelColumn, place: "label")
        guard rowColumn != labelColumn else {
            throw .duplicateName(place: "label", name: labelColumn)
        }
        guard (1...FeatureStandard.featureCountMax).contains(features.count) else {
            throw .invalidValue(
                place: "features", got: "\(features.count) features",
                expected: "1...\(FeatureStandard.featureCountMax) features")
        }
        var names: Set<String> = [rowColumn, labelColumn]
        for (index, feature) in features.enumerated() {
            let place = "features[\(index)]"
            try checkName(feature.name, place: place + ".name")
            guard names.insert(feature.name).inserted else {
                throw .duplicateName(place: place + ".name", name: feature.name)
            }
            try check(feature, place: place)
        }
    }

    private static func check(_ feature: Feature, place: String) throws(FeatureStandardError) {
        try checkText(feature.unit, place: place + ".unit", bytesMax: 64)
        try checkText(feature.description, place: place + ".description", bytesMax: 4000)
        if let text = feature.descriptionChinese {
            try checkText(text, place: place + ".description_zh", bytesMax: 4000)
        }
        let (low, high) = (feature.range.lowerBound, feature.range.upperBound)
        try checkNumber(low, place: place + ".range.min")
        try checkNumber(high, place: place + ".range.max")
        guard low < high else { throw minNotBelowMax(low, high, place: place + ".range") }
        try checkType(feature, place: place)
        if let value = feature.missing.imputedValue {
            try checkNumber(value, place: place + ".missing.value")
            guard feature.accepts(value) else {
                throw .invalidValue(
                    place: place + ".missing.value", got: CanonicalJSON.format(value),
                    expected: feature.expectation)
            }
        }
    }

    private static func checkType(_ feature: Feature, place: String) throws(FeatureStandardError) {
        let (low, high) = (feature.range.lowerBound, feature.range.upperBound)
        let got = "\(CanonicalJSON.format(low))...\(CanonicalJSON.format(high))"
        switch feature.type {
        case .continuous: break
        case .integer:
            guard low == low.rounded(), high == high.rounded() else {
                throw .invalidValue(place: place + ".range", got: got, expected: "whole numbers")
            }
        case .binary:
            guard low == 0, high == 1 else {
                throw .invalidValue(place: place + ".range", got: got, expected: "0...1")
            }
        case .categorical(let levels):
            guard (2...1024).contains(levels.count) else {
                throw .invalidValue(
                    place: place + ".levels", got: "\(levels.count) levels",
                    expected: "2...1024 levels")
            }
            for index in 1..<levels.count where levels[index - 1] >= levels[index] {
                throw .invalidValue(
                    place: place + ".levels[\(index)]", got: "\(levels[index])",
                    expected: "more than \(levels[index - 1]): levels ascend")
            }
            guard low == Double(levels[0]), high == Double(levels[levels.count - 1]) else {
                throw .invalidValue(
                    place: place + ".range", got: got,
                    expected: "the first and the last level, "
                        + "\(levels[0])...\(levels[levels.count - 1])")
            }
        }
    }

    static func minNotBelowMax(
        _ low: Double, _ high: Double, place: String
    ) -> FeatureStandardError {
        .invalidValue(
            place: place,
            got: "min \(CanonicalJSON.format(low)), max \(CanonicalJSON.format(high))",
            expected: "min < max")
    }

    /// Column names are safe in a header, a log line and a message: 1 to 63 ASCII characters.
    private static func checkName(
        _ name: String, place: String
    ) throws(FeatureStandardError) {
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

    private static func checkText(
        _ text: String, place: String, bytesMax: Int
    ) throws(FeatureStandardError) {
        guard (1...bytesMax).contains(text.utf8.count) else {
            throw .invalidValue(
                place: place, got: "\(text.utf8.count) bytes", expected: "1...\(bytesMax) bytes")
        }
    }

    private static func checkNumber(
        _ value: Double, place: String
    ) throws(FeatureStandardError) {
        guard value.isFinite, value.magnitude <= FeatureStandard.magnitudeMax else {
            throw .invalidValue(place: place, got: "\(value)", expected: "a number within ±1e15")
        }
    }
}

extension Feature {
    /// What a field of this column may hold, in words: `a number in 0...50000`.
    package var expectation: String {
        let bounds = """
            \(CanonicalJSON.format(range.lowerBound))...\(CanonicalJSON.format(range.upperBound))
            """
        switch type {
        case .continuous: return "a number in \(bounds)"
        case .integer: return "a whole number in \(bounds)"
        case .binary: return "0 or 1"
        case .categorical(let levels):
            let shown = levels.prefix(12).map(String.init).joined(separator: ", ")
            return "one of \(shown)\(levels.count > 12 ? ", …" : "")"
        }
    }
}
