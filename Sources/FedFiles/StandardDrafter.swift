public import FedCore

/// Drafts a feature standard from data files, for people to complete: units, meanings, bounds.
///
/// Types and ranges are guessed from the least and the greatest values of all files together, so
/// the draft does not depend on their order. Ranges are agreed bounds and are taken wide: twice the
/// greatest magnitude, rounded up to 1, 2 or 5 times a power of ten, which also keeps the bank's
/// extreme values out of the document.
public enum StandardDrafter {
    /// Reads the files and drafts version 1 of a standard.
    ///
    /// - Parameters:
    ///   - name: the name of the standard.
    ///   - paths: at least one file; all with the same columns, in any order.
    /// - Returns: features in the order of the header of the first file by path.
    /// - Throws: every case of ``DataFileError``.
    public static func draft(
        name: String, paths: [String], rowColumn: String = "row", labelColumn: String = "fraud"
    ) throws(DataFileError) -> FeatureStandard {
        let paths = paths.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        var permissive: FeatureStandard?
        var columns: [ColumnFigures] = []
        for path in paths {
            let standard: FeatureStandard
            if let permissive {
                standard = permissive
            } else {
                standard = try permissiveStandard(
                    path, rowColumn: rowColumn, labelColumn: labelColumn)
            }
            permissive = standard
            let report = DataCheck.check(path: path, standard: standard, limit: 20)
            guard report.violations.errorCount == 0 else {
                throw .violations(
                    report.violations.first.filter { !$0.kind.isWarning },
                    total: report.violations.errorCount)
            }
            if columns.isEmpty {
                columns = [ColumnFigures](repeating: ColumnFigures(), count: report.columns.count)
            }
            for index in columns.indices { columns[index].add(report.columns[index].summary) }
        }
        guard let permissive else {
            let none = DataViolation(
                file: name, kind: .missingFile, expected: "a data file", got: "none")
            throw .violations([none], total: 1)
        }
        var features: [Feature] = []
        for (index, feature) in permissive.features.enumerated() {
            features.append(columns[index].draft(feature.name))
        }
        do {
            return try FeatureStandard(
                name: name, version: 1,
                description: "Drafted from data files; to be completed by people who know them.",
                rowColumn: rowColumn, labelColumn: labelColumn, features: features)
        } catch {
            throw .notAStandard(error)
        }
    }

    /// A standard of the file's own columns that accepts any number.
    private static func permissiveStandard(
        _ path: String, rowColumn: String, labelColumn: String
    ) throws(DataFileError) -> FeatureStandard {
        let file = BlockReader.fileName(path)
        var names: [String] = []
        do {
            try BlockReader.read(path) { block, _ in
                names = CSVTableParser.headerNames(block) ?? []
                return false
            }
        } catch {
            throw .violations([error.violation(file: file)], total: 1)
        }
        guard !names.isEmpty else {
            let empty = DataViolation(
                file: file, kind: .emptyFile, expected: "a header line and rows", got: "none")
            throw .violations([empty], total: 1)
        }
        let bound = FeatureStandard.magnitudeMax
        let features = names.filter { $0 != rowColumn && $0 != labelColumn }.map { name in
            Feature(
                name: name, type: .continuous, unit: "1", range: -bound...bound,
                missing: .keep(imputed: 0), transform: .identity, sensitivity: .confidential,
                description: "Any number.")
        }
        do {
            return try FeatureStandard(
                name: "any", version: 1, description: "Any number.", rowColumn: rowColumn,
                labelColumn: labelColumn, features: features)
        } catch {
            throw .notAStandard(error)
        }
    }
}

/// Figures of one column over all files.
private struct ColumnFigures {
    var min = Double.infinity
    var max = -Double.infinity
    var isWhole = true
    var hasMissing = false

    mutating func add(_ summary: ColumnSummary) {
        min = Swift.min(min, summary.min ?? min)
        max = Swift.max(max, summary.max ?? max)
        isWhole = isWhole && summary.isWhole
        hasMissing = hasMissing || summary.missingCount > 0
    }

    func draft(_ name: String) -> Feature {
        let isBinary = isWhole && min >= 0 && max <= 1
        let type: FeatureType = isBinary ? .binary : isWhole ? .integer : .continuous
        return Feature(
            name: name, type: type, unit: "unknown", range: isBinary ? 0...1 : range,
            // Every drafted range holds 0; a mean would put a statistic into the document.
            missing: hasMissing ? .keep(imputed: 0) : .refuse,
            transform: isBinary ? .identity : .signedLog, sensitivity: .confidential,
            description: "Drafted from data files; meaning and unit are to be filled in.")
    }

    private var range: ClosedRange<Double> {
        guard min <= max else { return 0...1 }
        let magnitude = Swift.max(abs(min), abs(max))
        // A column that ends at 1 exactly and has fractions is a share.
        if min >= 0, max == 1, !isWhole { return 0...1 }
        let bound = Swift.min(Self.roundedUp(2 * magnitude), FeatureStandard.magnitudeMax)
        return min >= 0 ? 0...bound : -bound...bound
    }

    /// The least of 1, 2, 5 times a power of ten that is not below `value`.
    private static func roundedUp(_ value: Double) -> Double {
        guard value > 0 else { return 1 }
        var power = 1.0
        while power * 10 <= value { power *= 10 }
        while power > value { power /= 10 }
        for factor in [1.0, 2, 5] where factor * power >= value { return factor * power }
        return 10 * power
    }
}
