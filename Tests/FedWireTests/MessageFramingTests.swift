import FedWire
import Testing

@Suite struct MessageFramingTests {
    @Test("Every split of a message into frames gives the message back")
    func everySplit() throws {
        let message: [UInt8] = [1, 2, 3, 4, 5, 6, 7]
        // Bit i of the pattern cuts behind byte i.
        for pattern in 0..<(1 << (message.count - 1)) {
            var reassembler = MessageReassembler()
            var start = 0
            var received: [[UInt8]] = []
            for index in 0..<message.count {
                let isLast = index == message.count - 1
                guard isLast || pattern >> index & 1 == 1 else { continue }
                let frame = MessageFrame(data: message[start...index], isLast: isLast)
                if let whole = try reassembler.absorb(frame) { received.append(whole) }
                start = index + 1
            }
            #expect(received == [message], "pattern \(pattern)")
            #expect(!reassembler.isInsideMessage)
        }
    }

    @Test("Frames of every size give the message back", arguments: [0, 1, 2, 3, 10, 11])
    func everyFrameSize(count: Int) throws {
        let message = (0..<count).map { UInt8($0) }
        for frameBytes in 1...12 {
            var reassembler = MessageReassembler()
            var received: [[UInt8]] = []
            for frame in FrameSequence(message, frameBytes: frameBytes) {
                #expect(frame.data.count <= frameBytes)
                if let whole = try reassembler.absorb(frame) { received.append(whole) }
            }
            #expect(received == [message])
        }
    }

    @Test("Messages that follow each other stay apart")
    func consecutiveMessages() throws {
        var reassembler = MessageReassembler()
        var received: [[UInt8]] = []
        for message: [UInt8] in [[1, 2, 3], [], [4], []] {
            for frame in FrameSequence(message, frameBytes: 2) {
                if let whole = try reassembler.absorb(frame) { received.append(whole) }
            }
        }
        #expect(received == [[1, 2, 3], [], [4], []])
    }

    @Test("A message may be as large as the limit and no larger")
    func messageLimit() throws {
        var fitting = MessageReassembler(messageBytesMax: 4)
        #expect(try fitting.absorb(frame([1, 2], isLast: false)) == nil)
        #expect(try fitting.absorb(frame([3, 4], isLast: true)) == [1, 2, 3, 4])
        var large = MessageReassembler(messageBytesMax: 4)
        #expect(try large.absorb(frame([1, 2], isLast: false)) == nil)
        #expect(throws: FramingError.messageTooLarge(limit: 4)) {
            try large.absorb(frame([3, 4, 5], isLast: true))
        }
    }

    @Test("A frame larger than 1 MiB is refused")
    func frameLimit() {
        let limit = FramingLimits.frameBytesMax
        var reassembler = MessageReassembler()
        #expect(throws: FramingError.frameTooLarge(got: limit + 1, limit: limit)) {
            try reassembler.absorb(
                frame([UInt8](repeating: 0, count: limit + 1), isLast: true))
        }
    }

    @Test("An empty frame is refused wherever it is not a whole message")
    func emptyFrames() throws {
        var opening = MessageReassembler()
        #expect(throws: FramingError.emptyFrame) { try opening.absorb(frame([], isLast: false)) }
        var middle = MessageReassembler()
        #expect(try middle.absorb(frame([1], isLast: false)) == nil)
        #expect(throws: FramingError.emptyFrame) { try middle.absorb(frame([], isLast: true)) }
    }

    @Test("A stream that ends inside a message is an error")
    func truncation() throws {
        var reassembler = MessageReassembler()
        try reassembler.finish()
        #expect(try reassembler.absorb(frame([1, 2], isLast: false)) == nil)
        #expect(throws: FramingError.truncatedMessage(got: 2)) { try reassembler.finish() }
    }

    private func frame(_ bytes: [UInt8], isLast: Bool) -> MessageFrame {
        MessageFrame(data: bytes[...], isLast: isLast)
    }
}
