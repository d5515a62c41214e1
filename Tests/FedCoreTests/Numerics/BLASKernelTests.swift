import FedCore
import Testing

@Suite("The choice of BLAS kernels")
struct BLASKernelTests {
    private func choice(_ core: String, avx2: Bool, avx512: Bool, set: String? = nil) -> String? {
        BLASKernel.coreTypeToSet(
            coreName: core, features: .init(avx2: avx2, avx512: avx512), environmentValue: set)
    }

    @Test func onlyAFallbackIsReplaced() {
        for core in ["Prescott", "prescott", "generic", "Core2"] {
            #expect(choice(core, avx2: true, avx512: true) == "SkylakeX")
            #expect(choice(core, avx2: true, avx512: false) == "Haswell")
            #expect(choice(core, avx2: false, avx512: false) == nil)
        }
        for core in ["Zen", "Haswell", "SkylakeX", "Cooperlake", "NEOVERSEN1"] {
            #expect(choice(core, avx2: true, avx512: true) == nil)
        }
    }

    @Test func aVariableThatIsSetIsLeftAlone() {
        #expect(choice("Prescott", avx2: true, avx512: true, set: "Prescott") == nil)
        #expect(choice("Prescott", avx2: true, avx512: true, set: "") == "SkylakeX")
    }

    @Test func theLibraryNamesItsCore() {
        #expect(!BLASKernel.coreName.isEmpty)
    }
}
