internal import FedConsole
internal import FedCore
internal import FedRuntime
internal import Glibc

/// Looks at a node's state folder and surroundings for `fed-node doctor`; leaves nothing behind.
struct NodeExamination {
    /// The state folder.
    let path: String
    /// The feature standard's file, if it is to be looked at.
    let standard: String?

    /// Looks at everything that can be looked at.
    func observe() async -> NodeObservations {
        let folder = Result { () throws(StoreError) in try StateDirectory(reading: path) }
        let node = Result { try NodeState(in: try folder.get()) }
        var seen = NodeObservations(
            folder: .init(
                path: path, writeFailure: writeFailure(), freeBytes: freeBytes()),
            enrolment: outcome(node) { "bank \($0.bank)" },
            certificate: nil,
            clock: .init(
                nowUnixSeconds: Timestamp.nowUnixMilliseconds() / 1000,
                isSynchronised: isClockSynchronised()),
            host: nil, names: .skipped(reason: "enrol first"),
            connection: .skipped(reason: "enrol first"), documents: documents())
        guard let node = try? node.get() else { return seen }
        seen.clock.newestRecordUnixSeconds = newestRecord(of: node)
        seen.host = node.coordinator.host
        seen.names = names(of: node.coordinator.host)
        let credentials = Result { try node.credentials() }
        guard let held = try? credentials.get() else {
            let failure = outcome(credentials) { _ in "" }
            seen.documents.insert(
                .init(kind: "certificate files", path: path, outcome: failure), at: 0)
            seen.connection = .skipped(reason: "there is no certificate to show")
            return seen
        }
        seen.certificate = await certificate(held, of: node)
        seen.connection = await connection(of: node, credentials: held)
        return seen
    }

    private func outcome<Value>(
        _ result: Result<Value, any Error>, _ text: (Value) -> String
    ) -> NodeObservations.Outcome {
        switch result {
        case .success(let value): .works(text(value))
        case .failure(let error as any ExplainedError):
            .fails(reason: error.description, hint: error.hint)
        case .failure(let error): .fails(reason: "\(error)", hint: "")
        }
    }

    // MARK: - The folder

    /// Why a small file cannot be written; the file is removed again.
    private func writeFailure() -> String? {
        guard access(path, F_OK) == 0 else { return "it does not exist" }
        let probe = path + "/doctor.probe"
        do {
            try AtomicFile.write([0], to: probe)
            unlink(probe)
            return nil
        } catch {
            return error.description
        }
    }

    private func freeBytes() -> Int64? {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return nil }
        return Int64(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize))
    }

    private func documents() -> [NodeObservations.Document] {
        guard let standard else { return [] }
        let read = Result { try StandardFile.read(standard) }
        return [
            .init(
                kind: "feature standard", path: standard,
                outcome: outcome(read) {
                    "\($0.features.count) features, sha256 \($0.sha256.hexadecimal)"
                })
        ]
    }

    // MARK: - The clock

    /// What systemd-timesyncd leaves when it has set the clock; others leave nothing to see.
    private func isClockSynchronised() -> Bool? {
        access("/run/systemd/timesync/synchronized", F_OK) == 0 ? true : nil
    }

    private func newestRecord(of node: NodeState) -> Int64? {
        guard node.folder.contains("node.sqlite"),
            let runs = try? NodeStore(in: node.folder).runs.runs()
        else { return nil }
        return runs.map { $0.startedUnixMilliseconds / 1000 }.max()
    }

    // MARK: - The way to the coordinator

    private func certificate(
        _ credentials: Credentials, of node: NodeState
    ) async -> NodeObservations.Certificate {
        let expected = PeerIdentity.bank(node.bank)
        var validity = NodeObservations.Outcome.works("issued by this consortium's authority")
        do {
            try await credentials.check()
        } catch {
            validity = .fails(reason: error.description, hint: error.hint)
        }
        return NodeObservations.Certificate(
            validity: validity, name: credentials.identity?.uri,
            expectedName: expected.uri ?? expected.description,
            expiresUnixSeconds: credentials.expiresUnixSeconds)
    }

    /// Addresses of a host by the system's resolver.
    private func names(of host: String) -> NodeObservations.Outcome {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, nil, &hints, &list)
        guard status == 0 else {
            return .fails(
                reason: "\(host) is not known here: \(String(cString: gai_strerror(status)))",
                hint: "")
        }
        defer { freeaddrinfo(list) }
        var addresses: [String] = []
        var next = list
        while let entry = next {
            var text = [CChar](repeating: 0, count: 64)
            if getnameinfo(
                entry.pointee.ai_addr, entry.pointee.ai_addrlen, &text, socklen_t(text.count), nil,
                0, NI_NUMERICHOST) == 0
            {
                let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
                addresses.append(String(decoding: bytes, as: UTF8.self))
            }
            next = entry.pointee.ai_next
        }
        return .works("\(host) is \(addresses.joined(separator: ", "))")
    }

    /// Connects once, unless a serving node would lose its own connection by it.
    private func connection(
        of node: NodeState, credentials: Credentials
    ) async -> NodeObservations.Outcome {
        let lock: StateDirectory
        do {
            lock = try StateDirectory(path)
        } catch {
            if case .locked(_, let holder) = error {
                return .skipped(reason: "fed-node serves from this folder\(holder): see its log")
            }
            return .fails(reason: error.description, hint: error.hint)
        }
        defer { withExtendedLifetime(lock) {} }
        do {
            let client = FederationClient(address: node.coordinator, credentials: credentials)
            try await client.connect().close()
            return .works("\(node.coordinator) accepts this bank")
        } catch {
            return .fails(reason: error.description, hint: error.hint)
        }
    }
}
