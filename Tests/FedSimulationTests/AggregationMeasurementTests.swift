import FedCore
import FedSimulation
import Testing

struct AggregationMeasurementTests {
    @Test(arguments: [2, 5, 255])
    func `costs are those of the messages that the protocol sends`(bankCount: Int) throws {
        var ticks = 0.0
        let measurement = AggregationMeasurement(
            bankCount: bankCount, laneCount: 100, ring: ring(40), gateCount: 3)
        let costs = try measurement.run(repeats: 2) {
            ticks += 1
            return ticks
        }
        // Two check lanes, five bytes each; shares of 32 bytes for three gates and a tag a peer;
        // key, shares' root and acknowledgement with 32 bytes and a signature each.
        #expect(costs.slotBytes == 102 * 5)
        #expect(costs.setUpBytesSent == (bankCount - 1) * (3 * 32 + 16) + 3 * 96)
        #expect(
            costs.setUpBytesReceived
                == (bankCount - 1) * (3 * 32 + 16) + 3 * 96 * bankCount)
        // The clock ticks once a look.
        #expect(costs.setUpSeconds == 1)
        #expect(costs.slotSeconds == 1)
        #expect(costs.gatedSlotSeconds == 1)
        // Additions of short vectors share a tick.
        #expect(costs.sumSeconds > 0 && costs.sumSeconds < 0.001)
        #expect(costs.maskGigabytesPerSecond == Double(8 * 102 * (bankCount - 1)) / 1e9)
    }
}
