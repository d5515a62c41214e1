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

    /// The sum of vectors in their ring, decoded: what masking and unmasking must give.
    ///
    /// - Parameter vectors: at least one, all of one layout.
    package static func plainSum(_ vectors: [EncodedVector]) -> Aggregate {
        let spare = UInt64(64 - vectors[0].layout.ringBits)
        var sums = [UInt64](repeating: 0, count: vectors[0].lanes.count)
        for vector in vectors {
            precondition(vector.layout == vectors[0].layout, "vectors of different layouts")
            for (lane, value) in vector.lanes.enumerated() { sums[lane] &+= value }
        }
        return Aggregate(integers: sums.map { Int64(bitPattern: $0 << spare) >> Int64(spare) })
    }
}
