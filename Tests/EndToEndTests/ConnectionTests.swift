import Foundation
import Testing

/// Processes that come, go and come back.
@Suite(.serialized) struct ConnectionTests {
    @Test("Nodes wait for a coordinator with a reason, and connect when it comes")
    func nodesFirst() async throws {
        let consortium = try await Consortium()
        let coordinator = try #require(consortium.coordinator)
        coordinator.terminate()
        #expect(try await coordinator.outcome().code == 0)
        for bank in Consortium.banks {
            let node = try await consortium.startNode(
                bank, saying: "waiting for the coordinator")
            #expect(
                node.log.contains(
                    "the coordinator is not reachable at 127.0.0.1:\(consortium.port): "
                        + "Connection refused"), "\(node.log)")
        }
        try await consortium.startCoordinator()
        for node in consortium.nodes.values { try await node.logs("connected coordinator") }
        #expect(try await consortium.train().state == "succeeded")
    }

    @Test("A coordinator that was cut off comes back: nodes reconnect, its run goes on")
    func coordinatorKilled() async throws {
        let consortium = try await Consortium()
        try await consortium.startNodes()
        let command = try await consortium.startLongRun(trees: 60)
        consortium.coordinator?.kill()
        let outcome = try await command.outcome()
        #expect(outcome.code == 69, "\(outcome)")
        for node in consortium.nodes.values { try await node.logs("waiting for the coordinator") }
        try await consortium.startCoordinator()
        try await consortium.coordinator?.logs("going on with a run")
        _ = try await consortium.endOfRun()
        #expect(try await consortium.train().state == "succeeded")
        #expect(try await consortium.stop().values.allSatisfy { $0 == 0 })
    }

    @Test("A run that is asked for before all banks are there waits and names them")
    func runWaits() async throws {
        let consortium = try await Consortium()
        try await consortium.startNodes(["A"])
        let command = try Running(
            "fed-coordinator",
            consortium.runCommand() + ["--state", consortium.folder["coordinator"]],
            in: consortium.folder)
        try await command.logs("waiting for banks B, C to connect")
        try await consortium.startNodes(["B", "C"])
        #expect(try await command.outcome().code == 0)
    }

    @Test("Processes that are told to stop during a run go on with it when they are started again")
    func allStop() async throws {
        let consortium = try await Consortium()
        try await consortium.startNodes()
        let command = try await consortium.startLongRun(trees: 60)
        #expect(try await consortium.stop().values.allSatisfy { $0 == 0 })
        #expect(try await command.outcome().code == 69)
        try await consortium.startCoordinator()
        try await consortium.startNodes()
        _ = try await consortium.endOfRun()
    }

    @Test("A port that is taken is named, with exit code 76")
    func portInUse() async throws {
        let folder = try TemporaryFolder()
        let port = try FreePorts.next()
        _ = try await run(
            "fed-coordinator",
            ["init", "--state", "state", "--listen", "127.0.0.1:\(port)"], in: folder)
        let listener = try Listener(port: port)
        let outcome = try await run("fed-coordinator", ["serve", "--state", "state"], in: folder)
        withExtendedLifetime(listener) {}
        #expect(outcome.code == 76)
        #expect(
            outcome.err.contains(
                "error: address already in use: 127.0.0.1:\(port); another process listens there\n"
                    + "hint: stop the other process or choose another port than \(port)"),
            "\(outcome)")
    }
}
