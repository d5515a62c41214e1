import Foundation
import Testing

/// `fed demo`: the figures that it writes can be had again from the scores that it writes.
@Suite(.serialized) struct DemoTests {
    @Test(
        "The demonstration writes its report as the schema has it; caught frauds recompute",
        arguments: [["logistic"], ["gbdt", "--set", "treesMax=5"]])
    func demo(algorithm: [String]) async throws {
        let folder = try TemporaryFolder()
        _ = try await run("fed", ["synthetic", "--out", "data", "--scale", "0.02"], in: folder)
        for bank in ["D", "E"] {
            for part in ["fit", "valid", "test"] {
                try FileManager.default.removeItem(
                    atPath: folder["data/bank_\(bank)_\(part).csv"])
            }
        }
        let budgets = ["0.005", "0.01", "0.05"]
        let outcome = try await run(
            "fed",
            [
                "demo", "--data", "data", "--standard", Consortium.standard, "--out", "demo",
                "--json", "report.json", "--scores", "scores", "--budgets",
                budgets.joined(separator: ","), "--check-pooled", "--algorithm",
            ] + algorithm, in: folder)
        try #require(outcome.code == 0, "\(outcome)")
        #expect(outcome.out.contains("No row has left a bank"), "\(outcome)")
        let page = try folder.read("demo/report.html")
        #expect(page.hasPrefix("<!DOCTYPE html>") || page.hasPrefix("<!doctype html>"))
        #expect(page.contains("</html>"))

        let report = try #require(
            try JSONSerialization.jsonObject(with: Data(folder.read("report.json").utf8))
                as? [String: Any])
        var schema = try SchemaCheck(schema: "comparison-report.v1.schema.json")
        schema.check(report)
        #expect(schema.faults.isEmpty)
        #expect(report["algorithm"] as? String == algorithm[0])
        #expect(report["budgets"] as? [String] == budgets)
        let banks = try #require(report["banks"] as? [[String: Any]])
        #expect(banks.map { $0["name"] as? String } == ["A", "B", "C"])
        for bank in banks { try recompute(bank, budgets: budgets, in: folder) }

        let model = try Data(contentsOf: URL(fileURLWithPath: folder["demo/model.json"]))
        try folder.write(String(decoding: model, as: UTF8.self), to: "model.json")
        let pooled = try #require(report["pooled"] as? [String: Any])
        if algorithm[0] == "gbdt" {
            #expect(pooled["identical"] as? Bool == true, "federated trees are the pooled ones")
            #expect(pooled["model_sha256"] as? String == report["model_sha256"] as? String)
        } else {
            #expect((pooled["max_relative_difference"] as? Double ?? 1) < 1e-6)
        }
    }

    @Test("With --indicators the processes count together first, and the report compares")
    func indicators() async throws {
        let folder = try TemporaryFolder()
        for kind in ["standards", "derivations"] {
            try FileManager.default.createDirectory(
                atPath: folder["Datasets/\(kind)"], withIntermediateDirectories: true)
            for name in ["synthetic_raw.json", "synthetic_raw_shared.json"] {
                try FileManager.default.copyItem(
                    atPath: Programs.root.appendingPathComponent("Datasets/\(kind)/\(name)").path,
                    toPath: folder["Datasets/\(kind)/\(name)"])
            }
        }
        let outcome = try await Running(
            "fed",
            [
                "demo", "--indicators", "--scale", "0.02", "--out", "demo", "--json",
                "gain.json", "--budgets", "0.01,0.05", "--algorithm", "gbdt", "--set",
                "treesMax=3", "--check-pooled",
            ], in: folder
        ).outcome(within: .seconds(240))
        try #require(outcome.code == 0, "\(outcome)")
        #expect(outcome.out.contains("with shared indicators"), "\(outcome)")
        #expect(
            outcome.out.components(separatedBy: "the same model, byte for byte").count == 5,
            "\(outcome)")
        let report = try #require(
            try JSONSerialization.jsonObject(with: Data(folder.read("gain.json").utf8))
                as? [String: Any])
        var schema = try SchemaCheck(schema: "indicator-gain.v1.schema.json")
        schema.check(report)
        #expect(schema.faults.isEmpty)
        let counting = try #require(report["counting"] as? [String: Any])
        let bytes = try #require(counting["bytes_max"] as? Int)
        let least = try #require(counting["lane_bytes_max"] as? Int)
        // Keys, shares and signatures beside the masked numbers are a few per cent of them.
        #expect(least > 1_000_000 && bytes > least && bytes < least * 11 / 10, "\(counting)")
    }

    /// Counts frauds among the highest scores, plainly.
    private func recompute(
        _ bank: [String: Any], budgets: [String], in folder: TemporaryFolder
    ) throws {
        let name = try #require(bank["name"] as? String)
        let lines = try folder.read("scores/\(name).csv").split(separator: "\n")
        #expect(lines.first == "row,fraud,local,federated,combined")
        let rows = lines.dropFirst().map { $0.split(separator: ",") }
        #expect(bank["test_rows"] as? Int == rows.count)
        #expect(bank["test_frauds"] as? Int == rows.count { $0[1] == "1" })
        for (column, score) in [(2, "local"), (3, "federated"), (4, "combined")] {
            let caught = try #require(
                (bank[score] as? [String: Any])?["caught"] as? [String: Int])
            let order = rows.indices.sorted { left, right in
                let (first, second) = (Double(rows[left][column]), Double(rows[right][column]))
                return first == second ? left < right : (first ?? 0) > (second ?? 0)
            }
            for budget in budgets {
                let share = try #require(Double(budget))
                let count = max(1, Int(share * Double(rows.count)))
                #expect(
                    caught[budget] == order.prefix(count).count { rows[$0][1] == "1" },
                    "bank \(name), \(score), \(budget)")
            }
        }
    }

    @Test("The demonstration does not overwrite a folder that is not its own")
    func foreignFolder() async throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(
            atPath: folder["mine"], withIntermediateDirectories: false)
        try folder.write("precious", to: "mine/letter.txt")
        let outcome = try await run("fed", ["demo", "--out", "mine"], in: folder)
        #expect(outcome.code == 73)
        #expect(
            outcome.err.contains(
                "error: mine exists and is not of an earlier demonstration\n"
                    + "hint: choose another folder with --out"), "\(outcome)")
        #expect(try folder.read("mine/letter.txt") == "precious")
    }

    @Test("Two banks are no consortium: the demonstration says how many there must be")
    func tooFewBanks() async throws {
        let folder = try TemporaryFolder()
        _ = try await run("fed", ["synthetic", "--out", "data", "--scale", "0.02"], in: folder)
        for bank in ["C", "D", "E"] {
            for part in ["fit", "valid", "test"] {
                try FileManager.default.removeItem(
                    atPath: folder["data/bank_\(bank)_\(part).csv"])
            }
        }
        let outcome = try await run("fed", ["demo", "--data", "data"], in: folder)
        #expect(outcome.code == 66)
        #expect(outcome.err.contains("data: 2 banks found, at least 3 are needed"), "\(outcome)")
    }
}
