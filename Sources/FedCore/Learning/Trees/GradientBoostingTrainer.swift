/// Trains a model in one process, on one dataset or several.
///
/// It drives the same two learners as a joint training, without encoding or masking, so the model
/// file is the one that the datasets' owners would get jointly, byte for byte. The contributor
/// floors count datasets: for one dataset alone `contributorsMin` must be 1.
public enum GradientBoostingTrainer {
    /// Trains on the rows of all datasets.
    ///
    /// - Parameters:
    ///   - datasets: the banks' rows, in any order.
    ///   - validation: rows for early stopping, one dataset a bank, or none.
    ///   - manifestHash: the digest of the run's manifest, or nil.
    ///   - threads: threads to use; the model does not depend on them.
    ///   - observe: called after each round, with the progress.
    /// - Throws: ``LearningError``.
    public static func train(
        datasets: [Dataset], validation: [Dataset] = [], schema: TreeSchema,
        configuration: GradientBoostingConfiguration, manifestHash: [UInt8]? = nil,
        threads: Int = 1, observe: (LearnerProgress) -> Void = { _ in }
    ) throws(LearningError) -> GradientBoostingModel {
        guard validation.isEmpty || validation.count == datasets.count else {
            throw .unusableData(
                reason: "\(validation.count) validation sets for \(datasets.count) datasets")
        }
        var joint = try JointBoostingLearner(
            schema: schema, configuration: configuration, bankCount: datasets.count,
            manifestHash: manifestHash, threads: threads)
        var banks: [LocalBoostingLearner] = []
        for (index, dataset) in datasets.enumerated() {
            banks.append(
                try LocalBoostingLearner(
                    fit: dataset, valid: validation.isEmpty ? nil : validation[index],
                    schema: schema, configuration: configuration, threads: threads))
        }
        return try run(&joint, &banks, observe: observe)
    }

    /// Grows trees on top of another model's margins, on one bank's rows.
    ///
    /// What the trees add to a row's margin is the result's margin less its
    /// ``GradientBoostingModel/baseMargin``, which is not part of the sum here.
    ///
    /// - Parameters:
    ///   - margins: log-odds of the other model, one a row of `dataset`; held to ±16.
    ///   - validation: rows for early stopping with their margins, or nothing.
    /// - Throws: ``LearningError``.
    package static func trainResidual(
        on dataset: Dataset, margins: [Double],
        validation: (rows: Dataset, margins: [Double])? = nil, schema: TreeSchema,
        configuration: GradientBoostingConfiguration, threads: Int = 1
    ) throws(LearningError) -> GradientBoostingModel {
        precondition(margins.count == dataset.rowCount, "\(margins.count) margins")
        var joint = try JointBoostingLearner(
            schema: schema, configuration: configuration, bankCount: 1, manifestHash: nil,
            threads: threads)
        var banks = [
            try LocalBoostingLearner(
                fit: dataset, valid: validation?.rows,
                starts: StartMargins(fit: margins, valid: validation?.margins ?? []),
                schema: schema, configuration: configuration, threads: threads)
        ]
        return try run(&joint, &banks, observe: { _ in })
    }

    private static func run(
        _ joint: inout JointBoostingLearner, _ banks: inout [LocalBoostingLearner],
        observe: (LearnerProgress) -> Void
    ) throws(LearningError) -> GradientBoostingModel {
        var rounds = 0
        while case .query(let query) = try joint.next() {
            var sum: [Int64] = []
            for bank in banks.indices {
                let lanes = try banks[bank].lanes(for: query)
                if sum.isEmpty { sum = lanes } else { add(lanes, to: &sum) }
            }
            try joint.absorb(Aggregate(integers: sum))
            if joint.progress.roundsDone != rounds {
                rounds = joint.progress.roundsDone
                observe(joint.progress)
            }
        }
        return try joint.result()
    }

    private static func add(_ lanes: [Int64], to sum: inout [Int64]) {
        for lane in sum.indices { sum[lane] &+= lanes[lane] }
    }
}

/// Where the margins of a bank's rows start, in units of 2^-20.
struct StartMargins: Sendable {
    let fit: [Int32]
    let valid: [Int32]

    /// Takes log-odds, held to ±16.
    init(fit: [Double], valid: [Double]) {
        func units(_ values: [Double]) -> [Int32] {
            values.map { Int32((max(-16, min($0, 16)) / GradientScale.marginUnit).rounded()) }
        }
        self.fit = units(fit)
        self.valid = units(valid)
    }
}
