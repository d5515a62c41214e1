internal import FedConsole
internal import FedCore
internal import FedCrypto
internal import FedRuntime
internal import FedWire
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
        let (connection, greeting) = await connection(of: node, credentials: held)
        seen.connection = connection
        guard let greeting else { return seen }
        let now = Timestamp.nowUnixMilliseconds()
        seen.clock.differenceSeconds = Double(now - greeting.unixMilliseconds) / 1000
        seen.proposal = .init(
            charter: charter(greeting.charter, of: node),
            standard: standard(of: greeting.standardDigest))
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
    ) async -> (NodeObservations.Outcome, Greeting?) {
        let lock: StateDirectory
        do {
            lock = try StateDirectory(path)
        } catch {
            if case .locked(_, let holder) = error {
                let reason = "fed-node serves from this folder\(holder): see its log"
                return (.skipped(reason: reason), nil)
            }
            return (.fails(reason: error.description, hint: error.hint), nil)
        }
        defer { withExtendedLifetime(lock) {} }
        do {
            let client = FederationClient(address: node.coordinator, credentials: credentials)
            let channel = try await client.connect()
            let greeting = await greeting(on: channel)
            channel.close()
            return (.works("\(node.coordinator) accepts this bank"), greeting)
        } catch {
            return (.fails(reason: error.description, hint: error.hint), nil)
        }
    }

    /// What the coordinator says first, if it says it within five seconds.
    private func greeting(on channel: MessageChannel) async -> Greeting? {
        let timer = Task {
            try await Task.sleep(for: .seconds(5))
            channel.close()
        }
        defer { timer.cancel() }
        var messages = channel.incoming.makeAsyncIterator()
        return (try? await messages.next()).flatMap { Greeting(bytes: $0) }
    }

    // MARK: - What the coordinator would propose

    private func charter(_ bytes: [UInt8], of node: NodeState) -> NodeObservations.Outcome {
        guard !bytes.isEmpty else {
            return .skipped(reason: "fewer than \(Roster.banksMin) banks have enrolled")
        }
        do {
            let charter = try Charter(bytes: bytes)
            let store = try NodeStore(in: node.folder)
            let key = try node.identity().publicKey
            guard charter.roster.identityKey(of: node.bank) == key else {
                return .fails(
                    reason: "bank \(node.bank) is not in it under its own identity key",
                    hint: "ask for a new invitation and enrol again")
            }
            let known = try store.pinnedKeys()
            let changed = charter.roster.members.first { member in
                known[member.bank].map { $0 != member.identityKey } ?? false
            }
            if let changed {
                return .fails(
                    reason: "the identity key of bank \(changed.bank) is not the one known here",
                    hint: "ask bank \(changed.bank) over the telephone whether it enrolled anew")
            }
            if let what = try store.charter().flatMap({ charter.weakening(of: $0) }) {
                return .fails(reason: "\(what) than this bank consented to", hint: "")
            }
            let blocs = charter.blocs.map { $0.map(\.name).joined(separator: ",") }
            return .works(
                "blocs \(blocs.joined(separator: " ")), at least \(charter.rosterMin) banks in a sum, "
                    + "\(charter.collusionBound) may collude, floors "
                    + "\(charter.contributorsFloor) banks and \(charter.rowsFloor) rows")
        } catch {
            return .fails(reason: "this bank would refuse it: \(error)", hint: "")
        }
    }

    /// Compares the newest run's standard with the file, or with the one of this node's last run.
    private func standard(of digest: [UInt8]) -> NodeObservations.Outcome {
        guard !digest.isEmpty else { return .skipped(reason: "there was no run yet") }
        guard let path = standard, let own = try? StandardFile.read(path) else {
            return .skipped(reason: "give the file to compare with: --standard FILE")
        }
        guard own.sha256 == digest else {
            return .fails(
                reason: "the newest run used \(digest.hexadecimal), this file is "
                    + own.sha256.hexadecimal, hint: "")
        }
        return .works("the newest run used this file: \(digest.hexadecimal)")
    }
}
