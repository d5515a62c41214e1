internal import Synchronization

/// A queue between one reader and any number of writers that holds a bounded number of bytes.
///
/// A writer waits while the queue is full, so a fast peer cannot fill the memory of a slow one. One
/// message always finds room, however large.
final class MessageQueue: Sendable {
    private struct Writer {
        let id: UInt64
        let continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var messages: [[UInt8]] = []
        var byteCount = 0
        var end: Result<Void, TransportError>?
        var reader: CheckedContinuation<Void, Never>?
        var writers: [Writer] = []
        var writerCount: UInt64 = 0
    }

    private let bytesMax: Int
    private let state = Mutex(State())

    init(bytesMax: Int = 1 << 26) { self.bytesMax = bytesMax }

    /// Appends a message, waiting for room.
    ///
    /// - Returns: `false` when the queue has ended; the message is then dropped.
    func append(_ message: [UInt8]) async -> Bool {
        let (accepted, reader) = state.withLock { state in
            guard state.end == nil else { return (false, state.reader.take()) }
            state.messages.append(message)
            state.byteCount += message.count
            return (true, state.reader.take())
        }
        reader?.resume()
        guard accepted else { return false }
        return await waitForRoom()
    }

    /// Ends the queue: what is in it can still be read, then reading ends with `result`.
    func finish(_ result: Result<Void, TransportError> = .success(())) {
        end(result, dropping: false)
    }

    /// Ends the queue at once and drops what is in it.
    func discard(_ result: Result<Void, TransportError> = .success(())) {
        end(result, dropping: true)
    }

    /// Takes the oldest message, waiting for one; `nil` at the end or on cancellation.
    func next() async throws(TransportError) -> [UInt8]? {
        while true {
            let step = state.withLock { state -> Step in
                if !state.messages.isEmpty {
                    let message = state.messages.removeFirst()
                    state.byteCount -= message.count
                    return .message(message, wake: takeWriters(&state))
                }
                if let end = state.end { return .end(end) }
                return .wait
            }
            switch step {
            case .message(let message, let writers):
                for writer in writers { writer.continuation.resume(returning: true) }
                return message
            case .end(let result):
                try result.get()
                return nil
            case .wait:
                if Task.isCancelled { return nil }
                await waitForMessage()
            }
        }
    }

    private enum Step {
        case message([UInt8], wake: [Writer])
        case end(Result<Void, TransportError>)
        case wait
    }

    private func takeWriters(_ state: inout State) -> [Writer] {
        guard state.byteCount <= bytesMax else { return [] }
        defer { state.writers = [] }
        return state.writers
    }

    private func end(_ result: Result<Void, TransportError>, dropping: Bool) {
        let (reader, writers) = state.withLock { state in
            if state.end == nil { state.end = result }
            if dropping {
                state.messages = []
                state.byteCount = 0
            }
            defer { state.writers = [] }
            return (state.reader.take(), state.writers)
        }
        reader?.resume()
        for writer in writers { writer.continuation.resume(returning: !dropping) }
    }

    private func waitForMessage() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if !state.messages.isEmpty || state.end != nil || Task.isCancelled {
                        return true
                    }
                    precondition(state.reader == nil, "two readers of one message queue")
                    state.reader = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.reader.take() }?.resume()
        }
    }

    private func waitForRoom() async -> Bool {
        let id = state.withLock { state in
            state.writerCount += 1
            return state.writerCount
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer = state.withLock { state -> Bool? in
                    if state.byteCount <= bytesMax || Task.isCancelled { return true }
                    if state.end != nil { return true }
                    state.writers.append(Writer(id: id, continuation: continuation))
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            let writer = state.withLock { state -> Writer? in
                guard let index = state.writers.firstIndex(where: { $0.id == id }) else {
                    return nil
                }
                return state.writers.remove(at: index)
            }
            writer?.continuation.resume(returning: true)
        }
    }
}
