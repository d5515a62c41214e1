public import FedCore
internal import Foundation
internal import GRDB

/// What left the bank, one line a message.
public struct EgressRecord: Equatable, Sendable {
    /// When, milliseconds since 1970.
    public var sentUnixMilliseconds: Int64
    /// For which run; `nil` outside of runs.
    public var run: RunID?
    /// The kind of message, from the protocol's closed vocabulary.
    public var kind: String
    /// Of which masked sum, where it belongs to one.
    public var slot: UInt64?
    /// Numbers in the masked vector, where there is one.
    public var lanes: Int
    /// Bytes of the message.
    public var byteCount: Int
    /// SHA-256 of the message, hexadecimal.
    public var sha256: String

    /// Describes a message that is about to be sent.
    public init(
        sentUnixMilliseconds: Int64, run: RunID?, kind: String, slot: UInt64?, lanes: Int,
        byteCount: Int, sha256: String
    ) {
        self.sentUnixMilliseconds = sentUnixMilliseconds
        self.run = run
        self.kind = kind
        self.slot = slot
        self.lanes = lanes
        self.byteCount = byteCount
        self.sha256 = sha256
    }
}

/// Messages of one kind that have left a bank.
public struct EgressTotal: Equatable, Sendable {
    /// The kind.
    public let kind: String
    /// Messages, sent again or not.
    public let messages: Int
    /// Their bytes.
    public let bytes: Int
    /// Masked vectors among them.
    public let slots: Int
}

/// All that a bank's node remembers, in `node.sqlite` of its state folder.
public struct NodeStore: Sendable {
    private let file: SQLiteFile
    /// Runs and models.
    public let runs: RunStore
    /// Facts that must survive a crash.
    public let journal: JournalStore
    /// Candidates, what scores, and their log.
    public let models: NodeModelStore

    /// Opens or creates the store.
    public init(in folder: StateDirectory) throws(StoreError) {
        try self.init(path: folder.path(of: "node.sqlite"))
    }

    /// Opens or creates the store at a path.
    package init(path: String) throws(StoreError) {
        file = try SQLiteFile(
            path: path,
            migrations: [
                Self.createSchema, NodeModelStore.createTables, Self.createLeftOut,
            ])
        runs = RunStore(file: file)
        journal = JournalStore(file: file)
        models = NodeModelStore(file: file)
    }

    /// Records a fact about this node, such as its bank's name.
    public func setFact(_ value: [UInt8], for key: String) throws(StoreError) {
        try file.write { database in
            try database.execute(
                sql: "INSERT OR REPLACE INTO fact (key, value) VALUES (?, ?)",
                arguments: [key, value.data])
        }
    }

    /// Forgets a fact.
    public func removeFact(_ key: String) throws(StoreError) {
        try file.write { database in
            try database.execute(sql: "DELETE FROM fact WHERE key = ?", arguments: [key])
        }
    }

    /// A fact about this node.
    public func fact(_ key: String) throws(StoreError) -> [UInt8]? {
        try file.read { try [UInt8].fetch($0, "SELECT value FROM fact WHERE key = ?", [key]) }
    }

    /// Pins a member's identity key on first sight.
    ///
    /// - Throws: ``StoreError/conflict(what:)`` when another key is pinned already.
    public func pin(
        _ identityKey: [UInt8], of bank: NodeID, at unixMilliseconds: Int64
    ) throws(StoreError) {
        try file.write { database in
            let pinned = try [UInt8].fetch(
                database, "SELECT identity_key FROM member WHERE bank = ?", [bank.name])
            if let pinned {
                guard pinned == identityKey else {
                    throw StoreError.conflict(what: "the identity key of bank \(bank)")
                }
                return
            }
            try database.execute(
                sql: "INSERT INTO member (bank, identity_key, pinned) VALUES (?, ?, ?)",
                arguments: [bank.name, identityKey.data, unixMilliseconds])
        }
    }

    /// Replaces a pinned key, by the decision of a person.
    public func repin(
        _ identityKey: [UInt8], of bank: NodeID, at unixMilliseconds: Int64
    ) throws(StoreError) {
        try file.write { database in
            try database.execute(
                sql: "INSERT OR REPLACE INTO member (bank, identity_key, pinned) VALUES (?, ?, ?)",
                arguments: [bank.name, identityKey.data, unixMilliseconds])
        }
    }

    /// The pinned identity keys.
    public func pinnedKeys() throws(StoreError) -> [NodeID: [UInt8]] {
        try file.read { database in
            var keys: [NodeID: [UInt8]] = [:]
            for row in try Row.fetchAll(database, sql: "SELECT * FROM member") {
                keys[try row.bank("bank")] = row.bytes("identity_key")
            }
            return keys
        }
    }

    /// Writes what must be on disk before a message is sent, all or none: journal entries of its
    /// run, what the safety rules must remember for ever, and its line of the egress ledger.
    ///
    /// - Parameters:
    ///   - progress: how far the run has come, where that has changed.
    ///   - durability: what they must survive when this returns.
    public func record(
        journal: [[UInt8]] = [], safety: [[UInt8]] = [], run: RunID, egress: [EgressRecord] = [],
        progress: NodeRun.Progress? = nil, durability: Durability = .powerCut
    ) throws(StoreError) {
        guard !journal.isEmpty || !safety.isEmpty || !egress.isEmpty || progress != nil else {
            return
        }
        try file.write(durability) { database in
            try JournalStore.append(journal, run: run, to: database)
            for entry in safety {
                try database.cachedStatement(sql: "INSERT INTO safety (run, entry) VALUES (?, ?)")
                    .execute(arguments: [run.bytes.data, entry.data])
            }
            try Self.insert(egress, into: database)
            if let progress { try Self.save(progress, of: run, to: database) }
        }
    }

