internal import FedCore
internal import FedWire
internal import GRPCCore

/// The coordinator's end of the banks' streams.
struct FederationService: Fed_V1_Federation.StreamingServiceProtocol {
    let delegate: any FederationDelegate
    let registry: ConnectionRegistry
    let settings: TransportSettings

    func connect(
        request: StreamingServerRequest<Fed_V1_Frame>, context: ServerContext
    ) async throws -> StreamingServerResponse<Fed_V1_Frame> {
        guard let caller = Caller.current, case .bank(let bank) = caller.identity else {
            throw TransportFailure.rpcError(.wrongRole)
        }
        if let refusal = await delegate.admission(of: bank, serial: caller.serial) {
            throw TransportFailure.rpcError(refusal)
        }
        return StreamingServerResponse { writer in
            try await serve(bank, serial: caller.serial, frames: request.messages, writer: writer)
            return [:]
        }
    }

    private func serve(
        _ bank: NodeID, serial: String, frames: RPCAsyncSequence<Fed_V1_Frame, any Error>,
        writer: RPCWriter<Fed_V1_Frame>
    ) async throws {
        let inbound = MessageQueue()
        let ended = OneShot<Void>()
        let (channel, outgoing) = MessageChannel.make(peer: .bank(bank), inbound: inbound) {
            ended.set(())
        }
        guard registry.add(channel, of: bank) else {
            channel.close()
            throw TransportFailure.rpcError(.shuttingDown)
        }
        // A bank may have been revoked between its admission and its entry in the registry.
        if let refusal = await delegate.admission(of: bank, serial: serial) {
            channel.end(.failure(.refused(refusal)), dropping: true)
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await FramePump.read(
                    frames, into: inbound, of: channel, messageBytesMax: settings.messageBytesMax)
            }
            group.addTask {
                await delegate.serve(bank, over: channel)
                channel.close()
            }
            group.addTask { await FramePump.write(outgoing, of: channel, to: writer) }
            await ended.value
            registry.remove(channel, of: bank)
            await ChannelEnding.settle(channel, &group)
        }
        if case .refused(let refusal) = channel.endingError {
            throw TransportFailure.rpcError(refusal)
        }
    }
}
