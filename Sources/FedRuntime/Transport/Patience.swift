/// Waits for a coordinator that does not listen yet.
enum Patience {
    private static let pause = Duration.milliseconds(100)

    /// Makes a call, and makes it again while nobody listens, for ``TransportSettings/patience``.
    ///
    /// A call that has reached the peer is not repeated: it may have been carried out.
    ///
    /// - Parameters:
    ///   - isUnreachable: whether a failure says that nobody listened.
    ///   - attempt: one try, with a tap of its own.
    static func call<Value, Failure: Error>(
        _ settings: TransportSettings, isUnreachable: (Failure) -> Bool,
        attempt: (ConnectionTap) async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let deadline = ContinuousClock.now + settings.patience
        while true {
            let tap = ConnectionTap(settings: settings)
            do throws(Failure) {
                return try await attempt(tap)
            } catch {
                guard isUnreachable(error), !tap.hasReachedPeer, ContinuousClock.now < deadline,
                    (try? await Task.sleep(for: pause)) != nil
                else { throw error }
            }
        }
    }
}
