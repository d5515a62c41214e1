internal import COpenBLAS
internal import Glibc

/// Makes OpenBLAS use the processor that is there.
///
/// Older releases do not know newer processors and fall back to kernels of 2004, up to eleven times
/// slower. The choice can only be made by the environment and before the library is loaded: hence
/// the process replaces itself, once.
public enum BLASBoot {
    private static let variable = "OPENBLAS_CORETYPE"
    private static let guardVariable = "FED_BLAS_REEXECUTED"

    /// Replaces the process if OpenBLAS has chosen badly; call it first thing in `main`.
    ///
    /// Returns unless the process has replaced itself.
    public static func reexecIfNeeded() {
        openblas_set_num_threads(1)
        guard getenv(variable) == nil, getenv(guardVariable) == nil,
            let wanted = betterCore(than: core, processorFlags: processorFlags())
        else { return }
        setenv(variable, wanted, 1)
        setenv(guardVariable, "1", 1)
        guard var arguments = readArguments() else { return }
        arguments.append(nil)
        execv("/proc/self/exe", arguments)
        // Without the replacement everything works, only slower.
        unsetenv(variable)
    }

    /// The kernels that OpenBLAS has chosen, such as `Haswell`.
    public static var core: String {
        openblas_get_corename().map { String(cString: $0) } ?? "unknown"
    }

    /// Which kernels this processor deserves, if it is not given them.
    package static func betterCore(than core: String, processorFlags: Set<String>) -> String? {
        guard ["Prescott", "Core2", "Generic", "generic"].contains(core) else { return nil }
        if processorFlags.isSuperset(of: ["avx512f", "avx512bw", "avx512dq", "avx512vl"]) {
            return "SkylakeX"
        }
        return processorFlags.isSuperset(of: ["avx2", "fma"]) ? "Haswell" : nil
    }

    private static func processorFlags() -> Set<String> {
        guard let text = try? AtomicFile.read("/proc/cpuinfo") else { return [] }
        for line in String(decoding: text, as: UTF8.self).split(separator: "\n")
        where line.hasPrefix("flags") {
            return Set(line.split(separator: " ").map(String.init))
        }
        return []
    }

    private static func readArguments() -> [UnsafeMutablePointer<CChar>?]? {
        guard let raw = try? AtomicFile.read("/proc/self/cmdline"), !raw.isEmpty else { return nil }
        return raw.dropLast().split(separator: 0, omittingEmptySubsequences: false)
            .map { strdup(String(decoding: $0, as: UTF8.self)) }
    }
}
