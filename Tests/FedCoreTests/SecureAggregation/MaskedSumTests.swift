import FedCore
import FedCrypto
import Testing

/// Masked sums against plain sums, bit for bit, and what a mask is bound to.
@Suite struct MaskedSumTests {
    struct World {
        let roster: Roster
        let keys: [EpochKeys]
        let digest = SHA256.hash([1])

        init(banks: Int, seed: UInt8) throws {
            var members: [Member] = []
            var agreements: [AgreementKey] = []
            for index in 0..<banks {
                let secret = SHA256.hash([seed, UInt8(index)])
                agreements.append(try AgreementKey(seed: SecretBytes(secret)))
                let bank = try #require(NodeID("bank-\(100 + index)"))
                let identityKey = SHA256.hash([7, seed, UInt8(index)])
                members.append(try #require(Member(bank: bank, identityKey: identityKey)))
            }
            let roster = try Roster(members)
            var publicKeys: [NodeID: [UInt8]] = [:]
            for (member, key) in zip(members, agreements) {
                publicKeys[member.bank] = key.publicKey
            }
            self.roster = roster
            var keys: [EpochKeys] = []
            for (member, key) in zip(members, agreements) {
                keys.append(
                    try EpochKeys(
                        own: member.bank, key: key, publicKeys: publicKeys, roster: roster,
                        digest: digest))
            }
            self.keys = keys
        }

        func context(
            layout: VectorLayout, slot: UInt32 = 0, group: UInt32 = 0, attempt: UInt32 = 0,
            manifest: UInt8 = 0, head: UInt8 = 0, epoch: UInt8 = 1, roster other: Roster? = nil
        ) -> SlotContext {
            SlotContext(
                manifestDigest: SHA256.hash([manifest]), epochDigest: SHA256.hash([epoch]),
                group: group, attempt: attempt, slot: slot, layout: layout,
                transcriptHead: SHA256.hash([head]), roster: other ?? roster)
        }
    }

    private func vectors(
        _ count: Int, layout: VectorLayout, state: inout UInt64
    ) throws -> [EncodedVector] {
        let limit = layout.laneMagnitudeMax(contributors: count)
        return try (0..<count).map { _ in
            let integers = (0..<layout.laneCount).map { _ -> Int64 in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                switch state >> 61 {
                case 0: return limit
                case 1: return -limit
                default: return Int64(bitPattern: state) % (limit &+ (limit == .max ? 0 : 1))
                }
            }
            return try EncodedVector(integers: integers, layout: layout, contributors: count)
        }
    }

    @Test(arguments: [16, 24, 32, 40, 48, 56, 64], [3, 4, 9])
    func maskedSumIsThePlainSumBitForBit(ringBits: Int, banks: Int) throws {
        let world = try World(banks: banks, seed: UInt8(ringBits))
        var state = UInt64(ringBits * 100 + banks)
        for laneCount in [1, 2, 63, 1000] {
            let layout = try #require(VectorLayout(laneCount: laneCount, ringBits: ringBits))
            let context = world.context(layout: layout, slot: UInt32(laneCount))
            let inputs = try vectors(banks, layout: layout, state: &state)
            var accumulator = SlotAccumulator(context: context)
            // Any order of arrival.
            for index in inputs.indices.reversed() {
                let update = world.keys[index].mask(inputs[index], context: context)
                try accumulator.add(
                    contextDigest: update.contextDigest, laneBytes: update.laneBytes,
                    from: world.roster.banks[index], digest: update.laneBytes)
            }
            #expect(try accumulator.open() == PlaintextAggregation.sum(inputs))
        }
    }

