package import FedCore
internal import FedDecision
package import Logging

/// Derives features of raw transactions online, by the same engine as files are derived by.
///
/// A transaction is in the windows' state and on disk before its features are given out, so an
/// answer is never forgotten; transactions that come together go to disk together. The same name
/// with the same content gives the features of its first time, whatever came in between. After a
/// restart the state is the last snapshot and all events since.
package actor RawDeriver {
    /// Bounds and times.
    package struct Settings: Sendable {
        /// By how many seconds a transaction may be older than the latest; it then counts as of the
        /// latest one's time, since windows take rows in the order of time.
        package var latenessMax: Int64 = 60
        /// Transactions that may wait for the disk.
        package var waitingMax = 4096
        /// Events from one snapshot of the state to the next.
        package var snapshotEvery = 20_000
        /// Seconds for which names of transactions are remembered.
        package var memorySeconds: Int64 = 7 * 86_400

        /// The defaults.
        package init() {}
    }

    /// A transaction as it came.
    package struct Asked: Sendable {
        /// Its name.
        package let id: String
        /// What was sent.
        package let document: CanonicalJSON
        /// Where it stands in the request.
        package let place: String

        /// Wraps a transaction.
        package init(id: String, document: CanonicalJSON, place: String) {
            self.id = id
            self.document = document
            self.place = place
        }
    }

    /// What features are derived by.
    package nonisolated let derivation: Derivation
    private let settings: Settings
    private let reader: RawTransactionReader
    private let log: RawLog
    private let logger: Logger
    /// `nil` after a failed write, until the state is read from disk again.
    private var state: DerivationState?
    /// The last event's number.
    private var last: Int64 = 0
    private var sinceSnapshot = 0
    private var waiting: [RawLog.Event] = []
    private var firstWaiting: Int64 = 0
    /// Transactions of late, whether on disk or not: looking a name up takes a while, in which
    /// another caller may bring the same one.
    private var fresh: [String: RawLog.Known] = [:]
    private var settled: [String: RawLog.Known] = [:]
    private var callers: [CheckedContinuation<Bool, Never>] = []
    private var isWriting = false
    private let source: (any TableSource)?
    /// Tables that were looked at, whether they were of use or not.
    private var seen: Set<TableKey> = []
    private var tables: [IndicatorTable] = []
    private let secrets: IndicatorSecrets

    /// Opens or creates the log and brings the state up to it.
    ///
    /// - Parameters:
    ///   - tables: sums of shared indicators; those of now are taken in at the start, later ones by
    ///     ``takeTables()``.
    ///   - secrets: the key or lists of the indicators.
    /// - Throws: ``ServiceError`` for a log or tables of no use.
    package init(
        _ derivation: Derivation, path: String, tables source: (any TableSource)? = nil,
        secrets: IndicatorSecrets = .none, settings: Settings = Settings(), logger: Logger
    ) throws(ServiceError) {
        self.derivation = derivation
        self.settings = settings
        self.source = source
        self.secrets = secrets
        self.logger = logger
        reader = RawTransactionReader(derivation)
        log = try RawLog(path: path)
        for key in try source?.keys() ?? [] {
            seen.insert(key)
            if let table = try source?.table(key, of: derivation) { tables.append(table) }
        }
        (state, last) = try Self.restored(
            derivation, secrets, tables, from: log, reader: reader, path: path)
    }

    private static func restored(
        _ derivation: Derivation, _ secrets: IndicatorSecrets, _ tables: [IndicatorTable],
        from log: RawLog, reader: RawTransactionReader, path: String
    ) throws(ServiceError) -> (DerivationState, Int64) {
        do {
            var state = DerivationState(derivation, secrets: secrets)
            var last: Int64 = 0
            if let snapshot = try log.snapshot(of: derivation.sha256) {
                state = try DerivationState(
                    derivation, secrets: secrets, canonicalBytes: snapshot.state)
                last = snapshot.number
            }
            for table in tables { try state.publish(table) }
            last = try log.replay(after: last) { number, event in
                switch event {
                case .row(_, let time, let document, _):
                    let json = try StrictJSON.parse(document)
                    var row = try reader.read(json, number: number, place: "")
                    row.time = time
                    _ = try state.apply(row)
                case .label(let row, let isFraud, let time):
                    try state.learn(row: row, isFraud: isFraud, at: time)
                }
            }
            return (state, last)
        } catch let error as ServiceError {
            throw error
        } catch {
            throw .invalid(path: path, reason: "\(error)")
        }
    }

    /// The windows' state as bytes, for tests.
    package var stateBytes: [UInt8] { state?.canonicalBytes ?? [] }

    /// Takes transactions in and gives their features, in their order.
    ///
    /// Neighbours of one time are taken together, as the derivation says for ties.
    ///
    /// - Throws: ``Fault`` about the first transaction that is wrong; those before it are taken.
    package func derive(_ asked: [Asked]) async throws -> [[Double]] {
        guard waiting.count + asked.count <= settings.waitingMax else {
            throw Fault(
                .overloaded, got: "more transactions than the disk keeps up with",
                expected: "at most \(settings.waitingMax) waiting")
        }
        var known: [String: RawLog.Known] = [:]
        for one in asked where recent(one.id) == nil {
            known[one.id] = try await log.known(one.id)
        }
        // From here to the end of the loop nothing else runs on this actor.
        var results: [[Double]] = []
        var fault: Fault?
        do throws(Fault) {
            var index = 0
            while index < asked.count {
                if let before = recent(asked[index].id) ?? known[asked[index].id] {
                    results.append(try Self.repeated(asked[index], before))
                    index += 1
                } else {
                    let together = try self.together(asked[index...], known)
                    try take(asked[index..<index + together.count], together, &results)
                    index += together.count
                }
            }
        } catch {
            fault = error
        }
        if !waiting.isEmpty || isWriting {
            guard await isOnDisk() else {
                throw Fault(
                    .overloaded, got: "a disk that cannot be written",
                    expected: "the same request again")
            }
        }
        if let fault { throw fault }
        return results
    }

    private func recent(_ id: String) -> RawLog.Known? { fresh[id] ?? settled[id] }

    private static func repeated(
        _ asked: Asked, _ before: RawLog.Known
    ) throws(Fault) -> [Double] {
        guard asked.document.bytes == before.document else {
            throw Fault(
                .conflict, field: asked.place.isEmpty ? "id" : "\(asked.place).id",
                got: "the name of another transaction", expected: "a name of its own")
        }
        return before.features
    }

    /// The rows of new transactions of one time, from the first on.
    private func together(
        _ asked: ArraySlice<Asked>, _ known: [String: RawLog.Known]
    ) throws(Fault) -> [RawRow] {
        var rows: [RawRow] = []
        for one in asked {
            guard recent(one.id) == nil, known[one.id] == nil,
                !asked[..<(asked.startIndex + rows.count)].contains(where: { $0.id == one.id })
            else { break }
            let place = one.place.isEmpty ? "transaction" : "\(one.place).transaction"
            var row = try reader.read(
                one.document, number: last + 1 + Int64(rows.count), place: place)
            if let latest = state?.latestTime, row.time < latest {
                guard latest - row.time <= settings.latenessMax else {
                    throw Fault(
                        .conflict, field: "\(place).time", got: "\(row.time)",
                        expected: "at least \(latest - settings.latenessMax): transactions come in "
                            + "the order of time")
                }
                row.time = latest
            }
            guard rows.isEmpty || (derivation.ties == .together && row.time == rows[0].time) else {
                break
            }
            rows.append(row)
        }
        return rows
    }

    private func take(
        _ asked: ArraySlice<Asked>, _ rows: [RawRow], _ results: inout [[Double]]
    ) throws(Fault) {
        if state == nil { try recover() }
        guard var next = state else { return }
        // One owner at a time: else each change would copy the windows.
        state = nil
        let features: [[Double]]
        do throws(DerivationError) {
            features = try next.apply(together: rows)
            state = next
        } catch {
            state = next
            throw Fault(
                .invalidValue, field: asked.first?.place ?? "", got: "a row", expected: "\(error)")
        }
        if waiting.isEmpty { firstWaiting = last + 1 }
        for (one, (row, values)) in zip(asked, zip(rows, features)) {
            last += 1
            let document = one.document.bytes
            waiting.append(
                .row(id: one.id, time: row.time, document: document, features: values))
            fresh[one.id] = RawLog.Known(number: last, document: document, features: values)
            results.append(values)
        }
    }

    /// Learns whether a transaction was a fraud, from now on or its label delay on.
    ///
    /// - Returns: `false` for a name that is not known.
    package func learn(_ id: String, isFraud: Bool) async throws -> Bool {
        let before = try await log.known(id)
        guard let number = (recent(id) ?? before)?.number else { return false }
        if state == nil { try recover() }
        guard var next = state else { return false }
        let time = next.latestTime ?? 0
        state = nil
        do {
            defer { state = next }
            try next.learn(row: number, isFraud: isFraud, at: time)
        }
        if waiting.isEmpty { firstWaiting = last + 1 }
        last += 1
        waiting.append(.label(row: number, isFraud: isFraud, at: time))
        guard await isOnDisk() else {
            throw Fault(
                .overloaded, got: "a disk that cannot be written", expected: "the same again")
        }
        return true
    }

    /// Takes in tables that were published since; one of no use is reported once and passed over.
    package func takeTables() async {
        guard let source else { return }
        let (derivation, before) = (derivation, seen)
        let found = await QuietThread.run {
            Result<[(TableKey, Result<IndicatorTable, ServiceError>)], ServiceError> {
                () throws(ServiceError) in
                try source.keys().filter { !before.contains($0) }.map { key in
                    (
                        key,
                        Result { () throws(ServiceError) in
                            try source.table(key, of: derivation)
                        }
                    )
                }
            }
        }
        do {
            for (key, table) in try found.get() where seen.insert(key).inserted {
                do {
                    try take(try table.get())
                } catch {
                    logger.error(
                        "a table of indicators is of no use",
                        metadata: ["table": "\(key.place)", "reason": "\(error)"])
                }
            }
        } catch {
            logger.error(
                "tables of indicators cannot be looked for", metadata: ["reason": "\(error)"])
        }
    }

    private func take(_ table: IndicatorTable) throws {
        // A state that is read from disk again takes all tables in.
        guard let taken = try state?.publish(table) else { return tables.append(table) }
        tables.append(table)
        logger.info(
            "a table of indicators counts from now on",
            metadata: [
                "indicator": "\(table.indicator)", "revision": "\(table.revision)",
                "periods": "\(taken)",
            ])
    }

    private func recover() throws(Fault) {
        guard !isWriting else {
            throw Fault(
                .overloaded, got: "a state that is being written", expected: "the same again")
        }
        do throws(ServiceError) {
            (state, last) = try Self.restored(
                derivation, secrets, tables, from: log, reader: reader, path: "the log")
            waiting = []
            (fresh, settled) = ([:], [:])
        } catch {
            logger.error("the windows' state cannot be read", metadata: ["reason": "\(error)"])
            throw Fault(
                .overloaded, got: "a state that cannot be read", expected: "the same again")
        }
    }

    // MARK: The disk

    /// Waits until all that was taken is on disk; `false` where it could not be written.
    private func isOnDisk() async -> Bool {
        if !isWriting {
            isWriting = true
            Task { await write() }
        }
        return await withCheckedContinuation { callers.append($0) }
    }

    /// Writes what waits, and what came while it did, until nothing waits.
    private func write() async {
        while !callers.isEmpty {
            let (events, first, waitingFor) = (waiting, firstWaiting, callers)
            (waiting, callers) = ([], [])
            do {
                if !events.isEmpty { try await log.append(events, from: first) }
                if fresh.count > settings.waitingMax, waiting.isEmpty {
                    (settled, fresh) = (fresh, [:])
                }
                sinceSnapshot += events.count
                for caller in waitingFor { caller.resume(returning: true) }
            } catch {
                // The state is ahead of the disk: begin again from there.
                logger.error(
                    "raw transactions cannot be written", metadata: ["reason": "\(error)"])
                state = nil
                (waiting, fresh, settled) = ([], [:], [:])
                for caller in waitingFor + callers { caller.resume(returning: false) }
                callers = []
            }
            if sinceSnapshot >= settings.snapshotEvery, waiting.isEmpty {
                await saveSnapshot()
            }
        }
        isWriting = false
    }

    /// Stores the state, so that a restart need not go through all events.
    package func saveSnapshot() async {
        guard let state, waiting.isEmpty, sinceSnapshot > 0 else { return }
        sinceSnapshot = 0
        let number = last
        do {
            try await log.save(
                snapshot: state.canonicalBytes, of: derivation.sha256, after: number,
                keepingFrom: (state.latestTime ?? 0) - settings.memorySeconds)
        } catch {
            logger.error(
                "the windows' state cannot be stored", metadata: ["reason": "\(error)"])
        }
    }
}
