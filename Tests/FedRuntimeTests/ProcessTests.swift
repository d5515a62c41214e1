import FedRuntime
import Foundation
import Logging
import Testing

@Suite struct ProcessTests {
    @Test("Random bytes have the asked length and do not repeat", arguments: [0, 1, 7, 8, 9, 33])
    func entropy(count: Int) {
        #expect(Entropy.bytes(count).count == count)
        #expect(Entropy.bytes(32) != Entropy.bytes(32))
    }

    @Test("Peak memory grows with what is used")
    func peakMemory() throws {
        let before = try #require(PeakMemory.bytes())
        let block = [UInt8](repeating: 1, count: before)
        let after = try #require(PeakMemory.bytes())
        #expect(after > before + block.count / 4)
    }

    @Test(
        "A processor gets better kernels only where OpenBLAS has chosen old ones",
        arguments: [
            ("Prescott", ["avx2", "fma"], "Haswell"),
            (
                "Prescott", ["avx2", "fma", "avx512f", "avx512bw", "avx512dq", "avx512vl"],
                "SkylakeX"
            ),
            ("Prescott", ["avx2", "fma", "avx512f"], "Haswell"),
            ("Prescott", ["sse2"], nil), ("Zen", ["avx2", "fma"], nil),
            ("Haswell", ["avx2", "fma", "avx512f"], nil),
        ] as [(String, Set<String>, String?)])
    func betterCore(core: String, flags: Set<String>, expected: String?) {
        #expect(BLASBoot.betterCore(than: core, processorFlags: flags) == expected)
    }

    @Test("A log line is one line with its facts in order")
    func logLine() {
        var handler = LineLogHandler(label: "fed-node", level: .info)
        handler[metadataKey: "run.id"] = "00"
        let event = LogEvent(
            level: .warning, message: "dropout", metadata: ["node.id": "a b\n", "a": "x=y"],
            source: "", file: "", function: "", line: 0)
        #expect(
            handler.format(event, at: 0)
                == "1970-01-01T00:00:00Z warning fed-node: dropout "
                + "a=\"x=y\" node.id=\"a b\\n\" run.id=00\n")
    }
}
