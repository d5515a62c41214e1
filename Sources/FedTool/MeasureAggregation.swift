internal import ArgumentParser
internal import FedConsole
internal import FedCore
internal import FedRuntime
internal import FedSimulation

extension MeasureCommand {
    struct Aggregation: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Secure aggregation: one bank's set-up and slots, the coordinator's sum.")

        @Option(help: "Banks, 2 to 255.")
        var banks = 20
        @Option(help: "Lanes of the vector.")
        var lanes = 1_000_000
        @Option(help: "The ring's width: 16, 24, 32, 40, 48, 56 or 64.")
        var ringBits = 32
        @Option(help: "Gates whose self mask is shared at set-up, one for each tree.")
        var gates = 100
        @Option(help: "Runs; the one of least processor time counts.")
        var repeats = 5

        private struct Report: Encodable {
            let implementation: String
            let banks: Int
            let lanes: Int
            let ringBits: Int
            let gates: Int
            let setUpSeconds: Double
            let setUpBytesSent: Int
            let setUpBytesReceived: Int
            let slotSeconds: Double
            let gatedSlotSeconds: Double
            let slotBytes: Int
            let maskGigabytesPerSecond: Double
            let sumSeconds: Double
            let sumGigabytesPerSecond: Double
            let peakBytes: Int
        }

        func validate() throws {
            guard (2...255).contains(banks), lanes > 0, gates > 0, RingWidth(bits: ringBits) != nil
            else { throw ValidationError("banks, lanes, gates or ring bits are out of range") }
        }

        func run() async throws {
            guard let ring = RingWidth(bits: ringBits) else { return }
            let costs = try AggregationMeasurement(
                bankCount: banks, laneCount: lanes, ring: ring, gateCount: gates
            ).run(repeats: repeats) { ProcessorTime.seconds() }
            try ConsoleOutput.json(
                Report(
                    implementation: MaskGenerator.implementationName, banks: banks, lanes: lanes,
                    ringBits: ringBits, gates: gates, setUpSeconds: costs.setUpSeconds,
                    setUpBytesSent: costs.setUpBytesSent,
                    setUpBytesReceived: costs.setUpBytesReceived, slotSeconds: costs.slotSeconds,
                    gatedSlotSeconds: costs.gatedSlotSeconds, slotBytes: costs.slotBytes,
                    maskGigabytesPerSecond: costs.maskGigabytesPerSecond,
                    sumSeconds: costs.sumSeconds,
                    sumGigabytesPerSecond: costs.sumGigabytesPerSecond,
                    peakBytes: PeakMemory.bytes() ?? 0))
        }
    }
}
