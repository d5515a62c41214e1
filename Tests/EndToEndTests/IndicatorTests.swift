import Foundation
import Testing

/// Shared indicators, summed by the processes from raw transactions.
@Suite(.serialized) struct IndicatorTests {
    private static func document(_ folder: String) -> String {
        Programs.root.appendingPathComponent("Datasets/\(folder)/synthetic_raw_shared.json").path
    }

    private static let standard = document("standards")
    private static let derivation = document("derivations")

    /// Enrolled banks and their raw transactions; no node serves yet.
    private func consortium() async throws -> Consortium {
        let consortium = try await Consortium()
        try await consortium.fed([
            "synthetic", "--out", consortium.folder["raw"], "--scale", "0.02", "--raw",
        ])
        return consortium
    }

    private func raw(_ bank: String, _ consortium: Consortium) -> String {
        consortium.folder["raw/bank_\(bank)_transactions.csv"]
    }

    private func start(_ bank: String, _ consortium: Consortium, raw path: String? = nil)
        async throws
    {
        try await consortium.startNode(
            bank, raw: path ?? raw(bank, consortium), derivation: Self.derivation,
            standard: Self.standard)
    }

    private func sum(
        _ consortium: Consortium, _ indicator: String = "terminal", first: Int, periods: Int,
        _ options: [String] = []
    ) async throws -> Outcome {
        try await consortium.tryCoordinate(
            [
                "run", "indicators", "--standard", Self.standard, "--derivation", Self.derivation,
                "--indicator", indicator, "--first-period", "\(first)", "--periods",
                "\(periods)", "--watch", "--json",
            ] + options)
    }

