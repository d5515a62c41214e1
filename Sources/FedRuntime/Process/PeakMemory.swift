internal import Glibc

/// The process's own appetite, as the system counts it.
public enum PeakMemory {
    /// The largest resident size so far, bytes; `nil` where the system does not say.
    public static func bytes() -> Int? {
        guard let status = try? AtomicFile.read("/proc/self/status") else { return nil }
        for line in String(decoding: status, as: UTF8.self).split(separator: "\n")
        where line.hasPrefix("VmHWM:") {
            let fields = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            return fields.count >= 2 ? Int(fields[1]).map { $0 * 1024 } : nil
        }
        return nil
    }
}

/// The processor time of the process so far.
public enum ProcessorTime {
    /// User and system time of all threads, seconds.
    public static func seconds() -> Double {
        Double(clock()) / Double(CLOCKS_PER_SEC)
    }
}
