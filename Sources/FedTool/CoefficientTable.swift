internal import FedConsole
internal import FedCore
internal import Foundation

/// A linear model's coefficients with their standard errors, for a person.
enum CoefficientTable {
    /// Prints coefficients per standard deviation of the transformed feature.
    static func show(_ model: LogisticModel) {
        func row(_ name: String, _ value: Double, _ error: Double) -> [String] {
            [name, String(format: "%.5f", value), String(format: "%.5f", error)]
        }
        var rows = [row("(intercept)", model.intercept, model.interceptStandardError) + ["", ""]]
        for index in model.featureNames.indices {
            rows.append(
                row(
                    model.featureNames[index], model.coefficients[index],
                    model.standardErrors[index])
                    + [
                        String(format: "%.2f", model.zScores[index]),
                        String(format: "%.2g", model.pValues[index]),
                    ])
        }
        ConsoleOutput.table(["feature", "coefficient", "standard error", "z", "p"], rows)
    }

    /// Standard errors by feature name.
    static func standardErrors(of model: TrainedModel) -> [String: Double?]? {
        guard case .logistic(let logistic) = model else { return nil }
        return Dictionary(
            zip(logistic.featureNames, logistic.standardErrors.map(Optional.some)),
            uniquingKeysWith: { first, _ in first })
    }
}
