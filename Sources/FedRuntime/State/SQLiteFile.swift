package import GRDB
internal import Synchronization

/// What a committed transaction survives.
public enum Durability: Sendable {
    /// The end of the process, at any moment.
    case processEnd
    /// A power cut, too: the disk has confirmed it.
    case powerCut
}

/// A SQLite file in WAL mode.
package struct SQLiteFile: Sendable {
    /// Where the file is.
    package let path: String
    private let pool: DatabasePool
    private let writer = Writer()

    /// How the one writing connection commits at present.
    private final class Writer: Sendable {
        /// The library opens it with `synchronous=NORMAL`, whatever was set before.
        let durability = Mutex(Durability.processEnd)
    }

    /// Opens or creates the file and brings its schema up to date.
    ///
    /// - Parameter migrations: the schema's versions in order, the first being version 1.
    package init(
        path: String,
        migrations: [@Sendable (GRDB.Database) throws -> Void]
    ) throws(StoreError) {
        self.path = path
        var configuration = GRDB.Configuration()
        configuration.busyMode = .timeout(5)
        configuration.maximumReaderCount = 2
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA foreign_keys = ON")
            // What is deleted is overwritten: the seed of an ended run must not linger in the file.
            try database.execute(sql: "PRAGMA secure_delete = ON")
        }
        pool = try Self.translate(path) {
            try DatabasePool(path: path, configuration: configuration)
        }
        let known = migrations.count
        let version = try Self.translate(path) { [pool] in
            try pool.read { try Int.fetchOne($0, sql: "PRAGMA user_version") ?? 0 }
        }
        guard version <= known else {
            throw .newerSchema(path: path, got: version, supported: known)
        }
        guard version < known else { return }
        try write { database in
            for index in version..<known { try migrations[index](database) }
            try database.execute(sql: "PRAGMA user_version = \(known)")
        }
    }

    /// Reads from a consistent view.
    package func read<Value: Sendable>(
        _ body: @Sendable (GRDB.Database) throws -> Value
    ) throws(StoreError) -> Value {
        try Self.translate(path) { try pool.read(body) }
    }

    /// Writes in one transaction.
    ///
    /// - Parameter durability: what the transaction, and all before it, must survive when this
    ///   returns.
    package func write<Value: Sendable>(
        _ durability: Durability = .powerCut, _ body: @Sendable (GRDB.Database) throws -> Value
    ) throws(StoreError) -> Value {
        try Self.translate(path) {
            try pool.writeWithoutTransaction { database in
                try writer.durability.withLock { current in
                    guard current != durability else { return }
                    let level = durability == .powerCut ? "FULL" : "NORMAL"
                    try database.execute(sql: "PRAGMA synchronous = \(level)")
                    current = durability
                }
                // As the library's own transactions, with statements that are prepared once.
                try database.cachedStatement(sql: "BEGIN IMMEDIATE TRANSACTION").execute()
                do {
                    let value = try body(database)
                    try database.cachedStatement(sql: "COMMIT TRANSACTION").execute()
                    return value
                } catch {
                    // After some errors the library has rolled back already. What went wrong first
                    // says more than a rollback that fails after it.
                    if database.isInsideTransaction { try? database.rollback() }
                    throw error
                }
            }
        }
    }

    private static func translate<Value>(
        _ path: String, _ body: () throws -> Value
    ) throws(StoreError) -> Value {
        do {
            return try body()
        } catch let error as StoreError {
            throw error
        } catch let error as DatabaseError {
            throw storeError(error, path: path)
        } catch {
            throw .failed(path: path, reason: "\(error)")
        }
    }

    /// A write that fails in the middle shows as an I/O error: the cause is a full disk far more
    /// often than a broken one, and the remedy starts the same way.
    private static func storeError(_ error: DatabaseError, path: String) -> StoreError {
        switch error.resultCode {
        case .SQLITE_FULL: .diskFull(path: path)
        case .SQLITE_IOERR:
            error.extendedResultCode == .SQLITE_IOERR_READ
                ? .inaccessible(path: path, reason: error.message ?? "cannot be read")
                : .diskFull(path: path)
        case .SQLITE_BUSY, .SQLITE_LOCKED: .locked(path: path, holder: "")
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: .corrupt(path: path)
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_READONLY:
            .inaccessible(path: path, reason: error.message ?? "cannot be opened")
        default: .failed(path: path, reason: error.message ?? "code \(error.resultCode.rawValue)")
        }
    }
}
