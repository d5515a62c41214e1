extension Aggregate {
    /// The sum that masking would give, without masks: the plaintext twin of secure aggregation,
    /// for tests and for joint training inside one process.
    ///
    /// - Parameter vectors: at least one, all of one layout.
    package init(plaintextSumOf vectors: [EncodedVector]) {
        precondition(!vectors.isEmpty, "no vectors")
        let layout = vectors[0].layout
        precondition(vectors.allSatisfy { $0.layout == layout }, "vectors of several layouts")
        let unused = 64 - layout.ringBits
        var sums = [UInt64](repeating: 0, count: layout.laneCount)
        for vector in vectors {
            for (lane, value) in vector.lanes.enumerated() { sums[lane] &+= value }
        }
        // Centred decoding: the top bit of the ring is the sign.
        self.init(integers: sums.map { Int64(bitPattern: $0 << unused) >> Int64(unused) })
    }
}
