/// Limits of the message stream, the same at both ends.
public enum FramingLimits {
    /// The largest frame: 1 MiB.
    public static let frameBytesMax = 1 << 20
    /// The largest message unless a receiver sets another limit: 256 MiB.
    public static let messageBytesMax = 1 << 28
}

/// A piece of a message, as it travels.
public struct MessageFrame: Equatable, Sendable {
    /// Up to ``FramingLimits/frameBytesMax`` bytes.
    public let data: ArraySlice<UInt8>
    /// Whether the message ends here.
    public let isLast: Bool

    /// Wraps a piece of a message.
    public init(data: ArraySlice<UInt8>, isLast: Bool) {
        self.data = data
        self.isLast = isLast
    }
}

/// Cuts a message into frames, lazily: a large message is never in memory twice.
public struct FrameSequence: Sequence, Sendable {
    private let message: [UInt8]
    private let frameBytes: Int

    /// Prepares a message to be sent.
    ///
    /// - Parameter frameBytes: bytes a frame, 1 to ``FramingLimits/frameBytesMax``.
    public init(_ message: [UInt8], frameBytes: Int = FramingLimits.frameBytesMax) {
        precondition(
            (1...FramingLimits.frameBytesMax).contains(frameBytes), "frame of \(frameBytes) bytes")
        self.message = message
        self.frameBytes = frameBytes
    }

    /// The frames in order; an empty message is one empty last frame.
    public func makeIterator() -> AnyIterator<MessageFrame> {
        var start = 0
        var isFinished = false
        return AnyIterator { [message, frameBytes] in
            guard !isFinished else { return nil }
            let end = Swift.min(start + frameBytes, message.count)
            isFinished = end == message.count
            defer { start = end }
            return MessageFrame(data: message[start..<end], isLast: isFinished)
        }
    }
}

/// Puts frames together again.
///
/// A pure value: frames in, messages out.
public struct MessageReassembler: Sendable {
    private let messageBytesMax: Int
    private var partial: [UInt8] = []

    /// Starts between two messages.
    ///
    /// - Parameter messageBytesMax: larger messages are refused before they are in memory.
    public init(messageBytesMax: Int = FramingLimits.messageBytesMax) {
        precondition(messageBytesMax > 0, "limit of \(messageBytesMax) bytes")
        self.messageBytesMax = messageBytesMax
    }

    /// Whether frames of an unfinished message are held.
    public var isInsideMessage: Bool { !partial.isEmpty }

    /// Takes the next frame.
    ///
    /// - Returns: the message when this frame completes one.
    /// - Throws: ``FramingError``; the stream is then unusable.
    public mutating func absorb(_ frame: MessageFrame) throws(FramingError) -> [UInt8]? {
        let count = frame.data.count
        guard count <= FramingLimits.frameBytesMax else {
            throw .frameTooLarge(got: count, limit: FramingLimits.frameBytesMax)
        }
        guard count > 0 || (frame.isLast && partial.isEmpty) else { throw .emptyFrame }
        guard count <= messageBytesMax - partial.count else {
            throw .messageTooLarge(limit: messageBytesMax)
        }
        if frame.isLast && partial.isEmpty { return Array(frame.data) }
        partial.append(contentsOf: frame.data)
        guard frame.isLast else { return nil }
        defer { partial = [] }
        return partial
    }

    /// Ends the stream.
    ///
    /// - Throws: ``FramingError/truncatedMessage(got:)`` inside a message.
    public func finish() throws(FramingError) {
        guard partial.isEmpty else { throw .truncatedMessage(got: partial.count) }
    }
}
