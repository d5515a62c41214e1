internal import ServiceLifecycle

/// Brings tables of shared indicators to live transactions as they are published.
struct TableWatcher: Service {
    let deriver: RawDeriver
    let interval: Duration

    func run() async throws {
        await Repetition.untilShutdown(every: interval) { await deriver.takeTables() }
    }
}
