public import FedCore
internal import Foundation
internal import GRDB

/// The features of live transactions, one at a time, with windows that survive a restart.
///
/// ``apply(_:)`` computes in memory, in microseconds; what was given goes to a SQLite file by
/// ``flush()``, many at once, since a disk takes a millisecond. After a crash the windows are those
/// of the last flush: call it every 100 ms or so, and at the end. A snapshot now and then keeps the
/// log short.
///
/// Not for several threads at once: its owner is an actor or a lock.
public struct OnlineFeatures {
    /// Events after which the log is written without being asked.
    static let pendingMax = 4096
    /// Events of the log after which a snapshot takes its place.
    static let logMax = 200_000

    private var state: DerivationState
    private let file: SQLiteFile
    private var pending: [[UInt8]] = []
    private var logCount: Int

    /// Opens or creates the file and brings the windows back.
    ///
    /// - Parameters:
    ///   - derivation: that of the file; windows of another one begin empty only in a new file.
    ///   - secrets: the key or lists of its indicators.
    /// - Throws: ``OnlineFeaturesError``.
    public init(
        path: String, derivation: Derivation, secrets: IndicatorSecrets = .none
    ) throws(OnlineFeaturesError) {
        do throws(StoreError) {
            file = try SQLiteFile(path: path, migrations: [Self.createSchema])
        } catch {
            throw .store(error)
        }
        let saved: (snapshot: [UInt8]?, events: [[UInt8]])
        do throws(StoreError) {
            saved = try file.read { database in
                (
                    try Data.fetchOne(database, sql: "SELECT bytes FROM snapshot").map {
                        Array($0)
                    },
                    try Data.fetchAll(database, sql: "SELECT bytes FROM event ORDER BY id").map {
                        Array($0)
                    }
                )
            }
        } catch {
            throw .store(error)
        }
        do throws(DerivationError) {
            state =
                if let bytes = saved.snapshot {
                    try DerivationState(derivation, secrets: secrets, canonicalBytes: bytes)
                } else { DerivationState(derivation, secrets: secrets) }
        } catch {
            throw .derivation(error)
        }
        logCount = saved.events.count
        for bytes in saved.events {
            guard let event = try? DerivationEvent(bytes: bytes) else {
                throw .store(.corrupt(path: path))
            }
            do { try state.replay(event) } catch { throw .derivation(error) }
        }
        // The snapshot names its derivation; a new file is given one at once.
        if saved.snapshot == nil, saved.events.isEmpty { try snapshot() }
    }

    /// What is computed.
    public var derivation: Derivation { state.derivation }

    /// The latest time of a row or label; `nil` before the first.
    public var latestTime: Int64? { state.latestTime }

    /// Periods within the windows for which no table has come, by indicator.
    public var missingPeriods: [String: [Int64]] { state.missingPeriods }

    /// Takes a transaction in and computes its features, in the order of the derivation.
    ///
    /// - Throws: ``OnlineFeaturesError/derivation(_:)`` about the row, the state being as before;
    ///   ``OnlineFeaturesError/store(_:)`` when a full log cannot be written.
    public mutating func apply(_ row: RawRow) throws(OnlineFeaturesError) -> [Double] {
        let features: [Double]
        do { features = try state.apply(row) } catch { throw .derivation(error) }
        try remember(.row(row))
        return features
    }

    /// Learns whether an earlier transaction was a fraud.
    ///
    /// - Returns: whether the row is in a window or will be.
    @discardableResult
    public mutating func learn(
        row: Int64, isFraud: Bool, at time: Int64
    ) throws(OnlineFeaturesError) -> Bool {
        let isOfUse: Bool
        do {
            isOfUse = try state.learn(row: row, isFraud: isFraud, at: time)
        } catch {
            throw .derivation(error)
        }
        try remember(.label(row: row, isFraud: isFraud, time: time))
        return isOfUse
    }

    /// Takes in a published table of an indicator.
    ///
    /// - Returns: how many of its periods were taken.
    @discardableResult
    public mutating func publish(_ table: IndicatorTable) throws(OnlineFeaturesError) -> Int {
        let taken: Int
        do { taken = try state.publish(table) } catch { throw .derivation(error) }
        if taken > 0 { try remember(.table(table.document.bytes)) }
        return taken
    }

    /// Writes what was given since the last time; on disk when this returns.
    public mutating func flush() throws(OnlineFeaturesError) {
        guard !pending.isEmpty else { return }
        guard logCount + pending.count <= Self.logMax else { return try snapshot() }
        let events = pending
        do throws(StoreError) {
            try file.write { database in
                let statement = try database.cachedStatement(
                    sql: "INSERT INTO event (bytes) VALUES (?)")
                for event in events { try statement.execute(arguments: [event.data]) }
            }
        } catch {
            throw .store(error)
        }
        logCount += events.count
        pending.removeAll(keepingCapacity: true)
    }

    /// Writes the windows as they are and empties the log.
    public mutating func snapshot() throws(OnlineFeaturesError) {
        let bytes = state.canonicalBytes
        do throws(StoreError) {
            try file.write { database in
                try database.execute(sql: "DELETE FROM snapshot; DELETE FROM event")
                try database.execute(
                    sql: "INSERT INTO snapshot (bytes) VALUES (?)", arguments: [bytes.data])
            }
        } catch {
            throw .store(error)
        }
        logCount = 0
        pending.removeAll(keepingCapacity: true)
    }

    private mutating func remember(_ event: DerivationEvent) throws(OnlineFeaturesError) {
        pending.append(event.bytes)
        if pending.count >= Self.pendingMax { try flush() }
    }

    private static let createSchema: @Sendable (GRDB.Database) throws -> Void = { database in
        try database.execute(
            sql: """
                CREATE TABLE snapshot (bytes BLOB NOT NULL);
                CREATE TABLE event (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
                """)
    }
}

/// Why live features cannot be had.
public enum OnlineFeaturesError: Error, Equatable, Sendable {
    /// The row, label or table, or the saved state, does not fit the derivation.
    case derivation(DerivationError)
    /// The file cannot be read or written.
    case store(StoreError)
}

extension OnlineFeaturesError: ExplainedError {
    /// One line for people.
    public var description: String {
        switch self {
        case .derivation(let error): "\(error)"
        case .store(let error): error.description
        }
    }

    /// What to do.
    public var hint: String {
        switch self {
        case .derivation(.stateOfAnotherDerivation):
            "the file is of another derivation: begin a new one and feed it the last weeks"
        case .derivation: "fed features build --help"
        case .store(let error): error.hint
        }
    }
}
