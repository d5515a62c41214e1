import FedCore
import FedCrypto
import FedSimulation
import Testing

struct MaskBatteryTests {
    @Test(arguments: [16, 32, 64])
    func `masks of pairs and slots pass the whole battery`(bits: Int) {
        let findings = MaskBattery(.derivation(ring: ring(bits))).findings()
        #expect(findings.isEmpty, "\(findings)")
    }

    @Test func `masks of seeds pass the whole battery`() {
        let findings = MaskBattery(.expansion(ring: ring(64))).findings()
        #expect(findings.isEmpty, "\(findings)")
    }

    @Test(arguments: [24, 40, 48, 56])
    func `the largest value is reached in every other lane width`(bits: Int) {
        let findings = MaskBattery(.expansion(ring: ring(bits)))
            .findings([.topValue, .byteFrequency, .ringAddition, .sharedLanes])
        #expect(findings.isEmpty, "\(findings)")
    }

    @Test(arguments: WeakMask.all)
    func `the battery refuses a weak mask for its defect`(weak: WeakMask) {
        for check in weak.refusedBy {
            let findings = MaskBattery(weak.source).findings([check])
            #expect(!findings.isEmpty, "\(check.rawValue)")
            #expect(findings.allSatisfy { $0.check == check })
        }
    }

    @Test func `every check refuses some weak mask`() {
        let used = Set(WeakMask.all.flatMap(\.refusedBy))
        #expect(used == Set(MaskBattery.Check.allCases))
    }
}
