extension LinearFeatureSpace {
    /// What the linear model needs of a feature standard.
    public init(_ standard: FeatureStandard) throws(LearningError) {
        try self.init(
            names: standard.features.map(\.name),
            transforms: standard.features.map {
                switch $0.transform {
                case .identity: .identity
                case .signedLog: .signedLog
                }
            },
            imputedValues: standard.features.map { $0.missing.imputedValue ?? 0 },
            transformedRanges: standard.features.map(\.transformedRange),
            standardHash: standard.sha256)
    }
}

extension TreeSchema {
    /// What the trees need of a feature standard: raw values, no transform.
    ///
    /// Categorical codes count as levels 0 ... greatest code; a standard with codes below 0 or
    /// above 65534 has them treated as whole numbers in their order.
    public init(_ standard: FeatureStandard) throws(LearningError) {
        var features: [TreeFeature] = []
        for feature in standard.features {
            let kind: TreeFeature.Kind =
                switch feature.type {
                case .continuous: .continuous
                case .integer: .integer
                case .binary: .binary
                case .categorical(let levels):
                    if let least = levels.min(), let greatest = levels.max(), least >= 0,
                        greatest < 65_535
                    {
                        .categorical(levels: greatest + 1)
                    } else {
                        .integer
                    }
                }
            let keepsMissing = if case .keep = feature.missing { true } else { false }
            features.append(
                try TreeFeature(
                    name: feature.name, kind: kind, range: feature.range,
                    allowsMissing: keepsMissing))
        }
        try self.init(features: features, standardHash: standard.sha256)
    }
}

extension FeatureStandard {
    /// The rows with every missing value replaced whose policy is ``MissingPolicy/impute(_:)``: all
    /// learners read such a field as the agreed value.
    public func imputed(_ dataset: Dataset) -> Dataset {
        precondition(dataset.columns.count == features.count, "columns of another standard")
        var columns = dataset.columns
        var isChanged = false
        for (index, feature) in features.enumerated() {
            guard case .impute(let value) = feature.missing,
                columns[index].contains(where: \.isNaN)
            else { continue }
            isChanged = true
            columns[index] = columns[index].map { $0.isNaN ? value : $0 }
        }
        guard isChanged else { return dataset }
        return Dataset(
            columns: columns, labels: dataset.labels, rowNumbers: dataset.rowNumbers)
    }
}
