import FedCore
import FedRuntime
import FedWire
import Foundation
import GRDB
import Glibc
import Testing

@Suite struct StoreTests {
    private let run = StubOperator.run

    @Test("A node's store gives back what it was told, also after it is opened again")
    func nodeRoundTrip() throws {
        let folder = try TemporaryFolder()
        let state = try folder.state()
        var record = RunRecord(
            run: run, algorithm: "gbdt", manifest: [1, 2, 3], startedUnixMilliseconds: 5)
        let egress = EgressRecord(
            sentUnixMilliseconds: 6, run: run, kind: "update", slot: 7, lanes: 8, byteCount: 9,
            sha256: "ab")
        var unrelated = egress
        unrelated.run = nil
        unrelated.slot = nil
        do {
            let store = try NodeStore(in: state)
            try store.setFact([1], for: "bank")
            try store.setFact([2], for: "bank")
            try store.pin([3], of: bankA, at: 4)
            try store.runs.save(record)
            #expect(try store.runs.unfinishedRuns() == [record])
            record.state = .succeeded
            record.modelSHA256 = "cd"
            record.finishedUnixMilliseconds = 10
            try store.runs.save(record)
            try store.runs.saveModel([4, 5], sha256: "cd", run: run, at: 11)
            try store.record(run: run, egress: [egress, unrelated])
        }
        let store = try NodeStore(in: state)
        #expect(try store.fact("bank") == [2])
        #expect(try store.fact("other") == nil)
        #expect(try store.pinnedKeys() == [bankA: [3]])
        #expect(try store.runs.run(run) == record)
        #expect(try store.runs.runs(limit: 1) == [record])
        #expect(try store.runs.unfinishedRuns().isEmpty)
        #expect(try store.runs.model(sha256: "cd") == [4, 5])
        #expect(try store.egress() == [egress, unrelated])
        #expect(try store.egress(run: run) == [egress])
        let totals = try store.egressTotals()
        #expect(Set(totals.map(\.kind)) == Set([egress.kind, unrelated.kind]))
        #expect(totals.reduce(0) { $0 + $1.messages } == 2)
        #expect(totals.reduce(0) { $0 + $1.bytes } == egress.byteCount + unrelated.byteCount)
        #expect(totals.reduce(0) { $0 + $1.slots } == 1, "the unrelated one belongs to no sum")
        let counts = try store.runs.counts()
        #expect(counts.map(\.state) == [.succeeded] && counts.map(\.runs) == [1])
        #expect(counts[0].algorithm == record.algorithm)
    }

