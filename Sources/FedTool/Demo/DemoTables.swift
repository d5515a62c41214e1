internal import FedConsole
internal import FedCore
internal import FedFiles
internal import FedReport
internal import FedRuntime
internal import Foundation

/// The tables of shared indicators, summed by the processes from the banks' raw transactions.
struct DemoTables {
    let tables: [IndicatorTable]
    /// The banks' key, where an indicator needs one.
    let secrets: IndicatorSecrets
    /// What it took.
    let counting: IndicatorGainReport.Counting

    /// Runs of one indicator's periods.
    private struct Span {
        let indicator: String
        let first: Int64
        let count: Int
    }

    /// Starts the processes, sums every period whose figures all banks know, ends the processes.
    ///
    /// - Parameter banks: the banks' files of raw transactions.
    static func sum(
        _ demo: Demo, derivation: Derivation, derivationPath: String,
        banks: [IndicatorMeasurement.RawBank]
    ) async throws -> DemoTables {
        let spans = try spans(of: derivation, banks: banks)
        let raw = Dictionary(uniqueKeysWithValues: banks.map { ($0.name, $0.path) })
        let hasKey = derivation.indicators.contains {
            if case .sketch = $0.index { true } else { false }
        }
        let consortium = try await DemoConsortium.start(
            demo, purpose: "logs-tables",
            enrolled: { if hasKey { try await distributeKey(demo, $0) } },
            bringing: { ["--raw", raw[$0.bank] ?? "", "--derivation", derivationPath] })
        let secrets =
            try hasKey ? IndicatorSecrets(key: IndicatorKeyFile.read(keyFile(demo))) : .none
        do {
            var (slots, seconds) = (0, 0.0)
            for (number, span) in spans.enumerated() {
                let status = try await DemoTraining.follow(
                    [
                        "indicators", "--derivation", derivationPath, "--indicator",
                        span.indicator, "--first-period=\(span.first)", "--periods",
                        "\(span.count)",
                    ] + (secrets.keyCheck.map { ["--key-check", $0.hexadecimal] } ?? []),
                    "counting \(span.indicator) together", demo, consortium,
                    log: "run-\(number)")
                slots += status.slots
                seconds += status.seconds
            }
            await consortium.end()
            let tables = try await collect(
                demo, derivation, count: spans.count, logs: consortium.logs)
            demo.progress.done(
                "\(tables.tables.count) tables after \(slots) masked sums in "
                    + String(format: "%.1f s", seconds))
            return DemoTables(
                tables: tables.tables, secrets: secrets,
                counting: IndicatorGainReport.Counting(
                    sums: slots, seconds: seconds, bytesMax: tables.bytesMax,
                    laneBytesMax: tables.laneBytesMax))
        } catch {
            await consortium.end()
            throw error
        }
    }

    private static func keyFile(_ demo: Demo) -> String { demo.folder + "/indicator-key.json" }

    /// One bank makes the key and gives it to the others; the coordinator does not get it.
    private static func distributeKey(_ demo: Demo, _ consortium: DemoConsortium) async throws {
        for (index, files) in demo.banks.enumerated() {
            let state = ["--state", consortium.node(of: files.bank)]
            let steps =
                index == 0
                ? [["create"], ["export", "--out", keyFile(demo)]] : [["import", keyFile(demo)]]
            for step in steps {
                try await DemoConsortium.step(
                    "fed-node", ["indicator-key"] + step + state,
                    "key \(step[0]) \(files.bank)", logs: consortium.logs)
            }
        }
    }

    /// The periods that every bank has seen and whose figures every bank knows.
    private static func spans(
        of derivation: Derivation, banks: [IndicatorMeasurement.RawBank]
    ) throws -> [Span] {
        var earliest = Int64.max
        var latest = Int64.max
        for bank in banks {
            var (first, last) = (Int64.max, Int64.min)
            try RawTransactions.forEach(in: bank.path, derivation: derivation) { row, _, _ in
                first = min(first, row.time)
                last = row.time
                return true
            }
            earliest = min(earliest, first)
            latest = min(latest, last)
        }
        var spans: [Span] = []
        for indicator in derivation.indicators {
            let first = indicator.period(of: earliest)
            let end = indicator.period(of: latest - indicator.delay)
            let most = Int64(IndicatorPlan.periodCountMax)
            for start in stride(from: first, to: end, by: IndicatorPlan.periodCountMax) {
                spans.append(
                    Span(
                        indicator: indicator.name, first: start,
                        count: Int(min(most, end - start))))
            }
        }
        return spans
    }

    /// Reads the tables as each bank has them; they must be the same.
    private static func collect(
        _ demo: Demo, _ derivation: Derivation, count: Int, logs: String
    ) async throws -> (tables: [IndicatorTable], bytesMax: Int, laneBytesMax: Int) {
        var first: [String: [UInt8]]?
        var bytesMax = 0
        var laneBytesMax = 0
        for files in demo.banks {
            let state = "\(demo.folder)/banks/\(files.bank)"
            let out = "\(demo.folder)/tables/\(files.bank)"
            try await DemoConsortium.step(
                "fed-node", ["tables", "--state", state, "--out", out], "tables \(files.bank)",
                logs: logs)
            var own: [String: [UInt8]] = [:]
            for name in try FileManager.default.contentsOfDirectory(atPath: out) {
                own[name] = try AtomicFile.read("\(out)/\(name)")
            }
            guard own.count == count, first.map({ $0 == own }) ?? true else {
                throw CommandFailure("bank \(files.bank) holds other tables than the others")
            }
            first = own
            let sent = try NodeStore(in: try StateDirectory(reading: state)).egress()
            bytesMax = max(bytesMax, sent.reduce(0) { $0 + $1.byteCount })
            laneBytesMax = max(laneBytesMax, sent.reduce(0) { $0 + 2 * $1.lanes })
        }
        let folder = "\(demo.folder)/tables/\(demo.banks[0].bank)"
        return (try DerivationFile.tables([folder], of: derivation), bytesMax, laneBytesMax)
    }
}
