import Foundation
import Testing

/// Folders that cannot be written and disks that are full; a limit on the size of files stands in
/// for the latter.
@Suite(.serialized) struct DiskTests {
    /// Bash commands after which no file can grow beyond so many KiB.
    private func full(_ size: Int) -> String { "trap '' XFSZ; ulimit -f \(size)" }

    @Test("What cannot be written is named")
    func unwritable() async throws {
        let folder = try TemporaryFolder()
        try folder.write("", to: "file")
        func fails(
            _ name: String, _ arguments: [String], code: Int32, _ words: String,
            before: String? = nil
        ) async throws {
            let outcome = try await run(name, arguments, in: folder, before: before)
            #expect(outcome.code == code && outcome.err.contains(words), "\(arguments) \(outcome)")
        }
        let owner = "error: file/x: Not a directory\nhint: check the owner and the permissions"
        try await fails("fed-coordinator", ["init", "--state", "file/x"], code: 77, owner)
        try await fails(
            "fed", ["standard", "show", Consortium.standard], code: 73,
            "error: the standard output could not be written\nhint: check the space",
            before: "exec > /dev/full")
        try await fails(
            "fed", ["synthetic", "--out", "file/x", "--scale", "0.02"], code: 73,
            "error: file/x could not be written\nhint: check the folder")
        try await fails(
            "fed", ["synthetic", "--out", "data", "--scale", "99"], code: 64,
            "error: --scale is 99.0, expected 0.01 to 20.0")
        _ = try await run("fed", ["synthetic", "--out", "data", "--scale", "0.02"], in: folder)
        let train = ["train", "--standard", Consortium.standard, "data/bank_A_fit.csv", "--out"]
        try await fails(
            "fed", train + ["model.json"], code: 73,
            "error: the disk is full: model.json could not be written", before: full(1))
        try await fails(
            "fed", train + ["nowhere/m.json"], code: 66, "error: nowhere does not exist")
        try await fails(
            "fed", train + ["data"], code: 77,
            "error: data: is no regular file, and is not replaced")
        #expect(!FileManager.default.fileExists(atPath: folder["model.json"]))
        #expect(!FileManager.default.fileExists(atPath: folder["model.json.partial"]))
    }

    @Test("A bank whose disk fills during a run sends nothing unrecorded, says why, and goes on")
    func bankFull() async throws {
        let consortium = try await Consortium()
        try await consortium.startNodes(["A", "C"])
        let node = try await consortium.startNode("B", before: full(200))
        let command = try Running(
            "fed-coordinator",
            consortium.runCommand(["--algorithm", "gbdt", "--set", "treesMax=40"])
                + ["--state", consortium.folder["coordinator"]], in: consortium.folder)
        try await node.logs("the disk is full: \(consortium.state(of: "B"))/node.sqlite")
        node.terminate()
        #expect(try await node.outcome().code == 0)
        try await consortium.startNode("B")
        let outcome = try await command.outcome()
        #expect(RunResult(outcome).state == "succeeded", "\(outcome)")

        let result = try await consortium.endOfRun()
        let status = try await consortium.coordinate(["run", "status", result.run, "--json"])
        let banks = try #require(try status.json()["banks"] as? [[String: Any]])
        let received = try #require(
            banks.first { $0["bank"] as? String == "B" }?["bytes_received"] as? Int)
        let ledger = try await consortium.node("B", ["ledger", "--json", "--run", result.run])
        let lines = try #require(
            try JSONSerialization.jsonObject(with: Data(ledger.out.utf8)) as? [[String: Any]])
        #expect(received > 0)
        #expect(lines.reduce(0) { $0 + ($1["bytes"] as? Int ?? 0) } >= received)
    }

    @Test("A coordinator whose disk fills says so, asks for nothing more, and goes on with room")
    func coordinatorFull() async throws {
        let consortium = try await Consortium()
        consortium.coordinator?.terminate()
        #expect(try await consortium.coordinator?.outcome().code == 0)
        try await consortium.startCoordinator(before: full(1000))
        try await consortium.startNodes()
        let command = try Running(
            "fed-coordinator",
            consortium.runCommand(["--algorithm", "gbdt", "--set", "treesMax=40"])
                + ["--state", consortium.folder["coordinator"]], in: consortium.folder)
        let words =
            "the disk is full: \(consortium.folder["coordinator"])/coordinator.sqlite-journals/"
        try await consortium.coordinator?.logs(words)
        consortium.coordinator?.kill()
        #expect(try await command.outcome().code == 69)
        try await consortium.startCoordinator()
        _ = try await consortium.endOfRun()
    }

    /// Banks that came back while there was no room had said where they are to nobody.
    @Test("A coordinator whose disk has room again goes on by itself")
    func coordinatorHasRoomAgain() async throws {
        let consortium = try await Consortium()
        consortium.coordinator?.terminate()
        #expect(try await consortium.coordinator?.outcome().code == 0)
        let room = "until [ -e room ]; do sleep 0.1; done; prlimit --pid $$ --fsize=unlimited"
        try await consortium.startCoordinator(
            before: "trap '' XFSZ; ulimit -S -f 1000; { (\(room)) & }")
        try await consortium.startNodes()
        let command = try Running(
            "fed-coordinator",
            consortium.runCommand(["--algorithm", "gbdt", "--set", "treesMax=40"])
                + ["--state", consortium.folder["coordinator"]], in: consortium.folder)
        try await consortium.coordinator?.logs("the run's journal cannot be written")
        try consortium.folder.write("", to: "room")
        let outcome = try await command.outcome()
        #expect(RunResult(outcome).state == "succeeded", "\(outcome)")
        _ = try await consortium.endOfRun()
    }
}
