import Foundation
import Testing

/// What every command owes to people and scripts.
@Suite(.serialized) struct CommandLineTests {
    /// A command's words on the command line and the options that it declares.
    private struct Command {
        let words: [String]
        let options: [String]

        static func all(in help: [String: Any], words: [String] = []) -> [Command] {
            let arguments = help["arguments"] as? [[String: Any]] ?? []
            let names = arguments.flatMap { $0["names"] as? [[String: Any]] ?? [] }
            let options = names.filter { $0["kind"] as? String == "long" }
                .compactMap { $0["name"] as? String }
            let children = (help["subcommands"] as? [[String: Any]] ?? []).flatMap {
                all(in: $0, words: words + [$0["commandName"] as? String ?? ""])
            }
            return [Command(words: words, options: options)] + children
        }
    }

    @Test(
        "Every command explains itself, and ends with 64 for an option that it does not have",
        arguments: Programs.names)
    func help(program: String) async throws {
        let folder = try TemporaryFolder()
        let dump = try await run(program, ["--experimental-dump-help"], in: folder).json()
        let root = try #require(dump["command"] as? [String: Any])
        let commands = Command.all(in: root).filter { $0.words.first != "help" }
        #expect(commands.count > 6)
        for command in commands {
            let help = try await run(program, command.words + ["--help"], in: folder)
            #expect(help.code == 0, "\(command.words)")
            #expect(help.out.contains("OVERVIEW: "), "\(command.words): no word about what it does")
            for option in command.options {
                #expect(help.out.contains("--" + option), "\(command.words)")
            }
            let unknown = try await run(program, command.words + ["--no-such-option"], in: folder)
            #expect(unknown.code == 64, "\(command.words): \(unknown)")
            #expect(unknown.err.contains("Usage: \(program)"), "\(command.words): \(unknown)")
        }
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).allSatisfy {
                $0.hasPrefix("output")
            }, "asking for help left files")
    }

    @Test("fed check ends with 0, 65 or 66 and counts violations; JSON says the same")
    func check() async throws {
        let folder = try await data()
        func check(_ files: [String]) async throws -> Outcome {
            try await run(
                "fed", ["check", "--standard", Consortium.standard] + files, in: folder)
        }
        let good = try await check(["data/bank_A_fit.csv"])
        #expect(good.code == 0 && good.err.isEmpty)
        #expect(good.out.contains("bank_A_fit.csv: 1178 rows, 5 frauds, 0 violations"))
        let text = try folder.read("data/bank_A_fit.csv")
        try folder.write(text.replacingOccurrences(of: ",0\n", with: ",-1\n"), to: "bad.csv")
        let bad = try await check(["data/bank_A_fit.csv", "bad.csv"])
        #expect(bad.code == 65)
        #expect(bad.out.contains("bad.csv:2 "), "\(bad)")
        #expect(bad.out.contains("… and "), "\(bad)")
        #expect(bad.err == "error: 1173 violations of standard synthetic 1\n", "\(bad)")
        let missing = try await check(["bad.csv", "nowhere.csv"])
        #expect(missing.code == 66)
        #expect(missing.out.contains("nowhere.csv: expected a file, got none"))
        let json = try await check(["--json", "bad.csv"])
        #expect(json.code == 65)
        #expect(try json.json()["format"] as? String == "fed-check-report/1")
        #expect(
            (try json.json()["counts"] as? [String: Any])?["invalid_label"] as? Int == 1173,
            "\(json)")
    }

    @Test("A standard drafted from files finds no violation in them and keeps its hash")
    func draft() async throws {
        let folder = try await data()
        let files = ["A", "B", "C"].map { "data/bank_\($0)_fit.csv" }
        let draft = try await run(
            "fed", ["standard", "draft", "--name", "trial", "--out", "trial.json"] + files,
            in: folder)
        #expect(draft.code == 0, "\(draft)")
        #expect(draft.out == "trial.json: 26 features\n")
        let check = try await run("fed", ["check", "--standard", "trial.json"] + files, in: folder)
        #expect(check.code == 0, "\(check)")
        let printed = try await run(
            "fed", ["standard", "draft", "--name", "trial"] + files, in: folder)
        try folder.write(printed.out, to: "printed.json")
        let shown = try await run("fed", ["standard", "show", "trial.json"], in: folder)
        let again = try await run("fed", ["standard", "show", "printed.json"], in: folder)
        #expect(shown.out == again.out && shown.out.contains("sha256 "))
    }

    @Test("Training in one place prints times and writes the model whose digest it names")
    func train() async throws {
        let folder = try await data()
        let files = ["A", "B", "C"].map { "data/bank_\($0)_fit.csv" }
        func train(_ algorithm: [String], out: String) async throws -> [String: Any] {
            try await run(
                "fed",
                ["train", "--json", "--standard", Consortium.standard, "--out", out]
                    + ["--algorithm"] + algorithm + files, in: folder
            ).json()
        }
        for algorithm in [["logistic"], ["gbdt", "--set", "treesMax=3"]] {
            let first = try await train(algorithm, out: "one.json")
            let second = try await train(algorithm + ["--threads", "1"], out: "two.json")
            #expect(first["rows"] as? Int == 1982)
            #expect(first["model_sha256"] as? String == second["model_sha256"] as? String)
            #expect(try folder.read("one.json") == folder.read("two.json"))
        }
    }

    @Test("A model's file that is none is named")
    func badModel() async throws {
        let folder = try await data()
        try folder.write("{}", to: "model.json")
        let outcome = try await run(
            "fed",
            [
                "evaluate", "--standard", Consortium.standard, "--model", "model.json", "--fit",
                "data/bank_A_fit.csv", "--valid", "data/bank_A_valid.csv", "--test",
                "data/bank_A_test.csv",
            ], in: folder)
        #expect(outcome.code == 65)
        #expect(outcome.err.contains("error: model.json: "), "\(outcome)")
        #expect(outcome.err.contains("hint: take the file that fed-node model"), "\(outcome)")
    }

    private func data() async throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        let made = try await run(
            "fed", ["synthetic", "--out", "data", "--scale", "0.02"], in: folder)
        try #require(made.code == 0, "\(made)")
        return folder
    }
}
