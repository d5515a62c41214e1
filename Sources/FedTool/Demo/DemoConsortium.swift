internal import FedConsole
internal import FedReport
internal import FedRuntime
internal import Foundation

/// The processes of a consortium on loopback: a coordinator and a node for each bank.
struct DemoConsortium {
    let folder: String
    /// The coordinator's state folder.
    let state: String
    let logs: String
    private(set) var coordinator: ChildProcess
    private(set) var nodes: [ChildProcess] = []

    var all: [ChildProcess] { [coordinator] + nodes }

    /// Starts the coordinator, enrols the banks and starts their nodes; all are connected when this
    /// returns.
    ///
    /// Banks that an earlier start in the same folder enrolled stay enrolled.
    ///
    /// - Parameters:
    ///   - options: further options of the coordinator.
    ///   - purpose: the folder of the logs, for a folder that is started in more than once.
    ///   - enrolled: called when all banks are enrolled and none serves.
    ///   - bringing: the options that say what a bank brings; by default its rows to train on.
    static func start(
        _ demo: Demo, serving options: [String] = [], purpose: String = "logs",
        enrolled: (DemoConsortium) async throws -> Void = { _ in },
        bringing: (BankEvaluation.Files) -> [String] = { ["--fit", $0.fit, "--valid", $0.valid] }
    ) async throws -> DemoConsortium {
        let logs = "\(demo.folder)/\(purpose)"
        try FileManager.default.createDirectory(
            atPath: logs, withIntermediateDirectories: true)
        let state = demo.folder + "/coordinator"
        demo.progress.begin("starting the coordinator")
        if !FileManager.default.fileExists(atPath: state) {
            let port = try FreePorts.pair()
            try await step(
                "fed-coordinator", ["init", "--state", state, "--listen", "127.0.0.1:\(port)"],
                "coordinator init", logs: logs)
        }
        let coordinator = try ChildProcess(
            "fed-coordinator", ["serve", "--state", state] + options, name: "coordinator",
            logPath: "\(logs)/coordinator.log")
        var consortium = DemoConsortium(
            folder: demo.folder, state: state, logs: logs, coordinator: coordinator)
        do {
            try await coordinator.logs("listening", within: .seconds(20))
            for files in demo.banks {
                demo.progress.update("enrolling bank \(files.bank)")
                try await consortium.enrol(files.bank)
            }
            try await enrolled(consortium)
            for files in demo.banks {
                demo.progress.update("starting the node of bank \(files.bank)")
                try consortium.serve(files.bank, demo: demo, bringing: bringing(files))
            }
            for node in consortium.nodes {
                demo.progress.update("\(node.name) reads its data and connects")
                try await node.logs("connected", within: .seconds(120))
            }
        } catch {
            await consortium.end()
            throw error
        }
        demo.progress.done("\(consortium.all.count) processes run, connected over mutual TLS 1.3")
        return consortium
    }

    /// The state folder of a bank's node.
    func node(of bank: String) -> String { "\(folder)/banks/\(bank)" }

    private func enrol(_ bank: String) async throws {
        guard !FileManager.default.fileExists(atPath: node(of: bank)) else { return }
        let invitation = "\(folder)/\(bank).invitation.json"
        try await Self.step(
            "fed-coordinator", ["invite", "--state", state, "--bank", bank, "--out", invitation],
            "invite \(bank)", logs: logs)
        try await Self.step(
            "fed-node", ["enrol", "--state", node(of: bank), "--invitation", invitation],
            "enrol \(bank)", logs: logs)
    }

    private mutating func serve(_ bank: String, demo: Demo, bringing options: [String]) throws {
        nodes.append(
            try ChildProcess(
                "fed-node",
                ["serve", "--state", node(of: bank), "--standard", demo.standardPath] + options,
                name: "node \(bank)", logPath: "\(logs)/node-\(bank).log"))
    }

    /// Runs a command of an operator to its end.
    static func step(
        _ executable: String, _ arguments: [String], _ name: String, logs: String
    ) async throws {
        let log = "\(logs)/\(name.replacingOccurrences(of: " ", with: "-")).log"
        try await ChildProcess(executable, arguments, name: name, logPath: log).succeed()
    }

    /// Kills a process at once, as a power cut would, and starts it again.
    ///
    /// - Parameter index: 0 is the coordinator, then the banks in order.
    mutating func killAndRestart(_ index: Int) async throws -> ChildProcess {
        try await all[index].killed()
        return try startAgain(index)
    }

    /// Starts a process that has ended.
    mutating func startAgain(_ index: Int) throws -> ChildProcess {
        let next = try all[index].startedAgain()
        if index == 0 { coordinator = next } else { nodes[index - 1] = next }
        return next
    }

    /// Asks all to end.
    func end() async {
        for process in all.reversed() { await process.end() }
    }
}
