internal import FedCore
internal import Foundation
internal import GRDB

/// What a service that derives features has taken in, in an SQLite file of its own: the state of
/// the windows as of some event, and all events since.
///
/// Holds raw transactions; it must not leave the bank.
struct RawLog: Sendable {
    /// What happened to the windows.
    enum Event: Sendable {
        /// A transaction came; `document` is what was sent, and `features` what came of it.
        case row(id: String, time: Int64, document: [UInt8], features: [Double])
        /// A label became known at this time.
        case label(row: Int64, isFraud: Bool, at: Int64)
    }

    /// What a transaction's name stands for.
    struct Known: Sendable {
        let number: Int64
        let document: [UInt8]
        let features: [Double]
    }

    private let path: String
    private let queue: DatabaseQueue

    init(path: String) throws(ServiceError) {
        self.path = path
        var configuration = GRDB.Configuration()
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
        }
        do {
            queue = try DatabaseQueue(path: path, configuration: configuration)
            try queue.write { database in
                let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
                guard version <= 1 else {
                    throw ServiceError.newerStore(path: path, got: version, supported: 1)
                }
                guard version == 0 else { return }
                try database.execute(
                    sql: """
                        CREATE TABLE event (
                            number INTEGER PRIMARY KEY, id TEXT UNIQUE, time INTEGER NOT NULL,
                            document BLOB, features BLOB, row INTEGER, is_fraud INTEGER);
                        CREATE TABLE snapshot (
                            only INTEGER PRIMARY KEY CHECK (only = 0), number INTEGER NOT NULL,
                            derivation BLOB NOT NULL, state BLOB NOT NULL);
                        PRAGMA user_version = 1;
                        """)
            }
        } catch let error as ServiceError {
            throw error
        } catch {
            throw .store(path: path, reason: "\(error)")
        }
    }

    /// Appends events, numbered from `first` on, in one transaction that is on disk when this
    /// returns.
    func append(_ events: [Event], from first: Int64) async throws {
        try await queue.write { database in
            let statement = try database.cachedStatement(
                sql: """
                    INSERT INTO event (number, id, time, document, features, row, is_fraud)
                    VALUES (?, ?, ?, ?, ?, ?, ?)
                    """)
            for (offset, event) in events.enumerated() {
                let number = first + Int64(offset)
                switch event {
                case .row(let id, let time, let document, let features):
                    try statement.execute(arguments: [
                        number, id, time, Data(document), features.blob, nil, nil,
                    ])
                case .label(let row, let isFraud, let time):
                    try statement.execute(arguments: [number, nil, time, nil, nil, row, isFraud])
                }
            }
        }
    }

    /// What a transaction's name stands for; `nil` for a new one.
    func known(_ id: String) async throws -> Known? {
        try await queue.read { database in
            let row = try Row.fetchOne(
                database, sql: "SELECT number, document, features FROM event WHERE id = ?",
                arguments: [id])
            return row.map {
                Known(
                    number: $0["number"], document: $0.bytes("document"),
                    features: [Double](blob: $0["features"]) ?? [])
            }
        }
    }

    /// Stores the state after so many events, and drops events that nothing needs any more.
    ///
    /// - Parameter oldest: transactions before this time need no answer of their own any more.
    func save(
        snapshot state: [UInt8], of derivation: [UInt8], after number: Int64,
        keepingFrom oldest: Int64
    ) async throws {
        try await queue.write { database in
            try database.execute(
                sql: """
                    INSERT OR REPLACE INTO snapshot (only, number, derivation, state)
                    VALUES (0, ?, ?, ?)
                    """, arguments: [number, Data(derivation), Data(state)])
            try database.execute(
                sql: "DELETE FROM event WHERE number <= ? AND time < ?",
                arguments: [number, oldest])
        }
    }

    /// The snapshot, if there is one of this derivation.
    func snapshot(of derivation: [UInt8]) throws(ServiceError) -> (number: Int64, state: [UInt8])? {
        do {
            let row = try queue.read { try Row.fetchOne($0, sql: "SELECT * FROM snapshot") }
            guard let row else { return nil }
            guard row.bytes("derivation") == derivation else {
                throw ServiceError.invalid(
                    path: path,
                    reason: "it holds the windows of another derivation; "
                        + "begin with another folder and send the history again")
            }
            return (row["number"], row.bytes("state"))
        } catch let error as ServiceError {
            throw error
        } catch {
            throw .store(path: path, reason: "\(error)")
        }
    }

    /// Gives the events after a number to `take`, in order.
    ///
    /// - Returns: the last event's number.
    func replay(
        after number: Int64, _ take: (Int64, Event) throws -> Void
    ) throws(ServiceError) -> Int64 {
        do {
            return try queue.read { database in
                var last = number
                let rows = try Row.fetchCursor(
                    database, sql: "SELECT * FROM event WHERE number > ? ORDER BY number",
                    arguments: [number])
                while let row = try rows.next() {
                    last = row["number"]
                    if let id = row["id"] as String? {
                        try take(
                            last,
                            .row(
                                id: id, time: row["time"], document: row.bytes("document"),
                                features: []))
                    } else {
                        try take(
                            last,
                            .label(row: row["row"], isFraud: row["is_fraud"], at: row["time"]))
                    }
                }
                return last
            }
        } catch {
            throw .store(path: path, reason: "\(error)")
        }
    }
}