    private static func save(
        _ progress: NodeRun.Progress, of run: RunID, to database: GRDB.Database
    ) throws {
        try database.cachedStatement(sql: "UPDATE run SET slots = ?, rounds = ? WHERE id = ?")
            .execute(arguments: [progress.slots, progress.rounds, run.bytes.data])
        for bank in progress.leftOut {
            try database.cachedStatement(
                sql: "INSERT OR IGNORE INTO left_out (run, bank) VALUES (?, ?)"
            ).execute(arguments: [run.bytes.data, bank.name])
        }
    }

    /// Runs that had a sum without a bank, by bank, in the order of the names.
    public func leftOut() throws(StoreError) -> [(bank: NodeID, runs: Int)] {
        try file.read { database in
            try Row.fetchAll(
                database,
                sql: "SELECT bank, COUNT(*) AS runs FROM left_out GROUP BY bank ORDER BY bank"
            ).map { (try $0.bank("bank"), Int($0.integer("runs"))) }
        }
    }

    private static func createLeftOut(_ database: GRDB.Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE left_out (
                    run BLOB NOT NULL, bank TEXT NOT NULL, PRIMARY KEY (run, bank)) WITHOUT ROWID;
                """)
    }

    /// Writes messages outside of runs into the egress ledger, before they are sent.
    public func recordEgress(_ records: [EgressRecord]) throws(StoreError) {
        try file.write { database in try Self.insert(records, into: database) }
    }

    /// What the safety rules must remember, oldest first.
    ///
    /// - Parameter run: entries of this run are left out.
    public func safetyEntries(besides run: RunID) throws(StoreError) -> [[UInt8]] {
        try file.read { database in
            try Data.fetchAll(
                database, sql: "SELECT entry FROM safety WHERE run <> ? ORDER BY id",
                arguments: [run.bytes.data]
            ).map { Array($0) }
        }
    }

    private static func insert(_ records: [EgressRecord], into database: GRDB.Database) throws {
        let statement = try database.cachedStatement(
            sql: """
                INSERT INTO egress (sent, run, kind, slot, lanes, bytes, sha256)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """)
        for record in records {
            try statement.execute(arguments: [
                record.sentUnixMilliseconds, record.run?.bytes.data, record.kind,
                record.slot.map { Int64(clamping: $0) }, record.lanes, record.byteCount,
                record.sha256,
            ])
        }
    }

    /// What has left this bank, by kind of message, in the order of the kinds.
    public func egressTotals() throws(StoreError) -> [EgressTotal] {
        try file.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT kind, COUNT(*) AS messages, SUM(bytes) AS bytes,
                        SUM(slot IS NOT NULL) AS slots
                    FROM egress GROUP BY kind ORDER BY kind
                    """
            ).map { row in
                EgressTotal(
                    kind: row.text("kind"), messages: Int(row.integer("messages")),
                    bytes: Int(row.integer("bytes")), slots: Int(row.integer("slots")))
            }
        }
    }

    /// The egress ledger, oldest first.
    ///
    /// - Parameter run: one run's messages; `nil` for all.
    public func egress(run: RunID? = nil) throws(StoreError) -> [EgressRecord] {
        try file.read { database in
            try Row.fetchAll(
                database,
                sql: "SELECT * FROM egress WHERE ?1 IS NULL OR run = ?1 ORDER BY id",
                arguments: [run?.bytes.data]
            ).map { row in
                EgressRecord(
                    sentUnixMilliseconds: row.integer("sent"),
                    run: row["run"] == nil ? nil : try row.run("run"), kind: row.text("kind"),
                    slot: (row["slot"] as Int64?).map { UInt64(clamping: $0) },
                    lanes: Int(row.integer("lanes")), byteCount: Int(row.integer("bytes")),
                    sha256: row.text("sha256"))
            }
        }
    }

    private static let createSchema: @Sendable (GRDB.Database) throws -> Void = { database in
        try RunStore.createTables(database)
        try JournalStore.createTables(database)
        try database.execute(
            sql: """
                CREATE TABLE fact (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
                CREATE TABLE member (
                    bank TEXT PRIMARY KEY, identity_key BLOB NOT NULL, pinned INTEGER NOT NULL
                ) WITHOUT ROWID;
                CREATE TABLE egress (
                    id INTEGER PRIMARY KEY, sent INTEGER NOT NULL, run BLOB, kind TEXT NOT NULL,
                    slot INTEGER, lanes INTEGER NOT NULL, bytes INTEGER NOT NULL,
                    sha256 TEXT NOT NULL);
                CREATE INDEX egress_run ON egress (run);
                CREATE TABLE safety (
                    id INTEGER PRIMARY KEY, run BLOB NOT NULL, entry BLOB NOT NULL);
                """)
    }
}
