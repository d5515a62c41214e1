internal import FedWire
internal import Foundation
internal import GRPCCore

/// Moves messages between a channel and the frames of a gRPC stream.
enum FramePump {
    /// Writes the channel's outgoing messages until it is closed.
    ///
    /// When writing fails, the channel ends with the reason and every waiting sender learns it.
    static func write(
        _ outgoing: AsyncStream<MessageChannel.Outgoing>, of channel: MessageChannel,
        to writer: RPCWriter<Fed_V1_Frame>
    ) async {
        var isBroken = false
        for await item in outgoing {
            if !isBroken {
                do {
                    for frame in FrameSequence(item.message) {
                        var wire = Fed_V1_Frame()
                        wire.data = Data(frame.data)
                        wire.last = frame.isLast
                        try await writer.write(wire)
                    }
                } catch {
                    isBroken = true
                    channel.end(.failure(TransportFailure.lost(error)))
                }
            }
            item.done?.resume(returning: isBroken ? channel.endingError : nil)
        }
    }

    /// Reads frames into the channel's inbound queue until they end, then ends the channel.
    static func read<Frames: AsyncSequence>(
        _ frames: Frames, into inbound: MessageQueue, of channel: MessageChannel,
        messageBytesMax: Int, tap: ConnectionTap? = nil
    ) async where Frames.Element == Fed_V1_Frame {
        var reassembler = MessageReassembler(messageBytesMax: messageBytesMax)
        do {
            for try await wire in frames {
                let frame = MessageFrame(data: Array(wire.data)[...], isLast: wire.last)
                guard let message = try reassembler.absorb(frame) else { continue }
                guard await inbound.append(message) else { return }
            }
            // Cancellation may end the frames without an error; the channel has then ended before.
            try reassembler.finish()
            channel.end(.success(()))
        } catch let error as FramingError {
            if case .truncatedMessage = error {
                channel.end(.failure(.connectionLost(reason: error.description)))
            } else {
                channel.end(.failure(.framing(error)))
            }
        } catch {
            channel.end(.failure(TransportFailure.lost(error, first: tap?.error)))
        }
    }
}