    @Test func everyFieldOfTheContextChangesEveryMask() throws {
        let world = try World(banks: 4, seed: 1)
        let layout = try #require(VectorLayout(laneCount: 8))
        let other = try #require(VectorLayout(laneCount: 8, ringBits: 56))
        let smaller = try Roster(Array(world.roster.members.dropLast()))
        let base = world.context(layout: layout)
        let contexts = [
            world.context(layout: layout, slot: 1), world.context(layout: layout, group: 1),
            world.context(layout: layout, attempt: 1), world.context(layout: layout, manifest: 1),
            world.context(layout: layout, head: 1), world.context(layout: layout, epoch: 2),
            world.context(layout: other),
            world.context(layout: layout, roster: smaller),
        ]
        #expect(Set(([base] + contexts).map(\.digest)).count == contexts.count + 1)
        let zeros = try EncodedVector(
            integers: [Int64](repeating: 0, count: 8), layout: layout, contributors: 3)
        let reference = world.keys[0].mask(zeros, context: base).laneBytes
        for context in contexts where context.layout == layout {
            let masked = world.keys[0].mask(zeros, context: context).laneBytes
            for lane in 0..<10 {
                #expect(reference[lane * 8..<lane * 8 + 8] != masked[lane * 8..<lane * 8 + 8])
            }
        }
    }

    @Test func contextsThatDifferAtOneBankGiveNoise() throws {
        let world = try World(banks: 3, seed: 2)
        let layout = try #require(VectorLayout(laneCount: 4))
        let told = world.context(layout: layout)
        let lied = world.context(layout: layout, head: 9)
        let zeros = try EncodedVector(integers: [0, 0, 0, 0], layout: layout, contributors: 3)
        var accumulator = SlotAccumulator(context: told)
        for index in 0..<3 {
            let update = world.keys[index].mask(zeros, context: index == 0 ? lied : told)
            // Even a coordinator that hides the difference of contexts opens nothing.
            try accumulator.add(
                contextDigest: told.digest, laneBytes: update.laneBytes,
                from: world.roster.banks[index], digest: [])
        }
        #expect(throws: UpdateFailure.checkLanesDiffer) { try accumulator.open() }
    }

    @Test func aSumWithABankLeftOutOrTwiceIsNotOpened() throws {
        let world = try World(banks: 3, seed: 3)
        let layout = try #require(VectorLayout(laneCount: 4))
        let context = world.context(layout: layout)
        let zeros = try EncodedVector(integers: [0, 0, 0, 0], layout: layout, contributors: 3)
        var accumulator = SlotAccumulator(context: context)
        let update = world.keys[0].mask(zeros, context: context)
        func add() throws {
            try accumulator.add(
                contextDigest: update.contextDigest, laneBytes: update.laneBytes,
                from: world.roster.banks[0], digest: [])
        }
        try add()
        #expect(throws: UpdateFailure.secondUpdate) { try add() }
        #expect(throws: UpdateFailure.incomplete) { try accumulator.open() }
    }

    @Test func lanesBeyondTheOverflowBoundAreRefusedAndTheBoundItselfIsNot() throws {
        for ringBits in [16, 32, 48, 64] {
            let layout = try #require(VectorLayout(laneCount: 1, ringBits: ringBits))
            for contributors in [3, 7, 200] {
                let limit = layout.laneMagnitudeMax(contributors: contributors)
                for value in [limit, -limit] {
                    _ = try EncodedVector(
                        integers: [value], layout: layout, contributors: contributors)
                }
                #expect(
                    throws: LearningError.laneOutOfRange(lane: 0, laneMagnitudeMax: limit)
                ) {
                    try EncodedVector(
                        integers: [limit + 1], layout: layout, contributors: contributors)
                }
                #expect(throws: LearningError.self) {
                    try EncodedVector(
                        integers: [Int64.min], layout: layout, contributors: contributors)
                }
            }
        }
    }

    @Test func vectorsAndKeysCannotBePrinted() throws {
        let world = try World(banks: 3, seed: 4)
        let layout = try #require(VectorLayout(laneCount: 1))
        let vector = try EncodedVector(integers: [123_456_789], layout: layout, contributors: 3)
        #expect("\(vector)" == "EncodedVector(1 lanes, redacted)")
        #expect(!"\(world.keys[0])".contains("storage"))
    }
}
