/// Why a stream of frames is not a stream of messages.
public enum FramingError: Error, Equatable, Sendable {
    /// A frame is larger than both ends agreed.
    case frameTooLarge(got: Int, limit: Int)
    /// A frame brings nothing and is not a whole empty message.
    case emptyFrame
    /// The message has grown beyond the receiver's limit.
    case messageTooLarge(limit: Int)
    /// The stream ended inside a message.
    case truncatedMessage(got: Int)
}

/// Why a well-formed protobuf message is refused.
public enum WireError: Error, Equatable, Sendable {
    /// A field's value is outside of what the field may hold.
    case invalidField(message: String, field: String, expected: String)
}

extension FramingError: CustomStringConvertible {
    /// The text form, for people.
    public var description: String {
        switch self {
        case .frameTooLarge(let got, let limit):
            "a frame of \(got) bytes; at most \(limit) are allowed"
        case .emptyFrame: "an empty frame inside a message"
        case .messageTooLarge(let limit): "a message larger than \(limit) bytes"
        case .truncatedMessage(let got): "the stream ended after \(got) bytes of a message"
        }
    }
}

extension WireError: CustomStringConvertible {
    /// The text form, for people.
    public var description: String {
        switch self {
        case .invalidField(let message, let field, let expected):
            "\(message).\(field) is not \(expected)"
        }
    }
}
