import Foundation
import Testing

/// Data files that cannot be used, or only just: what a bank's operator reads.
@Suite(.serialized) struct DataFaultTests {
    /// A fault of a file: how it comes about, the words about it, the exit code.
    struct Fault: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let words: [String]
        let code: Int32
        /// Makes the file's text of a good one's lines; `nil` for no file.
        let make: @Sendable ([String]) -> String?

        init(
            _ description: String, _ words: [String], code: Int32 = 65,
            make: @escaping @Sendable ([String]) -> String?
        ) {
            testDescription = description
            self.words = words
            self.code = code
            self.make = make
        }
    }

    static let faults = [
        Fault("missing", ["error: bad.csv: expected a file, got none\n"], code: 66) { _ in nil },
        Fault("empty", ["error: bad.csv: expected a header line and rows, got 0 bytes\n"]) { _ in
            ""
        },
        Fault("header only", ["error: bad.csv: expected rows below the header, got none\n"]) {
            $0[0] + "\n"
        },
        Fault(
            "wrong header",
            [
                "error: bad.csv:1 column amonut: expected columns of standard synthetic only, "
                    + "got another column\n",
                "bad.csv:1 column amount: expected the column, got no such column\n",
            ]
        ) { joined($0) { $0.replacingOccurrences(of: "amount,hour", with: "amonut,hour") } },
        Fault(
            "duplicate column",
            [
                "error: bad.csv:1 column amount: expected every column once, got it again\n",
                "bad.csv:1 column hour: expected the column, got no such column\n",
            ]
        ) { joined($0) { $0.replacingOccurrences(of: "amount,hour", with: "amount,amount") } },
        Fault(
            "NaN",
            ["error: bad.csv:3 column hour: expected a whole number in 0...23, got \"NaN\"\n"]
        ) { joined($0, line: 2, column: 2, value: "NaN") },
        Fault("infinite", ["error: bad.csv:3 column amount: expected", "got \"inf\"\n"]) {
            joined($0, line: 2, column: 1, value: "inf")
        },
        Fault("a label that is none", ["error: bad.csv:4 column fraud: expected", "got \"2\"\n"]) {
            joined($0, line: 3, column: nil, value: "2")
        },
        Fault("a short line", ["error: bad.csv:5: expected 28 fields, got 1\n"]) {
            ($0[..<4] + ["7"] + $0[5...]).joined(separator: "\n") + "\n"
        },
    ]

    private static func joined(
        _ lines: [String], header: (String) -> String
    ) -> String {
        ([header(lines[0])] + lines.dropFirst()).joined(separator: "\n") + "\n"
    }

    private static func joined(
        _ lines: [String], line: Int, column: Int?, value: String
    ) -> String {
        var lines = lines
        var fields = lines[line].split(separator: ",").map(String.init)
        fields[column ?? fields.count - 1] = value
        lines[line] = fields.joined(separator: ",")
        return lines.joined(separator: "\n") + "\n"
    }

    @Test("A node names what is wrong with its data and ends; fed check finds the same")
    func faults() async throws {
        let consortium = try await Consortium(enrolling: ["E"])
        let lines = try consortium.folder.read("data/bank_E_fit.csv")
            .split(separator: "\n").map(String.init)
        let path = consortium.folder["bad.csv"]
        for fault in Self.faults {
            let name = Comment(rawValue: fault.testDescription)
            if let text = fault.make(lines) {
                try consortium.folder.write(text, to: "bad.csv")
            }
            let outcome = try await run(
                "fed-node", consortium.serving("E", fit: path), in: consortium.folder)
            #expect(outcome.code == fault.code, name)
            for words in fault.words { #expect(outcome.err.contains(words), name) }
            #expect(
                outcome.err.contains("hint: fed check --standard FILE DATA shows every violation"),
                name)
            let check = try await run(
                "fed", ["check", "--standard", Consortium.standard, path], in: consortium.folder)
            #expect(check.code == fault.code, name)
            for words in fault.words {
                #expect(
                    check.out.contains(words.replacingOccurrences(of: "error: ", with: "")), name)
            }
        }
    }

    @Test("Files of one class load, with a warning", arguments: [",0", ",1"])
    func oneClass(ending: String) async throws {
        let consortium = try await Consortium(enrolling: ["E"])
        let lines = try consortium.folder.read("data/bank_E_fit.csv").split(separator: "\n")
        let kept = [lines[0]] + lines.dropFirst().filter { $0.hasSuffix(ending) }
        try consortium.folder.write(kept.joined(separator: "\n") + "\n", to: "one.csv")
        try await consortium.startNode("E", fit: consortium.folder["one.csv"])
        let node = try #require(consortium.nodes["E"])
        #expect(node.log.contains("this bank's rows are of one class only"))
        let check = try await run(
            "fed", ["check", "--standard", Consortium.standard, "one.csv"], in: consortium.folder)
        #expect(check.code == 0)
        #expect(check.out.contains("column fraud: expected rows of both labels"), "\(check)")
    }

    @Test(
        "A bank without a row to choose by takes part, and says so",
        arguments: [["logistic"], ["gbdt", "--set", "treesMax=2"]])
    func noValidRows(algorithm: [String]) async throws {
        let consortium = try await Consortium()
        let header = try consortium.folder.read("data/bank_B_valid.csv").prefix { $0 != "\n" }
        let path = try consortium.folder.write(header + "\n", to: "none.csv")
        try await consortium.startNodes(["A", "C"])
        let node = try await consortium.startNode("B", valid: path)
        #expect(node.log.contains("no rows to choose by"), "\(node.log)")
        let result = try await consortium.train(["--algorithm"] + algorithm)
        #expect(result.state == "succeeded")

        try await consortium.node("B", ["model", "--out", "model.json"])
        let evaluation = try await consortium.fed([
            "evaluate", "--standard", Consortium.standard, "--model", "model.json", "--bank", "B",
            "--fit", consortium.data("B", "fit"), "--valid", path,
            "--test", consortium.data("B", "test"),
        ])
        #expect(evaluation.out.contains("combined by federated (few-frauds): B"), "\(evaluation)")
    }

    @Test("A column that is constant at all banks gets the coefficient 0")
    func constantColumn() async throws {
        let consortium = try await Consortium()
        for bank in Consortium.banks {
            let lines = try consortium.folder.read("data/bank_\(bank)_fit.csv")
                .split(separator: "\n").map(String.init)
            let rows = lines.dropFirst().map { line -> String in
                var fields = line.split(separator: ",").map(String.init)
                fields[2] = "12"
                return fields.joined(separator: ",")
            }
            let path = try consortium.folder.write(
                ([lines[0]] + rows).joined(separator: "\n") + "\n", to: "constant-\(bank).csv")
            try await consortium.startNode(bank, fit: path)
        }
        let result = try await consortium.train()
        try await consortium.coordinate(["model", result.model, "--out", "model.json"])
        let model = try #require(
            try JSONSerialization.jsonObject(
                with: Data(consortium.folder.read("model.json").utf8)) as? [String: Any])
        let coefficients = try #require(model["coefficients"] as? [Double], "\(model.keys)")
        let features = try #require(model["features"] as? [Any], "\(model.keys)")
        let hour = try #require(features.firstIndex { $0 as? String == "hour" })
        #expect(coefficients[hour] == 0, "\(coefficients)")
        #expect(coefficients.contains { $0 != 0 })
    }

    @Test("Missing inputs are named with the file, not with another thing's hint")
    func missingInputs() async throws {
        let folder = try TemporaryFolder()
        let check = try await run(
            "fed", ["check", "--standard", "nowhere.json", "data.csv"], in: folder)
        #expect(check.code == 66)
        #expect(check.err == "error: nowhere.json does not exist\nhint: check the path\n")
        for arguments in [["serve", "--standard", "s", "--fit", "f"], ["ledger"], ["runs"]] {
            let outcome = try await run(
                "fed-node", arguments + ["--state", "nowhere"], in: folder)
            #expect(outcome.code == 66, "\(arguments) \(outcome)")
            #expect(
                !FileManager.default.fileExists(atPath: folder["nowhere"]),
                "\(arguments) must not make a state folder")
        }
        let coordinator = try await run(
            "fed-coordinator", ["serve", "--state", "nowhere"], in: folder)
        #expect(coordinator.code == 66, "\(coordinator)")
        #expect(!FileManager.default.fileExists(atPath: folder["nowhere"]))
    }
}
