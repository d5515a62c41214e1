public import FedCore
internal import Foundation
internal import GRDB

/// What a process must remember of a run to resume it: entries in order, each on disk before the
/// message that depends on it is sent.
public struct JournalStore: Sendable {
    let file: SQLiteFile
    /// Where large entries go; nil: into the database.
    var spool: JournalSpool?

    /// An entry that is ready for a run's journal, and not in it yet.
    public struct Staged: Sendable {
        enum Content: Sendable {
            case bytes([UInt8])
            case spooled(JournalSpool.Place)
        }

        let content: Content
        /// Bytes that wait in memory.
        public var byteCount: Int {
            if case .bytes(let bytes) = content { bytes.count } else { 0 }
        }
    }

    /// Gets an entry ready: a large one is written to the run's file at once, so that little is left
    /// to do when the journal must be complete.
    public func stage(_ entry: [UInt8], run: RunID) throws(StoreError) -> Staged {
        guard let spool, entry.count >= JournalSpool.entryBytesMin else {
            return Staged(content: .bytes(entry))
        }
        let place = try spool.write(entry, run: run) {
            () throws(StoreError) in try spooledBytes(of: run)
        }
        return Staged(content: .spooled(place))
    }

    /// Appends entries to a run's journal, all or none.
    ///
    /// - Parameter durability: what they must survive when this returns.
    public func append(
        _ entries: [[UInt8]], run: RunID, durability: Durability = .powerCut
    ) throws(StoreError) {
        var staged: [Staged] = []
        for entry in entries { staged.append(try stage(entry, run: run)) }
        try append(staged, run: run, durability: durability)
    }

    /// Appends entries that are ready to a run's journal, all or none.
    ///
    /// - Parameter durability: what they must survive when this returns.
    public func append(
        _ entries: [Staged], run: RunID, durability: Durability = .powerCut
    ) throws(StoreError) {
        guard !entries.isEmpty else { return }
        try file.write(durability) { database in
            for entry in entries {
                switch entry.content {
                case .bytes(let bytes): try Self.append([bytes], run: run, to: database)
                case .spooled(let place):
                    try database.cachedStatement(
                        sql: "INSERT INTO journal (run, entry, place, size) VALUES (?, ?, ?, ?)"
                    ).execute(arguments: [
                        run.bytes.data, place.checksum.data, place.offset, place.count,
                    ])
                }
            }
        }
    }

    private func spooledBytes(of run: RunID) throws(StoreError) -> Int {
        try file.read { database in
            try Int.fetchOne(
                database, sql: "SELECT max(place + size) FROM journal WHERE run = ?",
                arguments: [run.bytes.data]) ?? 0
        }
    }

    /// Has the disk confirm the large entries of a run; a transaction that must survive a power cut
    /// confirms the others before it.
    public func confirm(_ run: RunID) throws(StoreError) { try spool?.confirm(run) }

    static func append(
        _ entries: [[UInt8]], run: RunID, to database: GRDB.Database
    ) throws {
        let statement = try database.cachedStatement(
            sql: "INSERT INTO journal (run, entry) VALUES (?, ?)")
        for entry in entries {
            try statement.execute(arguments: [run.bytes.data, entry.data])
        }
    }

    /// A run's journal, in order, up to the first entry that a power cut has damaged.
    public func entries(of run: RunID) throws(StoreError) -> [[UInt8]] {
        guard let spool else {
            return try file.read { database in
                try Data.fetchAll(
                    database, sql: "SELECT entry FROM journal WHERE run = ? ORDER BY id",
                    arguments: [run.bytes.data]
                ).map { Array($0) }
            }
        }
        let rows = try file.read { database in
            try Row.fetchAll(
                database, sql: "SELECT entry, place, size FROM journal WHERE run = ? ORDER BY id",
                arguments: [run.bytes.data]
            ).map { row in
                (
                    entry: row.bytes("entry"),
                    place: (row["place"] as Int?).map { offset in
                        JournalSpool.Place(
                            offset: offset, count: Int(row.integer("size")),
                            checksum: row.bytes("entry"))
                    }
                )
            }
        }
        var spooled = spool.read(rows.compactMap(\.place), run: run).makeIterator()
        var entries: [[UInt8]] = []
        for row in rows {
            if row.place == nil {
                entries.append(row.entry)
            } else if let entry = spooled.next() ?? nil {
                entries.append(entry)
            } else {
                break
            }
        }
        return entries
    }

    /// Forgets the journals of ended runs, but for those of the newest.
    ///
    /// - Parameter count: ended runs whose journals are kept, at least 1.
    /// - Returns: the runs whose journals were there and are gone.
    public func prune(keeping count: Int) throws(StoreError) -> [RunID] {
        let pruned = try file.write { database in
            let old = try Row.fetchAll(
                database,
                sql: """
                    SELECT old.id FROM (
                        SELECT id FROM run WHERE finished IS NOT NULL
                        ORDER BY started DESC, id LIMIT -1 OFFSET ?) AS old
                    WHERE EXISTS (SELECT 1 FROM journal WHERE journal.run = old.id)
                    """, arguments: [max(1, count)]
            ).map { try $0.run("id") }
            for run in old {
                try database.execute(
                    sql: "DELETE FROM journal WHERE run = ?", arguments: [run.bytes.data])
            }
            return old
        }
        for run in pruned { spool?.remove(run) }
        return pruned
    }

    /// Lets rows say where in the spool their entry lies: `entry` is then its checksum.
    static func addPlaces(_ database: GRDB.Database) throws {
        try database.execute(
            sql: """
                ALTER TABLE journal ADD COLUMN place INTEGER;
                ALTER TABLE journal ADD COLUMN size INTEGER;
                """)
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
