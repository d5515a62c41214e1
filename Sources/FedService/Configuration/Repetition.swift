internal import ServiceLifecycle

/// What a service does again and again while it stands.
enum Repetition {
    /// Does a step, waits and begins anew, until a graceful shutdown, which ends a wait at once.
    static func untilShutdown(
        every interval: Duration, _ step: @escaping @Sendable () async -> Void
    ) async {
        await untilShutdown(every: interval, from: true) { _ in await step() }
    }

    /// The same with a value that goes from step to step.
    static func untilShutdown<Value: Sendable>(
        every interval: Duration, from first: Value,
        _ step: @escaping @Sendable (inout Value) async -> Void
    ) async {
        try? await cancelWhenGracefulShutdown { () async throws -> Void in
            var value = first
            while true {
                await step(&value)
                try await Task.sleep(for: interval)
            }
        }
    }
}
