import FedCore
import Testing

@Suite("Logistic regression on rows in one place")
struct LogisticTrainerTests {
    private struct Vectors: Decodable {
        struct Model: Decodable {
            let seed: Int
            let rows: Int
            let features: Int
            let rateShift: Double
            let lambda: Double
            let fraudWeight: Double
            let frauds: Int
            let means: [Double]
            let deviations: [Double]
            let coefficients: [Double]
            let intercept: Double
            let standardErrors: [Double]
            let logOdds: [Double]
        }
        let models: [Model]
    }

    @Test func modelsAreThoseOfScikitLearn() throws {
        for vector in try LogisticSamples.vectors("logistic-models", as: Vectors.self).models {
            let data = LogisticSamples.dataset(
                seed: vector.seed, rows: vector.rows, features: vector.features,
                rateShift: vector.rateShift)
            let space = try LogisticSamples.space(features: vector.features)
            let model = try LogisticTrainer.train(
                on: [data], space: space,
                configuration: LogisticConfiguration([
                    "lambda": vector.lambda, "fraudWeight": vector.fraudWeight,
                ]))
            #expect(model.fraudCount == vector.frauds)
            let solution = model.coefficients + [model.intercept]
            let errors = model.standardErrors + [model.interceptStandardError]
            let scores = Array(try model.logOdds(of: data, space: space).prefix(5))
            // The last Hessian is that of the point one short step before the solution.
            let pairs = [
                (model.standardisation.means, vector.means, 1e-12),
                (model.standardisation.deviations, vector.deviations, 1e-12),
                (solution, vector.coefficients + [vector.intercept], 1e-8),
                (errors, vector.standardErrors, 1e-4), (scores, vector.logOdds, 1e-8),
            ]
            for (got, expected, tolerance) in pairs {
                #expect(got.count == expected.count)
                let difference = LogisticSamples.largestDifference(got, expected)
                #expect(difference < tolerance, "seed \(vector.seed)")
            }
        }
    }

    @Test func theSplitOfRowsAndTheThreadsDoNotMatter() throws {
        let data = LogisticSamples.dataset(seed: 5, rows: 40_000, features: 6, rateShift: 1)
        let space = try LogisticSamples.space(features: 6)
        let one = try LogisticTrainer.train(
            on: [data], space: space, configuration: .init(), threads: 1)
        let three = try LogisticTrainer.train(
            on: [data], space: space, configuration: .init(), threads: 3)
        #expect(one == three)
        let parts = LogisticSamples.deal(data, to: 4) { $0 % 4 }
        let split = try LogisticTrainer.train(on: parts, space: space, configuration: .init())
        #expect(LogisticSamples.largestDifference(split.coefficients, one.coefficients) < 1e-11)
    }

    @Test func termsEqualThoseOfPlainLoops() throws {
        let data = LogisticSamples.dataset(seed: 6, rows: 1_500, features: 3, rateShift: 0.5)
        let space = try LogisticSamples.space(features: 3, transform: .identity, range: -200...200)
        let configuration = try LogisticConfiguration(["fraudWeight": 3, "normalWeight": 0.5])
        var rows = try LogisticRows(data, space: space, threads: 1)
        rows.standardise(
            Standardisation(
                means: [0.5, 5, 40], deviations: [0.3, 2, 20], varies: [true, true, true]))
        let point = [0.7, -1.1, 12, -2]
        let terms = rows.terms(at: point, configuration: configuration)
        var gradient = [Double](repeating: 0, count: 4)
        var hessian = [Double](repeating: 0, count: 10)
        var loss = 0.0
        for row in 0..<data.rowCount {
            let x = [
                (data.columns[0][row] - 0.5) / 0.3, (data.columns[1][row] - 5) / 2,
                (data.columns[2][row] - 40) / 20, 1,
            ]
            let eta = zip(x, point).reduce(0) { $0 + $1.0 * $1.1 }
            let label = Double(data.labels[row])
            let weight = label == 1 ? 3 : 0.5
            let probability = 1 / (1 + exponential(-eta))
            let complement = 1 / (1 + exponential(eta))
            loss -= weight * naturalLogarithm(label == 1 ? probability : complement)
            var lane = 0
            for j in 0..<4 {
                gradient[j] += weight * (probability - label) * x[j]
                for k in j..<4 {
                    hessian[lane] += weight * probability * complement * x[j] * x[k]
                    lane += 1
                }
            }
        }
        #expect(LogisticSamples.largestDifference(terms.gradient, gradient) < 1e-12)
        #expect(LogisticSamples.largestDifference(terms.hessian, hessian) < 1e-12)
        #expect((terms.loss - loss).magnitude < 1e-12 * loss)
    }

