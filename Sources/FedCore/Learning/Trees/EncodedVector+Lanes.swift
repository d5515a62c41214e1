internal import CFedKernels

extension EncodedVector {
    /// Encodes integers as the general initialiser does, in one vectorised pass.
    ///
    /// - Throws: ``LearningError/laneOutOfRange(lane:laneMagnitudeMax:)`` when the sum over
    ///   `contributors` banks could leave the ring; ``LearningError/laneCount(got:expected:)``.
    package init(
        lanesOf integers: [Int64], layout: VectorLayout, contributors: Int
    ) throws(LearningError) {
        guard integers.count == layout.laneCount else {
            throw .laneCount(got: integers.count, expected: layout.laneCount)
        }
        let limit = layout.laneMagnitudeMax(contributors: contributors)
        let mask = layout.ringBits == 64 ? UInt64.max : (UInt64(1) << layout.ringBits) - 1
        let lanes = [UInt64](unsafeUninitializedCapacity: integers.count) { buffer, count in
            count = fed_lanes_encode(integers, integers.count, limit, mask, buffer.baseAddress)
        }
        guard lanes.count == integers.count else {
            throw .laneOutOfRange(lane: lanes.count, laneMagnitudeMax: limit)
        }
        self.lanes = lanes
        self.layout = layout
    }
}
