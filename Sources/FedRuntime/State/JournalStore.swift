public import FedCore
internal import Foundation
internal import GRDB

/// What a process must remember of a run to stay safe and to resume: facts that are written once,
/// before the message that depends on them is sent.
public struct JournalStore: Sendable {
    let file: SQLiteFile

    /// Records a fact under a key, once.
    ///
    /// Returns when the fact is on disk. Recording the same fact again changes nothing.
    ///
    /// - Throws: ``StoreError/conflict(what:)`` when another fact has this key.
    public func commit(_ value: [UInt8], for key: String, run: RunID) throws(StoreError) {
        try file.write { database in
            let stored = try [UInt8].fetch(
                database, "SELECT value FROM commitment WHERE run = ? AND key = ?",
                [run.bytes.data, key])
            if let stored {
                guard stored == value else {
                    throw StoreError.conflict(what: "\(key) of run \(run)")
                }
                return
            }
            try database.execute(
                sql: "INSERT INTO commitment (run, key, value) VALUES (?, ?, ?)",
                arguments: [run.bytes.data, key, value.data])
        }
    }

    /// The fact under a key.
    public func commitment(for key: String, run: RunID) throws(StoreError) -> [UInt8]? {
        try file.read { database in
            try [UInt8].fetch(
                database, "SELECT value FROM commitment WHERE run = ? AND key = ?",
                [run.bytes.data, key])
        }
    }

    /// Appends an entry to a run's journal; it is on disk when this returns.
    public func append(_ entry: [UInt8], run: RunID) throws(StoreError) {
        try file.write { database in
            try database.execute(
                sql: "INSERT INTO journal (run, entry) VALUES (?, ?)",
                arguments: [run.bytes.data, entry.data])
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

    /// Forgets the journal of a run that has ended; its commitments stay.
    public func discardEntries(of run: RunID) throws(StoreError) {
        try file.write { database in
            try database.execute(
                sql: "DELETE FROM journal WHERE run = ?", arguments: [run.bytes.data])
        }
    }

    static func createTables(_ database: GRDB.Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE commitment (
                    run BLOB NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,
                    PRIMARY KEY (run, key)) WITHOUT ROWID;
                CREATE TABLE journal (
                    id INTEGER PRIMARY KEY, run BLOB NOT NULL, entry BLOB NOT NULL);
                CREATE INDEX journal_run ON journal (run);
                """)
    }
}