    @Test func aConstantFeatureGetsTheCoefficientZero() throws {
        let data = LogisticSamples.dataset(seed: 7, rows: 3_000, features: 2, rateShift: 0.3)
        let constant = [Double](repeating: 0.1, count: data.rowCount)
        let widened = Dataset(
            columns: [data.columns[0], constant, data.columns[1]], labels: data.labels)
        let narrow = try LogisticTrainer.train(
            on: [data], space: LogisticSamples.space(features: 2), configuration: .init())
        let wide = try LogisticTrainer.train(
            on: [widened], space: LogisticSamples.space(features: 3), configuration: .init())
        #expect(wide.coefficients[1] == 0)
        #expect(wide.standardisation.deviations[1] == 1)
        #expect(wide.standardErrors[1] == 0)
        #expect(wide.pValues[1] == 1)
        let others = [wide.coefficients[0], wide.coefficients[2], wide.intercept]
        let expected = narrow.coefficients + [narrow.intercept]
        #expect(LogisticSamples.largestDifference(others, expected) < 1e-12)
    }

    @Test func missingValuesBecomeTheImputedOnesAndAllAreHeldToTheRange() throws {
        let data = LogisticSamples.dataset(seed: 8, rows: 500, features: 2, rateShift: 0.2)
        let space = try LogisticSamples.space(features: 2, range: -2...2, imputed: 3.5)
        var holes = data.columns
        var filled = data.columns
        for row in stride(from: 0, to: 500, by: 7) {
            holes[0][row] = .nan
            filled[0][row] = 3.5
            holes[1][row] = .infinity
            filled[1][row] = 1e9
        }
        let labels = data.labels
        let model = try LogisticTrainer.train(
            on: [Dataset(columns: holes, labels: labels)], space: space, configuration: .init())
        let expected = try LogisticTrainer.train(
            on: [Dataset(columns: filled, labels: labels)], space: space, configuration: .init())
        #expect(model == expected)
    }

    @Test func separableClassesConvergeUnderThePenalty() throws {
        let values = (0..<200).map(Double.init)
        let labels = values.map { UInt8($0 >= 150 ? 1 : 0) }
        let space = try LogisticSamples.space(features: 1)
        for lambda in [1e-6, 1, 1e6] {
            let model = try LogisticTrainer.train(
                on: [Dataset(columns: [values], labels: labels)], space: space,
                configuration: LogisticConfiguration(["lambda": lambda, "iterationsMax": 50]))
            #expect(model.coefficients[0].isFinite && model.coefficients[0] > 0)
        }
    }

    @Test func rowsThatCannotBeTrainedOnAreRefused() throws {
        let space = try LogisticSamples.space(features: 1)
        func train(_ labels: [UInt8]) throws {
            let columns = [labels.indices.map(Double.init)]
            _ = try LogisticTrainer.train(
                on: [Dataset(columns: columns, labels: labels)], space: space,
                configuration: .init())
        }
        #expect(throws: LearningError.unusableData(reason: "no rows")) { try train([]) }
        #expect(throws: LearningError.unusableData(reason: "all rows have one label: normal")) {
            try train([0, 0, 0])
        }
        #expect(throws: LearningError.unusableData(reason: "all rows have one label: fraud")) {
            try train([1, 1])
        }
        let wide = Dataset(columns: [[1, 2], [1, 2]], labels: [0, 1])
        #expect(throws: LearningError.self) {
            try LogisticTrainer.train(on: [wide], space: space, configuration: .init())
        }
    }

    @Test func tooFewEvaluationsAreAnError() throws {
        let data = LogisticSamples.dataset(seed: 9, rows: 500, features: 2, rateShift: 0.5)
        #expect(throws: LearningError.self) {
            try LogisticTrainer.train(
                on: [data], space: LogisticSamples.space(features: 2),
                configuration: LogisticConfiguration(["iterationsMax": 2]))
        }
    }
}
