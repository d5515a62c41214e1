import FedCore
import Testing

@Suite struct SafetyKernelTests {
    private static let epoch = [UInt8](repeating: 7, count: 32)
    private static let context = [UInt8](repeating: 5, count: 32)
    private static let digest = [UInt8](repeating: 6, count: 32)
    private let all = Array(0..<9)
    private let shrunk = Array(0..<6)
    private let first = Self.attempt(gate: 1)

    private static func attempt(
        gate: UInt32, group: UInt8 = 1, epoch: [UInt8] = Self.epoch
    ) -> AttemptID {
        AttemptID(epoch: epoch, group: [UInt8](repeating: group, count: 32), gate: gate)
    }

    private func parameters(charter: UInt8 = 1, own: Int = 4) throws -> SafetyParameters {
        try SafetyParameters(
            charterDigest: [UInt8](repeating: charter, count: 32),
            blocs: [[0, 1, 2], [3, 4, 5], [6, 7, 8]], own: own, collusionBound: 2, threshold: 7)
    }

    private func evidence(_ roster: [Int]) -> [Int: [UInt8]] {
        Dictionary(uniqueKeysWithValues: roster.map { ($0, Self.context) })
    }

    private func uploaded(_ roster: [Int]? = nil) throws -> SafetyKernel {
        var kernel = SafetyKernel(try parameters())
        _ = try kernel.admit(first, roster: roster ?? all)
        _ = try kernel.upload(first, slot: 3, context: Self.context, digest: Self.digest)
        return kernel
    }

    private func released(_ roster: [Int]? = nil) throws -> SafetyKernel {
        var kernel = try uploaded(roster)
        _ = try kernel.release(first, uploads: evidence(roster ?? all))
        return kernel
    }

