internal import ArgumentParser
internal import FedConsole
internal import FedCore
internal import FedRuntime
internal import FedSimulation
internal import Foundation

struct SimulateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Runs the real protocol under thousands of seeded schedules of faults.",
        discussion: """
            Messages are lost, doubled, late and overtake each other; links hang and break; banks and \
            the coordinator die at any step and come back, without their last words or without their \
            disk, or never. Every opened sum is compared with the plain one, every model with the one \
            of an undisturbed run. Exit code 1 at a broken rule, with the seed that shows it again: \
            --schedules 1 --seed SEED.
            """)

    @Option(help: "Schedules to run, dealt out over consortia of 3, 5 and 9 banks.")
    var schedules = 300
    @Option(help: "The seed of the first schedule; the others count on from it.")
    var seed: UInt64 = 0
    @Option(help: "Only this number of banks, 3 to 26.")
    var banks: Int?
    @Flag(help: "First every fault to every bank at every step, for 5 and 9 banks.")
    var everyPhase = false
    @Option(help: "Write the figures to this JSON file.")
    var json: String?

    struct Report: Encodable {
        var strikes = 0
        var schedules = 0
        var wrongSums = 0
        var doubleOpenings = 0
        var sameHash = 0
        var reduced = 0
        var held = 0
        var truncated = 0
        var aborted = 0
        var excluding = 0
        var retries = 0
        var recoveries = 0
        var failures: [Failure] = []
    }

    struct Failure: Encodable {
        let banks: Int
        let seed: UInt64?
        let what: String
    }

    func validate() throws {
        guard (1...10_000_000).contains(schedules) else {
            throw ValidationError("--schedules is \(schedules), expected 1 to 10000000")
        }
        guard (3...26).contains(banks ?? 3) else {
            throw ValidationError("--banks is \(banks ?? 3), expected 3 to 26")
        }
    }

    func run() async throws {
        let sizes = banks.map { [$0] } ?? [3, 5, 9]
        let progress = ProgressLine()
        var report = Report()
        if everyPhase { try strikeAll(into: &report, progress) }
        for (place, size) in sizes.enumerated() {
            let consortium = try ToyConsortium(bankCount: size, seed: 13)
            let seeds = stride(from: place, to: schedules, by: sizes.count).map {
                seed + UInt64($0)
            }
            let before = report.schedules
            report.add(
                try await ScheduleSweep.run(
                    consortium, seeds: seeds, reference: try consortium.run().model,
                    workers: ProcessInfo.processInfo.activeProcessorCount
                ) { done in
                    progress.update(
                        "\(before + done)/\(schedules) schedules, \(size) banks", isNews: true)
                }, banks: size)
        }
        progress.finish()
        if let json {
            try AtomicFile.write(Array(try ConsoleOutput.jsonText(report).utf8), to: json)
        }
        ConsoleOutput.line(report.text)
        guard report.failures.isEmpty else {
            throw CommandFailure(
                "a rule was broken: "
                    + report.failures.map(\.what).joined(separator: "; "),
                hint: report.failures.map { failure in
                    failure.seed.map {
                        "fed simulate --schedules 1 --banks \(failure.banks) --seed \($0)"
                    } ?? failure.what
                }.joined(separator: "; "))
        }
    }

    private func strikeAll(into report: inout Report, _ progress: ProgressLine) throws {
        for size in [5, 9] {
            let consortium = try ToyConsortium(bankCount: size, seed: 53)
            let reference = try consortium.run().model
            for strike in Strike.all(consortium.banks) {
                var faults = FaultPlan()
                faults.strike = strike
                let result = try consortium.run(faults: faults, schedule: 1)
                report.strikes += 1
                report.wrongSums += result.wrongSums.count
                report.doubleOpenings += result.doubleOpenings.count
                if let what = strike.violation(of: result, reference: reference) {
                    report.failures.append(
                        Failure(banks: size, seed: nil, what: "\(strike): \(what)"))
                }
                if report.strikes.isMultiple(of: 50) {
                    progress.update(
                        "\(report.strikes) faults at one step, \(size) banks", isNews: true)
                }
            }
        }
    }
}

extension SimulateCommand.Report {
    mutating func add(_ sweep: ScheduleSweep, banks: Int) {
        schedules += sweep.schedules
        wrongSums += sweep.wrongSums
        doubleOpenings += sweep.doubleOpenings
        sameHash += sweep.sameHash
        reduced += sweep.reduced
        held += sweep.held
        truncated += sweep.truncated
        aborted += sweep.aborted
        excluding += sweep.excluding
        retries += sweep.retries
        recoveries += sweep.recoveries
        if let (seed, what) = sweep.failure {
            failures.append(SimulateCommand.Failure(banks: banks, seed: seed, what: what))
        }
    }

    var text: String {
        (strikes == 0 ? "" : "\(strikes) single faults, every bank at every step\n") + """
            \(schedules) schedules: \(sameHash) ended with the model of an undisturbed run, \(reduced) with \
            one of fewer banks or with trees cut short, \(held) were still held, \(aborted) ended with a \
            reason
            \(wrongSums) wrong sums, \(doubleOpenings) groups opened twice; on the way \(retries) retries, \
            \(recoveries) recoveries of gates, \(truncated) runs with trees cut short, \(excluding) with banks put \
            out
            """
    }
}
