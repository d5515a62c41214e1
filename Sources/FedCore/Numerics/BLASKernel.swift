private import CFedKernels

/// Which of OpenBLAS's kernels run, and which should.
///
/// OpenBLAS 0.3.21 does not know newer Intel processors and falls back to kernels of 2004, which
/// multiply matrices an order of magnitude slower. The environment variable `OPENBLAS_CORETYPE`
/// sets that right, but only when it is there before the process starts; so an executable sets it
/// and executes itself again.
public enum BLASKernel {
    /// What decides between kernels.
    public struct ProcessorFeatures: Equatable, Sendable {
        /// AVX2 with FMA.
        public let avx2: Bool
        /// AVX-512 F, DQ, BW and VL.
        public let avx512: Bool

        /// Wraps features.
        public init(avx2: Bool, avx512: Bool) {
            self.avx2 = avx2
            self.avx512 = avx512
        }

        /// Those of this processor.
        public static var current: Self {
            Self(avx2: fed_cpu_has_avx2() != 0, avx512: fed_cpu_has_avx512() != 0)
        }
    }

    /// The name of the environment variable.
    public static let environmentVariable = "OPENBLAS_CORETYPE"

    /// The name of the core whose kernels the library picked in this process.
    public static var coreName: String { LinearAlgebra.coreName }

    /// The core type to set before executing the program again.
    ///
    /// - Parameters:
    ///   - coreName: what the library picked by itself.
    ///   - features: this processor's.
    ///   - environmentValue: the variable's present value, if it is set.
    /// - Returns: `nil` when the library's own choice is fine, when somebody has set the variable
    ///   already (so a program executes itself at most once), or when there is nothing better.
    public static func coreTypeToSet(
        coreName: String, features: ProcessorFeatures, environmentValue: String?
    ) -> String? {
        guard environmentValue == nil || environmentValue == "" else { return nil }
        guard ["prescott", "generic", "core2", "unknown"].contains(coreName.lowercased()) else {
            return nil
        }
        if features.avx512 { return "SkylakeX" }
        return features.avx2 ? "Haswell" : nil
    }
}