    @Test(arguments: [
        ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], SafetyViolation.rosterMalformed),
        ([0, 1, 2, 3, 4, 4, 5], .rosterMalformed),
        ([2, 1, 0, 3, 4, 5], .rosterMalformed),
        ([-1, 3, 4, 5, 6, 7, 8], .rosterMalformed),
        ([0, 1, 2, 6, 7, 8], .rosterWithoutOwn),
        ([0, 1, 3, 4, 5, 6, 7, 8], .blocSplit(bloc: 0)),
        ([3, 4, 5, 6, 7, 8, 1], .rosterMalformed),
        ([3, 4, 5], .rosterTooSmall(got: 3, least: 5)),
        ([], .rosterWithoutOwn),
    ])
    func rosterThatIsNoUnionOfBlocsIsRefused(roster: [Int], violation: SafetyViolation) throws {
        var kernel = SafetyKernel(try parameters())
        #expect(throws: violation) { try kernel.admit(first, roster: roster) }
        #expect(throws: violation) {
            try kernel.answer(staticQuery: Self.digest, roster: roster)
        }
        #expect(kernel == SafetyKernel(try parameters()), "a refusal leaves a trace")
    }

    @Test func gatesAscendAcrossGroups() throws {
        var kernel = SafetyKernel(try parameters())
        let second = Self.attempt(gate: 2)
        #expect(try kernel.admit(second, roster: all) == [.admitted(second, roster: all)])
        #expect(try kernel.admit(second, roster: all) == [])
        #expect(throws: SafetyViolation.gateNotNew(got: 2, last: 2)) {
            try kernel.admit(second, roster: shrunk)
        }
        #expect(throws: SafetyViolation.gateNotNew(got: 2, last: 2)) {
            try kernel.admit(Self.attempt(gate: 2, group: 9), roster: all)
        }
        #expect(throws: SafetyViolation.gateNotNew(got: 1, last: 2)) {
            try kernel.admit(first, roster: all)
        }
        let other = [UInt8](repeating: 8, count: 32)
        _ = try kernel.admit(Self.attempt(gate: 1, epoch: other), roster: all)
    }

    @Test func repeatOfAnUploadIsTheSameOrRefused() throws {
        var kernel = try uploaded()
        #expect(
            try kernel.upload(first, slot: 3, context: Self.context, digest: Self.digest) == [])
        #expect(throws: SafetyViolation.resendDiffers(slot: 3)) {
            try kernel.upload(first, slot: 3, context: Self.context, digest: Self.context)
        }
        #expect(throws: SafetyViolation.resendDiffers(slot: 3)) {
            try kernel.upload(first, slot: 3, context: Self.digest, digest: Self.digest)
        }
        #expect(throws: SafetyViolation.slotPassed(got: 2, last: 3)) {
            try kernel.upload(first, slot: 2, context: Self.context, digest: Self.digest)
        }
    }

    @Test func plainSlotsFollowTheRelease() throws {
        var kernel = try uploaded()
        #expect(throws: SafetyViolation.plainBeforeRelease(slot: 4)) {
            try kernel.upload(first, slot: 4, context: Self.context, digest: Self.digest)
        }
        kernel = try released()
        let entries = try kernel.upload(
            first, slot: 4, context: Self.context, digest: Self.digest)
        #expect(
            entries == [.uploaded(first, slot: 4, context: Self.context, digest: Self.digest)])
    }

    @Test func releaseNeedsEveryMembersUploadOfTheSameContext() throws {
        var kernel = SafetyKernel(try parameters())
        _ = try kernel.admit(first, roster: all)
        #expect(throws: SafetyViolation.releaseBeforeUpload) {
            try kernel.release(first, uploads: evidence(all))
        }
        kernel = try uploaded()
        var lacking = evidence(all)
        lacking[7] = nil
        #expect(throws: SafetyViolation.uploadMissing(member: 7)) {
            try kernel.release(first, uploads: lacking)
        }
        lacking[7] = Self.digest
        #expect(throws: SafetyViolation.uploadDiffers(member: 7)) {
            try kernel.release(first, uploads: lacking)
        }
        #expect(try kernel.release(first, uploads: evidence(all)).count == 1)
        #expect(try kernel.release(first, uploads: evidence(all)) == [])
    }

    @Test func sharesFollowTheRelease() throws {
        #expect(throws: SafetyViolation.shareBeforeRelease) { try uploaded().share(first, of: 1) }
        let kernel = try released(shrunk)
        try kernel.share(first, of: 1)
        #expect(throws: SafetyViolation.shareOfStranger(member: 8)) {
            try kernel.share(first, of: 8)
        }
        #expect(throws: SafetyViolation.attemptUnknown) {
            try kernel.share(Self.attempt(gate: 2), of: 1)
        }
    }

    @Test func laterAttemptClosesTheEarlier() throws {
        var kernel = try uploaded()
        _ = try kernel.admit(Self.attempt(gate: 2), roster: shrunk)
        #expect(throws: SafetyViolation.attemptClosed) {
            try kernel.release(first, uploads: evidence(all))
        }
        #expect(throws: SafetyViolation.attemptClosed) { try kernel.share(first, of: 1) }
        #expect(throws: SafetyViolation.attemptClosed) {
            try kernel.upload(first, slot: 3, context: Self.context, digest: Self.digest)
        }
    }

    @Test func releaseBindsTheGroupToItsRosterForEver() throws {
        var kernel = try released(shrunk)
        #expect(throws: SafetyViolation.groupCommitted) {
            try kernel.admit(Self.attempt(gate: 2), roster: all)
        }
        _ = kernel.close(epoch: Self.epoch)
        let other = [UInt8](repeating: 8, count: 32)
        #expect(throws: SafetyViolation.groupCommitted) {
            try kernel.admit(Self.attempt(gate: 1, epoch: other), roster: all)
        }
        let again = Self.attempt(gate: 1, epoch: other)
        _ = try kernel.admit(again, roster: shrunk)
        _ = try kernel.upload(again, slot: 0, context: Self.context, digest: Self.digest)
        #expect(try kernel.release(again, uploads: evidence(shrunk)).count == 1)
        _ = try kernel.admit(Self.attempt(gate: 2, group: 2, epoch: other), roster: all)
    }

    @Test func attemptThatWasOpenElsewhereIsBoundByTheOtherEpochsRelease() throws {
        var kernel = try uploaded(all)
        let other = Self.attempt(gate: 1, epoch: [UInt8](repeating: 8, count: 32))
        _ = try kernel.admit(other, roster: shrunk)
        _ = try kernel.upload(other, slot: 0, context: Self.context, digest: Self.digest)
        _ = try kernel.release(other, uploads: evidence(shrunk))
        #expect(throws: SafetyViolation.groupCommitted) {
            try kernel.release(first, uploads: evidence(all))
        }
    }

    @Test func anotherCharterDoesNotReopenAGroup() throws {
        var kernel = try released()
        _ = try kernel.answer(staticQuery: Self.digest, roster: all)
        let entries = try entries()
        kernel = SafetyKernel(try parameters(charter: 2), replaying: entries)
        let other = Self.attempt(gate: 1, epoch: [UInt8](repeating: 8, count: 32))
        #expect(throws: SafetyViolation.groupCommitted) { try kernel.admit(other, roster: all) }
        #expect(throws: SafetyViolation.staticQueryAnswered) {
            try kernel.answer(staticQuery: Self.digest, roster: all)
        }
    }

    @Test func staticQueryHasOneRoster() throws {
        var kernel = SafetyKernel(try parameters())
        #expect(try kernel.answer(staticQuery: Self.digest, roster: all).count == 1)
        #expect(try kernel.answer(staticQuery: Self.digest, roster: all) == [])
        #expect(throws: SafetyViolation.staticQueryAnswered) {
            try kernel.answer(staticQuery: Self.digest, roster: shrunk)
        }
        #expect(try kernel.answer(staticQuery: Self.context, roster: shrunk).count == 1)
    }

    @Test func unknownAttemptsAreRefused() throws {
        var kernel = SafetyKernel(try parameters())
        #expect(throws: SafetyViolation.attemptUnknown) {
            try kernel.upload(first, slot: 0, context: Self.context, digest: Self.digest)
        }
        #expect(throws: SafetyViolation.attemptUnknown) {
            try kernel.release(first, uploads: evidence(all))
        }
        #expect(kernel.close(epoch: Self.epoch) == [])
    }

    /// One entry of each kind, as a kernel that does everything writes them.
    private func entries() throws -> [SafetyEntry] {
        var kernel = SafetyKernel(try parameters())
        var entries = try kernel.admit(first, roster: all)
        entries += try kernel.upload(first, slot: 3, context: Self.context, digest: Self.digest)
        entries += try kernel.release(first, uploads: evidence(all))
        entries += try kernel.answer(staticQuery: Self.digest, roster: all)
        entries += kernel.close(epoch: Self.epoch)
        return entries
    }

    @Test func entriesPassThroughTheirBytes() throws {
        let entries = try entries()
        #expect(entries.count == 5)
        for entry in entries {
            #expect(try SafetyEntry(bytes: entry.bytes) == entry)
            for length in 0..<entry.bytes.count {
                #expect(throws: DecodingFailure.self) {
                    try SafetyEntry(bytes: Array(entry.bytes.prefix(length)))
                }
            }
            #expect(throws: DecodingFailure.self) { try SafetyEntry(bytes: entry.bytes + [0]) }
        }
        #expect(throws: DecodingFailure.self) { try SafetyEntry(bytes: [9]) }
    }

    @Test(arguments: [
        (3, 1, 3, 3), (4, 1, 3, 3), (5, 1, 4, 3), (9, 2, 7, 5), (10, 3, 8, 7), (30, 9, 26, 19),
        (200, 66, 175, 133),
    ])
    func defaultsOfACharterAreSafe(n: Int, c: Int, t: Int, m: Int) throws {
        #expect(SafetyParameters.defaultCollusionBound(memberCount: n) == c)
        #expect(SafetyParameters.defaultThreshold(memberCount: n) == t)
        // Blocs of three; what is left over joins the last one or makes one of two.
        let count = n % 3 == 2 ? n / 3 + 1 : n / 3
        let blocs = (0..<count).map { bloc in
            Array(3 * bloc..<(bloc == count - 1 ? n : 3 * bloc + 3))
        }
        let parameters = try SafetyParameters(
            charterDigest: Self.digest, blocs: blocs, own: 0, collusionBound: c, threshold: t)
        #expect(parameters.rosterMin == m)
    }

    @Test func unsafeNumbersAreRefused() throws {
        func make(
            _ blocs: [[Int]], c: Int, t: Int, floor: Int = 3, own: Int = 0
        ) throws(SafetyParameterError) {
            _ = try SafetyParameters(
                charterDigest: Self.digest, blocs: blocs, own: own, banksMin: floor,
                collusionBound: c, threshold: t)
        }
        let five = [[0, 1, 2], [3, 4]]
        try make(five, c: 1, t: 4)
        #expect(throws: SafetyParameterError.threshold(got: 3, least: 4, most: 5)) {
            try make(five, c: 1, t: 3)
        }
        #expect(throws: SafetyParameterError.threshold(got: 6, least: 4, most: 5)) {
            try make(five, c: 1, t: 6)
        }
        #expect(throws: SafetyParameterError.collusionBound(got: 4, most: 3)) {
            try make(five, c: 4, t: 5)
        }
        #expect(throws: SafetyParameterError.blocTooSmall(got: 1)) {
            try make([[0, 1, 2, 3], [4]], c: 1, t: 4)
        }
        #expect(throws: SafetyParameterError.blocsNoPartition) {
            try make([[0, 1, 2], [2, 3]], c: 1, t: 4)
        }
        #expect(throws: SafetyParameterError.memberCount(got: 2)) {
            try make([[0, 1]], c: 0, t: 2)
        }
        #expect(throws: SafetyParameterError.own(got: 5)) { try make(five, c: 1, t: 4, own: 5) }
        #expect(throws: SafetyParameterError.banksMin(got: 2)) {
            try make(five, c: 1, t: 4, floor: 2)
        }
    }

    /// All pairs of unions of blocs, for all bloc sizes of up to twelve members.
    @Test func quorumIsTheLeastSizeWhoseUnionsShareAnHonestBank() {
        func compositions(_ n: Int) -> [[Int]] {
            n == 0 ? [[]] : (1...n).flatMap { size in compositions(n - size).map { [size] + $0 } }
        }
        for n in 3...8 {
            for sizes in compositions(n) where sizes == sizes.sorted() {
                var next = 0
                let blocs = sizes.map { size in
                    defer { next += size }
                    return Array(next..<next + size)
                }
                let unions = (0..<1 << blocs.count).map { chosen in
                    Set(blocs.indices.filter { chosen >> $0 & 1 == 1 }.flatMap { blocs[$0] })
                }
                for c in 0..<n {
                    let expected = (1...n).first { size in
                        let large = unions.filter { $0.count >= size }
                        return large.allSatisfy { one in
                            large.allSatisfy { one.intersection($0).count > c }
                        }
                    }
                    let got = SafetyParameters.quorum(blocs: blocs, least: 1, collusionBound: c)
                    #expect(got == expected, "blocs \(sizes), c \(c)")
                }
            }
        }
    }
}