    /// The tables that a bank holds, by the digests that the node lists.
    private func tables(_ bank: String, _ consortium: Consortium) async throws -> [[String: Any]] {
        let outcome = try await consortium.node(
            bank, ["tables", "--out", consortium.folder["tables-\(bank)"], "--json"])
        return try #require(
            try JSONSerialization.jsonObject(with: Data(outcome.out.utf8)) as? [[String: Any]])
    }

    @Test("All banks get the table of a period's sums, and no period is summed otherwise again")
    func summedOnce() async throws {
        let consortium = try await consortium()
        for bank in Consortium.banks { try await start(bank, consortium) }
        let result = RunResult(try await sum(consortium, first: 0, periods: 140))
        try #require(result.state == "succeeded", "\(result.reason)")
        for bank in Consortium.banks {
            let tables = try await tables(bank, consortium)
            #expect(tables.map { $0["sha256"] as? String } == [result.model], "bank \(bank)")
            #expect(tables[0]["bytes"] as? Int ?? 0 > 1000, "bank \(bank)")
        }
        let replay = try await consortium.fed([
            "replay", result.run, "--state", consortium.folder["coordinator"], "--json",
        ])
        #expect(try replay.json()["model_sha256"] as? String == result.model)

        // The same once more gives the same sums; anything else is refused.
        let again = RunResult(try await sum(consortium, first: 0, periods: 140))
        #expect(again.state == "succeeded", "\(again.reason)")
        for (first, periods, words) in [
            (139, 2, "were summed before together with other periods"),
            (140, 20, "the periods can be summed from second"),
        ] {
            let outcome = try await sum(consortium, first: first, periods: periods)
            #expect(outcome.code != 0)
            #expect("\(outcome)".contains(words), "\(outcome)")
        }
        try await changedFigures(consortium)
        try await features(consortium)
    }

    /// A bank whose rows have changed takes no part in sums of periods that it let be summed.
    private func changedFigures(_ consortium: Consortium) async throws {
        var lines = try String(contentsOfFile: raw("A", consortium), encoding: .utf8)
            .split(separator: "\n", omittingEmptySubsequences: true)
        let row = try #require(
            lines.indices.first { $0 > 100 && lines[$0].split(separator: ",")[4] == "0" })
        lines.insert(lines[row], at: row)
        let path = try consortium.folder.write(
            lines.joined(separator: "\n") + "\n", to: "changed.csv")
        try await consortium.stopNode("A")
        try await start("A", consortium, raw: path)
        let outcome = try await sum(consortium, first: 0, periods: 140)
        #expect(outcome.code != 0)
        #expect(
            "\(outcome)".contains("were summed before with other figures of this bank"),
            "\(outcome)")
    }

    /// The features that read the tables are not all the same; without them they are.
    private func features(_ consortium: Consortium) async throws {
        func values(_ tables: [String], _ name: String) async throws -> Set<String> {
            let out = consortium.folder[name]
            try await consortium.fed(
                [
                    "features", "build", "--standard", Self.standard, "--derivation",
                    Self.derivation, "--data", raw("A", consortium), "--out", out,
                ] + tables)
            let lines = try consortium.folder.read(name).split(separator: "\n")
            let column = try #require(
                lines[0].split(separator: ",").firstIndex(of: "tc_rows_30d"))
            return Set(lines.dropFirst().map { String($0.split(separator: ",")[column]) })
        }
        #expect(try await values([], "without.csv") == ["0"])
        let shared = try await values(
            ["--indicators", consortium.folder["tables-A"]], "with.csv")
        #expect(shared.count > 5, "\(shared)")
    }

    @Test("A sketch is summed under one key of all banks, which the coordinator does not have")
    func keyed() async throws {
        let consortium = try await consortium()
        func key(_ bank: String, _ arguments: [String]) async throws -> Outcome {
            try await consortium.tryNode(bank, ["indicator-key"] + arguments)
        }
        let file = consortium.folder["key.json"]
        let created = try await key("A", ["create"])
        let check = try #require(created.out.split(separator: " ").last)
            .trimmingCharacters(in: .newlines)
        #expect(try await key("A", ["export", "--out", file]).code == 0)
        #expect(try await key("B", ["import", file]).out == created.out)
        #expect(try await key("C", ["create"]).out != created.out)
        let other = try await key("C", ["import", file])
        #expect(other.code != 0 && other.err.contains("holds another indicator key already"))
        for bank in Consortium.banks { try await start(bank, consortium) }
        let options = ["--key-check", check]
        let unkeyed = try await sum(consortium, "payee", first: 0, periods: 20)
        #expect(unkeyed.err.contains("--key-check is needed"), "\(unkeyed)")
        let refused = try await sum(consortium, "payee", first: 0, periods: 20, options)
        #expect(refused.code != 0)
        #expect(
            "\(refused)".contains("this bank's key is not the one that the run names"),
            "\(refused)")

        try await consortium.stopNode("C")
        try FileManager.default.removeItem(
            atPath: consortium.state(of: "C") + "/indicator.key")
        #expect(try await key("C", ["import", file]).out == created.out)
        try await start("C", consortium)
        let result = RunResult(try await sum(consortium, "payee", first: 0, periods: 20, options))
        #expect(result.state == "succeeded", "\(result.reason)")
        #expect(try await tables("C", consortium).count == 1)
        _ = try await consortium.stop()
        try searchForKey(try String(contentsOfFile: file, encoding: .utf8), consortium)
    }

    /// Neither the key nor its text is anywhere in the coordinator's folder; the check is.
    private func searchForKey(_ document: String, _ consortium: Consortium) throws {
        let json = try #require(
            try JSONSerialization.jsonObject(with: Data(document.utf8)) as? [String: String])
        let text = try #require(json["key"])
        try #require(text.utf8.count == 64)
        var bytes = Data()
        var rest = Substring(text)
        while !rest.isEmpty {
            bytes.append(try #require(UInt8(rest.prefix(2), radix: 16)))
            rest = rest.dropFirst(2)
        }
        let node = consortium.state(of: "A") + "/indicator.key"
        #expect(FileManager.default.contents(atPath: node) == bytes)
        let folder = consortium.folder["coordinator"]
        let files = try #require(FileManager.default.subpaths(atPath: folder))
        var size = 0
        for name in files {
            guard let content = FileManager.default.contents(atPath: folder + "/" + name) else {
                continue
            }
            size += content.count
            #expect(content.range(of: bytes) == nil, "\(name)")
            #expect(content.range(of: Data(text.utf8)) == nil, "\(name)")
        }
        #expect(size > 100_000, "the run's record was searched")
    }

    @Test("fed check looks at raw transactions, and tells a bank of another unit")
    func check() async throws {
        let folder = try TemporaryFolder()
        let documents = Programs.root.appendingPathComponent("Datasets").path
        let standard = "\(documents)/standards/synthetic_raw.json"
        let derivation = "\(documents)/derivations/synthetic_raw.json"
        _ = try await run(
            "fed", ["synthetic", "--out", "raw", "--scale", "0.02", "--raw"], in: folder)
        let names = ["A", "B"].map { "raw/bank_\($0)_transactions.csv" }
        func check(_ file: String, _ options: [String] = []) async throws -> Outcome {
            try await run(
                "fed",
                ["check", "--standard", standard, "--derivation", derivation, file] + options,
                in: folder)
        }
        let good = try await check(names[0], ["--json"])
        #expect(good.code == 0, "\(good)")
        let columns = try #require(try good.json()["columns"] as? [[String: Any]])
        #expect(columns.first { $0["raw"] as? Bool == true }?["name"] as? String == "age")
        #expect(columns.contains { $0["name"] as? String == "account_rows_7d" })

        var lines = try folder.read(names[0]).split(separator: "\n").map(String.init)
        var fields = lines[5].split(separator: ",", omittingEmptySubsequences: false)
        fields[7] = "a lot"
        let bad = ([String](lines[..<5]) + [fields.joined(separator: ",")] + lines[6...])
        try folder.write(bad.joined(separator: "\n") + "\n", to: "bad.csv")
        let faulty = try await check("bad.csv")
        #expect(faulty.code == 65)
        #expect(
            faulty.out.contains(
                "bad.csv:6 column amount: expected a finite decimal number, got \"a lot\""),
            "\(faulty)")
        #expect(try await check("none.csv").code == 66)
        #expect(try await check("none.sqlite?table=payments").code == 66)

        for (index, name) in names.enumerated() {
            _ = try await run(
                "fed",
                [
                    "features", "build", "--standard", standard, "--derivation", derivation,
                    "--data", name, "--out", "features-\(index).csv",
                ], in: folder)
        }
        let train = try await run(
            "fed",
            [
                "train", "--standard", standard, "--algorithm", "gbdt", "--set", "treesMax=2",
                "--set", "contributorsMin=1",
                "--out", "model.json", "features-0.csv", "features-1.csv",
            ], in: folder)
        try #require(train.code == 0, "\(train)")
        #expect(try await check(names[0], ["--against", "model.json"]).code == 0)
        // The same bank, its amounts in cents.
        for index in lines.indices.dropFirst() {
            var fields = lines[index].split(separator: ",", omittingEmptySubsequences: false)
                .map(String.init)
            fields[7] = "\((Double(fields[7]) ?? 0) * 100)"
            lines[index] = fields.joined(separator: ",")
        }
        try folder.write(lines.joined(separator: "\n") + "\n", to: "cents.csv")
        let cents = try await check("cents.csv", ["--against", "model.json"])
        #expect(cents.code == 65)
        #expect(
            cents.out.contains("cents.csv column amount: typically")
                && cents.out.contains("another unit, 100.0 times?"), "\(cents)")
    }
}
