internal import FedCrypto
internal import FedDecision
internal import Foundation
internal import GRDB

/// What the review loop of a bank remembers, in one SQLite file: scored transactions, lists, cases,
/// verdicts, frauds known from elsewhere, and which requests were carried out already.
///
/// A request's effect and the record that it was carried out are one transaction, on disk before it
/// is answered: after a crash it has happened or it has not, and sent again it happens once.
package struct ReviewStore: Sendable {
    /// Where the file is.
    package let path: String
    private let pool: DatabasePool

    /// Opens or creates the file.
    package init(path: String) throws(ServiceError) {
        self.path = path
        var configuration = GRDB.Configuration()
        configuration.busyMode = .timeout(5)
        configuration.maximumReaderCount = 2
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA synchronous = FULL")
        }
        do {
            pool = try DatabasePool(path: path, configuration: configuration)
            let version = try pool.read { try Int.fetchOne($0, sql: "PRAGMA user_version") ?? 0 }
            guard version <= Self.migrations.count else {
                throw ServiceError.newerStore(
                    path: path, got: version, supported: Self.migrations.count)
            }
            if version < Self.migrations.count {
                try pool.write { database in
                    for migration in Self.migrations[version...] {
                        try database.execute(sql: migration)
                    }
                    try database.execute(sql: "PRAGMA user_version = \(Self.migrations.count)")
                }
            }
        } catch let error as ServiceError {
            throw error
        } catch {
            throw .store(path: path, reason: Self.reason(error))
        }
    }

    /// The schema's versions, the first being version 1.
    private static let migrations = [
        """
        CREATE TABLE fact (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
        CREATE TABLE request (
            route TEXT NOT NULL, key TEXT NOT NULL, body BLOB NOT NULL, status INTEGER NOT NULL,
            answer BLOB NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (route, key)) WITHOUT ROWID;
        CREATE TABLE scored (
            id TEXT PRIMARY KEY, entity TEXT NOT NULL, amount INTEGER NOT NULL,
            probability REAL NOT NULL, local_probability REAL, features BLOB NOT NULL,
            standard BLOB NOT NULL, scored_at INTEGER NOT NULL) WITHOUT ROWID;
        CREATE INDEX scored_at ON scored (scored_at);
        CREATE TABLE list (
            number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, made_at INTEGER NOT NULL,
            entries INTEGER NOT NULL, model TEXT NOT NULL, document BLOB NOT NULL,
            csv BLOB NOT NULL);
        CREATE TABLE listed_case (
            id TEXT PRIMARY KEY, list TEXT NOT NULL, rank INTEGER NOT NULL, entity TEXT NOT NULL,
            probability REAL NOT NULL, expected_loss REAL NOT NULL, slice TEXT NOT NULL,
            inclusion REAL NOT NULL, reasons BLOB NOT NULL, listed_at INTEGER NOT NULL)
            WITHOUT ROWID;
        CREATE INDEX listed_case_order ON listed_case (listed_at DESC, rank);
        CREATE TABLE local_listed (
            list TEXT NOT NULL, entity TEXT NOT NULL, listed_at INTEGER NOT NULL,
            PRIMARY KEY (list, entity)) WITHOUT ROWID;
        CREATE TABLE verdict (
            case_id TEXT NOT NULL, entity TEXT NOT NULL, outcome TEXT NOT NULL,
            amount_kept INTEGER NOT NULL, decided_at INTEGER NOT NULL, reviewer TEXT NOT NULL,
            received_at INTEGER NOT NULL,
            PRIMARY KEY (case_id, outcome, amount_kept, decided_at, reviewer)) WITHOUT ROWID;
        CREATE TABLE known_fraud (
            entity TEXT PRIMARY KEY, found_at INTEGER NOT NULL) WITHOUT ROWID;
        """,
        """
        CREATE TABLE delivery (
            key TEXT PRIMARY KEY, list TEXT NOT NULL, destination TEXT NOT NULL,
            document BLOB NOT NULL, enqueued_at INTEGER NOT NULL, attempts INTEGER NOT NULL,
            state TEXT NOT NULL, at INTEGER NOT NULL, reason TEXT) WITHOUT ROWID;
        CREATE INDEX delivery_state ON delivery (state);
        """,
        """
        CREATE TABLE shadow (
            model TEXT NOT NULL, id TEXT NOT NULL, probability REAL NOT NULL,
            scored_at INTEGER NOT NULL, PRIMARY KEY (model, id)) WITHOUT ROWID;
        CREATE INDEX shadow_scored_at ON shadow (scored_at);
        CREATE TABLE shadow_listed (
            list TEXT NOT NULL, model TEXT NOT NULL, entity TEXT NOT NULL,
            listed_at INTEGER NOT NULL, PRIMARY KEY (list, model, entity)) WITHOUT ROWID;
        """,
    ]

    // MARK: Access

    /// Reads from a consistent view.
    func read<Value: Sendable>(
        _ body: @escaping @Sendable (GRDB.Database) throws -> Value
    ) async throws -> Value {
        do {
            return try await pool.read(body)
        } catch {
            throw translated(error)
        }
    }

    /// Writes in one transaction, which is on disk when this returns.
    func write<Value: Sendable>(
        _ body: @escaping @Sendable (GRDB.Database) throws -> Value
    ) async throws -> Value {
        do {
            return try await pool.write(body)
        } catch {
            throw translated(error)
        }
    }

    /// Carries a request out once.
    ///
    /// - Parameter key: `nil` for a caller that does not name its requests.
    /// - Throws: ``Fault`` when the key came with another body.
    func once(
        _ key: OnceKey?, at now: Int64,
        _ work: @escaping @Sendable (GRDB.Database) throws -> (status: Int, body: [UInt8])
    ) async throws -> OnceAnswer {
        try await write { database in
            if let key,
                let known = try Row.fetchOne(
                    database,
                    sql: "SELECT body, status, answer FROM request WHERE route = ? AND key = ?",
                    arguments: [key.route, key.key])
            {
                guard known.bytes("body") == key.bodyDigest else {
                    throw Fault(
                        .conflict, field: "Idempotency-Key", got: "the key of another request",
                        expected: "a key of its own")
                }
                return OnceAnswer(
                    status: known["status"], body: known.bytes("answer"), isRepeated: true)
            }
            let (status, body) = try work(database)
            if let key {
                try database.execute(
                    sql: """
                        INSERT INTO request (route, key, body, status, answer, at)
                        VALUES (?, ?, ?, ?, ?, ?)
                        """,
                    arguments: [
                        key.route, key.key, Data(key.bodyDigest), status, Data(body), now,
                    ])
            }
            return OnceAnswer(status: status, body: body, isRepeated: false)
        }
    }

    private func translated(_ error: any Error) -> any Error {
        if error is Fault || error is ServiceError || error is CancellationError { return error }
        return ServiceError.store(path: path, reason: Self.reason(error))
    }

    /// SQLite's words, without the statement's values.
    private static func reason(_ error: any Error) -> String {
        guard let error = error as? DatabaseError else { return "\(type(of: error))" }
        return error.message ?? "code \(error.resultCode.rawValue)"
    }

    /// A secret of the store, drawn when it is first asked for.
    static func drawKey(_ database: GRDB.Database) throws -> SecretBytes {
        let known = try Data.fetchOne(
            database, sql: "SELECT value FROM fact WHERE key = 'list_draw_key'")
        if let known { return SecretBytes(Array(known)) }
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }
        try database.execute(
            sql: "INSERT INTO fact (key, value) VALUES ('list_draw_key', ?)",
            arguments: [Data(bytes)])
        return SecretBytes(bytes)
    }
}

extension Row {
    /// A blob column; empty for NULL.
    func bytes(_ name: String) -> [UInt8] { (self[name] as Data?).map { Array($0) } ?? [] }
}

extension [Double] {
    /// The bit patterns, little-endian.
    var blob: Data {
        var data = Data(capacity: count * 8)
        for value in self {
            Swift.withUnsafeBytes(of: value.bitPattern.littleEndian) {
                data.append(contentsOf: $0)
            }
        }
        return data
    }

    /// Reads ``blob``; `nil` for bytes that are none.
    init?(blob: Data) {
        guard blob.count.isMultiple(of: 8) else { return nil }
        let bytes = Array<UInt8>(blob)
        self = stride(from: 0, to: bytes.count, by: 8).map { start in
            var pattern: UInt64 = 0
            for index in 0..<8 { pattern |= UInt64(bytes[start + index]) << UInt64(8 * index) }
            return Double(bitPattern: pattern)
        }
    }
}