    @Test("A pinned key is not replaced in passing")
    func pinning() throws {
        let folder = try TemporaryFolder()
        let store = try NodeStore(in: folder.state())
        try store.pin([1], of: bankA, at: 0)
        try store.pin([1], of: bankA, at: 1)
        #expect(throws: StoreError.conflict(what: "the identity key of bank bank_a")) {
            try store.pin([2], of: bankA, at: 2)
        }
        try store.repin([2], of: bankA, at: 3)
        #expect(try store.pinnedKeys() == [bankA: [2]])
    }

    @Test("What must be on disk before a message is written together; safety outlives the journal")
    func recordsTogether() throws {
        let folder = try TemporaryFolder()
        let store = try NodeStore(in: folder.state())
        let line = EgressRecord(
            sentUnixMilliseconds: 1, run: run, kind: "update", slot: 0, lanes: 3, byteCount: 30,
            sha256: "ab")
        try store.record(journal: [[1], [2, 3]], safety: [[9]], run: run, egress: [line])
        #expect(try store.journal.entries(of: run) == [[1], [2, 3]])
        #expect(try store.egress(run: run) == [line])
        #expect(try store.safetyEntries(besides: run).isEmpty)
        let other = try #require(RunID(bytes: [UInt8](repeating: 7, count: 16)))
        #expect(try store.safetyEntries(besides: other) == [[9]])
    }

    @Test("A fact can be forgotten")
    func forgets() throws {
        let folder = try TemporaryFolder()
        let store = try NodeStore(in: folder.state())
        try store.setFact([1, 2], for: "seed")
        #expect(try store.fact("seed") == [1, 2])
        try store.removeFact("seed")
        #expect(try store.fact("seed") == nil)
    }

    @Test("A journal keeps its order and is forgotten when enough newer runs have ended")
    func journal() throws {
        let folder = try TemporaryFolder()
        let store = try CoordinatorStore(in: folder.state())
        let journal = store.journal
        for entry in 0..<20 { try journal.append([[UInt8(entry)]], run: run) }
        #expect(try journal.entries(of: run) == (0..<20).map { [UInt8($0)] })
        let newer = try (1...3).map {
            try #require(RunID(bytes: [UInt8](repeating: $0, count: 16)))
        }
        for (index, run) in ([run] + newer).enumerated() {
            var record = RunRecord(
                run: run, algorithm: "gbdt", manifest: [],
                startedUnixMilliseconds: Int64(index))
            // The newest one is still under way.
            record.finishedUnixMilliseconds = index < 3 ? 10 : nil
            try store.runs.save(record)
            try journal.append([[7]], run: run, durability: .processEnd)
        }
        #expect(try journal.prune(keeping: 3).isEmpty)
        #expect(try journal.prune(keeping: 2) == [run])
        #expect(try journal.prune(keeping: 2).isEmpty)
        #expect(try journal.entries(of: run).isEmpty)
        for run in newer { #expect(try journal.entries(of: run) == [[7]]) }
    }

    @Test("Large entries lie beside the database, in order; a damaged one ends the journal")
    func spooledJournal() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/coordinator.sqlite"
        let large = [UInt8](repeating: 5, count: 9000)
        let other = try #require(RunID(bytes: [UInt8](repeating: 9, count: 16)))
        do {
            let journal = try CoordinatorStore(path: path).journal
            try journal.append([[1], large, [2]], run: run)
            try journal.append([large.reversed() + [6]], run: other, durability: .processEnd)
            try journal.append([large + [7], large + [8]], run: run, durability: .processEnd)
        }
        // After a restart the next entries lie behind those that are there.
        let journal = try CoordinatorStore(path: path).journal
        try journal.append([large + [9], [3]], run: run)
        try journal.confirm(run)
        let expected = [[1], large, [2], large + [7], large + [8], large + [9], [3]]
        #expect(try journal.entries(of: run) == expected)
        #expect(try journal.entries(of: other) == [large.reversed() + [6]])
        let file = path + "-journals/\(run)"
        var bytes = try Array(Data(contentsOf: URL(filePath: file)))
        #expect(bytes.count == 4 * 9000 + 3)
        bytes[9000 * 2 + 50] ^= 1
        try Data(bytes).write(to: URL(filePath: file))
        #expect(try journal.entries(of: run) == Array(expected.prefix(4)))
    }

    @Test("A coordinator's store gives back logs and traffic")
    func coordinatorRoundTrip() throws {
        let folder = try TemporaryFolder()
        let store = try CoordinatorStore(in: folder.state())
        try store.log("begun", run: run, level: "info", at: 1)
        try store.log("done", run: run, level: "info", at: 2)
        #expect(try store.log(of: run).map(\.line) == ["begun", "done"])
        try store.addTraffic(run: run, bank: bankA, bytesReceived: 1, bytesSent: 10)
        try store.addTraffic(run: run, bank: bankA, bytesReceived: 2, bytesSent: 20)
        #expect(
            try store.traffic(of: run) == [
                BankTraffic(bank: bankA, bytesReceived: 3, bytesSent: 30, isConnected: false)
            ])
    }

    @Test("A file that is no database is damaged, and says so")
    func corrupt() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/node.sqlite"
        try AtomicFile.write([UInt8](repeating: 0x41, count: 8192), to: path)
        #expect(throws: StoreError.corrupt(path: path)) { try NodeStore(path: path) }
    }

    @Test("A database of a newer release is refused")
    func newerSchema() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/test.sqlite"
        _ = try SQLiteFile(path: path, migrations: [{ _ in }, { _ in }])
        #expect(throws: StoreError.newerSchema(path: path, got: 2, supported: 1)) {
            try SQLiteFile(path: path, migrations: [{ _ in }])
        }
    }

    @Test("A transaction survives a power cut unless that was not asked for")
    func durability() throws {
        let folder = try TemporaryFolder()
        let file = try SQLiteFile(
            path: folder.path + "/test.sqlite",
            migrations: [{ try $0.execute(sql: "CREATE TABLE a (x)") }])
        func level(_ durability: Durability?) throws -> Int? {
            let body: @Sendable (GRDB.Database) throws -> Int? = { database in
                try database.execute(sql: "INSERT INTO a VALUES (1)")
                return try Int.fetchOne(database, sql: "PRAGMA synchronous")
            }
            guard let durability else { return try file.write { try body($0) } }
            return try file.write(durability, body)
        }
        // SQLite's numbers: 1 is NORMAL, 2 is FULL.
        #expect(try level(nil) == 2)
        #expect(try level(.processEnd) == 1)
        #expect(try level(.powerCut) == 2)
        #expect(throws: StoreError.self) {
            try file.write { database in try database.execute(sql: "INSERT INTO b VALUES (1)") }
        }
        #expect(try level(.processEnd) == 1)
        #expect(try file.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM a") } == 4)
    }

    @Test("A migration brings an older database up to date, once")
    func migration() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/test.sqlite"
        _ = try SQLiteFile(path: path, migrations: [{ try $0.execute(sql: "CREATE TABLE a (x)") }])
        for _ in 0..<2 {
            let file = try SQLiteFile(
                path: path,
                migrations: [
                    { try $0.execute(sql: "CREATE TABLE a (x)") },
                    { try $0.execute(sql: "CREATE TABLE b (x)") },
                ])
            try file.read { try $0.execute(sql: "SELECT a.x, b.x FROM a, b") }
        }
    }

    @Test("A state folder belongs to one process at a time")
    func exclusiveLock() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/state"
        do {
            let first = try StateDirectory(path)
            #expect {
                try StateDirectory(path)
            } throws: { error in
                guard case StoreError.locked(path, let holder) = error else { return false }
                return holder == " (process \(getpid()))"
            }
            #expect(first.path == path)
        }
        _ = try StateDirectory(path)
    }

    @Test("A state folder is made with its parents and closed to others")
    func permissions() throws {
        let folder = try TemporaryFolder()
        let state = try StateDirectory(folder.path + "/a/b/c")
        try state.write([1], to: "file")
        #expect(try state.read("file") == [1])
        #expect(!state.contains("file.partial"))
        #expect(throws: StoreError.missing(path: state.path(of: "none"))) {
            try state.read("none")
        }
    }

    @Test("A full disk is told as that")
    func fullDevice() throws {
        let file = open("/dev/full", O_WRONLY)
        try #require(file >= 0)
        defer { close(file) }
        #expect(throws: StoreError.diskFull(path: "x")) {
            try AtomicFile.fill(file, with: [1, 2, 3], path: "x")
        }
    }

    @Test("A write that finds no room leaves the old file whole, and a database consistent")
    func fullDisk() async {
        await #expect(processExitsWith: .success) {
            signal(SIGXFSZ, SIG_IGN)
            let folder = try TemporaryFolder()
            let state = try folder.state()
            try state.write([1, 2, 3], to: "file")
            let store = try NodeStore(in: state)
            try store.setFact([1], for: "a")
            var limit = rlimit(rlim_cur: 1 << 20, rlim_max: 1 << 20)
            setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            let large = [UInt8](repeating: 7, count: 4 << 20)
            #expect(throws: StoreError.diskFull(path: state.path(of: "file"))) {
                try state.write(large, to: "file")
            }
            #expect(try state.read("file") == [1, 2, 3])
            #expect(!state.contains("file.partial"))
            #expect(throws: StoreError.diskFull(path: state.path(of: "node.sqlite"))) {
                try store.setFact(large, for: "b")
            }
            #expect(try store.fact("a") == [1])
            #expect(try store.fact("b") == nil)
        }
    }
}
