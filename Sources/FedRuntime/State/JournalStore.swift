public import FedCore
internal import Foundation
internal import GRDB

/// What a process must remember of a run to resume it: entries in order, each on disk before the
/// message that depends on it is sent.
public struct JournalStore: Sendable {
    let file: SQLiteFile

    /// Appends entries to a run's journal, all or none; they are on disk when this returns.
    public func append(_ entries: [[UInt8]], run: RunID) throws(StoreError) {
        guard !entries.isEmpty else { return }
        try file.write { database in try Self.append(entries, run: run, to: database) }
    }

    static func append(
        _ entries: [[UInt8]], run: RunID, to database: GRDB.Database
    ) throws {
        let statement = try database.cachedStatement(
            sql: "INSERT INTO journal (run, entry) VALUES (?, ?)")
        for entry in entries {
            try statement.execute(arguments: [run.bytes.data, entry.data])
        }
    }

    /// A run's journal, in order.
    public func entries(of run: RunID) throws(StoreError) -> [[UInt8]] {
        try file.read { database in
            try Data.fetchAll(
                database, sql: "SELECT entry FROM journal WHERE run = ? ORDER BY id",
                arguments: [run.bytes.data]
            ).map { Array($0) }
        }
    }

    /// Forgets the journal of a run.
    public func discardEntries(of run: RunID) throws(StoreError) {
        try file.write { database in
            try database.execute(
                sql: "DELETE FROM journal WHERE run = ?", arguments: [run.bytes.data])
        }
    }

    static func createTables(_ database: GRDB.Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE journal (
                    id INTEGER PRIMARY KEY, run BLOB NOT NULL, entry BLOB NOT NULL);
                CREATE INDEX journal_run ON journal (run);
                """)
    }
}
