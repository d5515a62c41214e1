/// A derivation made ready to run: columns as indices, windows gathered in groups, every
/// expression once and behind its operands.
struct DerivationProgram {
    /// One step; its result is the number of the step.
    enum Step {
        case number(Int)
        case constant(Double)
        case hour
        case day
        case weekday(Int64)
        case compare(Int, Expression.Relation, Double)
        case isIn(Int, set: Int)
        case oneHot(Int, Double)
        case window(WindowReading)
        case indicator(board: Int, reading: Int)
        case ratio(Int, Int, Double)
        case product(Int, Int)
        case sum(Int, Int)
        case difference(Int, Int)
    }

    private(set) var steps: [Step] = []
    private(set) var plans: [WindowPlan] = []
    /// What is read of each indicator of the derivation, in its order.
    private(set) var indicatorReadings: [[IndicatorBoard.Reading]]
    /// The step of each feature.
    private(set) var features: [Int] = []
    /// The steps that filters of windows need, ascending; none of them reads a window.
    private(set) var filterSteps: [Int] = []
    /// The values of `in` operators.
    private(set) var sets: [[Double]] = []
    /// Numeric columns that are summed up, and so bounded in magnitude.
    private(set) var isSummed: [Bool]

    private var stepsOfExpressions: [Expression: Int] = [:]
    private let numberNames: [String]
    private let entityNames: [String]
    private let indicators: [Indicator]

    init(_ derivation: Derivation) {
        numberNames = derivation.numberColumns.map(\.name)
        entityNames = derivation.entityColumns.map(\.name)
        indicators = derivation.indicators
        indicatorReadings = indicators.map { _ in [] }
        isSummed = [Bool](repeating: false, count: numberNames.count)
        for feature in derivation.features { features.append(compile(feature.value)) }
    }

    private mutating func compile(_ expression: Expression) -> Int {
        if let step = stepsOfExpressions[expression] { return step }
        let step: Step
        switch expression {
        case .copy(let column): step = .number(number(column))
        case .constant(let value): step = .constant(value)
        case .hour: step = .hour
        case .day: step = .day
        case .weekday(let offset): step = .weekday(Int64(offset))
        case .compare(let operand, let relation, let value):
            step = .compare(compile(operand), relation, value)
        case .isIn(let operand, let values):
            let operand = compile(operand)
            step = .isIn(operand, set: sets.indexAdding(values))
        case .oneHot(let column, let level): step = .oneHot(number(column), level)
        case .window(let figure): step = .window(reading(figure))
        case .indicator(let figure): step = reading(figure)
        case .ratio(let first, let second, let empty):
            step = .ratio(compile(first), compile(second), empty)
        case .difference(let first, let second):
            step = .difference(compile(first), compile(second))
        case .product(let terms): return fold(expression, terms) { .product($0, $1) }
        case .sum(let terms): return fold(expression, terms) { .sum($0, $1) }
        }
        return append(step, for: expression)
    }

    private mutating func append(_ step: Step, for expression: Expression) -> Int {
        steps.append(step)
        stepsOfExpressions[expression] = steps.count - 1
        return steps.count - 1
    }

    private mutating func fold(
        _ expression: Expression, _ terms: [Expression], _ step: (Int, Int) -> Step
    ) -> Int {
        var result = compile(terms[0])
        for term in terms.dropFirst() {
            let operand = compile(term)
            steps.append(step(result, operand))
            result = steps.count - 1
        }
        stepsOfExpressions[expression] = result
        return result
    }

    private mutating func reading(_ figure: WindowFigure) -> WindowReading {
        let keys = figure.by.map(source)
        let filter = figure.filter.map { compile($0) }
        if let filter = figure.filter { addFilterSteps(of: filter) }
        let group: Int
        if let index = plans.firstIndex(where: { $0.keys == keys && $0.filter == filter }) {
            group = index
        } else {
            group = plans.count
            plans.append(WindowPlan(keys: keys, filter: filter))
        }
        let window = plans[group].windows.indexAdding(figure.window)
        var kind = WindowReading.Kind.count
        var index = 0
        switch figure.measure {
        case .count: break
        case .timeSinceLast: kind = .timeSinceLast
        case .frauds, .fraudShare:
            kind = figure.measure == .frauds ? .frauds : .fraudShare
            plans[group].hasLabels = true
        case .sum(let column):
            kind = .sum
            index = sum(column, group, window)
        case .mean(let column):
            kind = .mean
            index = sum(column, group, window)
        case .min(let column), .max(let column):
            kind = .extreme
            let value = plans[group].values.indexAdding(.number(number(column)))
            index = plans[group].extremes.indexAdding(
                WindowPlan.Extreme(
                    window: window, value: value, isLeast: figure.measure == .min(column: column)))
        case .distinct(let column):
            kind = .distinct
            let value = plans[group].values.indexAdding(source(column))
            index = plans[group].distincts.indexAdding(
                WindowPlan.Distinct(window: window, value: value))
        }
        return WindowReading(
            group: group, window: window, kind: kind, index: index, empty: figure.empty)
    }

    /// Steps that filters need are computed before a row enters windows.
    private mutating func addFilterSteps(of filter: Expression) {
        for operand in filter.operands { addFilterSteps(of: operand) }
        guard let last = stepsOfExpressions[filter] else { return }
        var steps = [last]
        // A product or a sum has further steps, each the left operand of the next.
        while case .product(let left, _) = self.steps[steps[0]], isFold(left, of: filter) {
            steps.insert(left, at: 0)
        }
        while case .sum(let left, _) = self.steps[steps[0]], isFold(left, of: filter) {
            steps.insert(left, at: 0)
        }
        filterSteps = Set(filterSteps).union(steps).sorted()
    }

    /// Whether a step is a part of a product or sum, rather than one of its terms.
    private func isFold(_ step: Int, of expression: Expression) -> Bool {
        !expression.operands.contains { stepsOfExpressions[$0] == step }
    }

    private mutating func reading(_ figure: IndicatorFigure) -> Step {
        guard let board = indicators.firstIndex(where: { $0.name == figure.indicator }),
            let measure = indicators[board].measure(figure.measure)
        else {
            preconditionFailure("indicator \(figure.indicator) passed the rules and is not there")
        }
        let reading = IndicatorBoard.Reading(measure: measure, window: figure.window)
        return .indicator(
            board: board, reading: indicatorReadings[board].indexAdding(reading))
    }

    private mutating func sum(_ column: String, _ group: Int, _ window: Int) -> Int {
        isSummed[number(column)] = true
        let value = plans[group].values.indexAdding(.number(number(column)))
        return plans[group].sums.indexAdding(WindowPlan.Sum(window: window, value: value))
    }

    private func source(_ column: String) -> WindowPlan.Source {
        if let index = entityNames.firstIndex(of: column) { return .entity(index) }
        return .number(number(column))
    }

    private func number(_ column: String) -> Int {
        guard let index = numberNames.firstIndex(of: column) else {
            preconditionFailure("column \(column) passed the rules and is not there")
        }
        return index
    }
}
