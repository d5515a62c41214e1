import Foundation
import Testing

/// The charter's terms: set by the operator, consented to by the banks, never weakened unnoticed.
@Suite struct CharterTests {
    @Test("Terms are derived, set, bound into runs, and refused by a bank when they protect less")
    func terms() async throws {
        let consortium = try await Consortium()
        func charter(_ arguments: [String] = []) async throws -> [String: Any] {
            try await consortium.coordinate(["charter", "--json"] + arguments).json()
        }
        let derived = try await charter()
        #expect(derived["blocs"] as? [[String]] == [["A", "B", "C"]])
        #expect(derived["collusion_bound"] as? Int == 1)
        #expect(derived["failure_tolerance"] as? Int == 0)
        #expect(derived["roster_min"] as? Int == 3)
        #expect(derived["hold_seconds"] as? Int == 120)

        let set = try await charter(["--rows-floor", "40", "--hold-seconds", "7"])
        #expect(set["rows_floor"] as? Int == 40 && set["hold_seconds"] as? Int == 7)
        let again = try await charter()
        #expect(again["sha256"] as? String == set["sha256"] as? String)

        let impossible = try await consortium.tryCoordinate(["charter", "--failure-tolerance", "1"])
        #expect(impossible.code == 65)
        #expect(impossible.err.contains("3 banks cannot tolerate 1 failures"), "\(impossible)")
        let stranger = try await consortium.tryCoordinate(["charter", "--bloc", "A,,B"])
        #expect(stranger.code == 64 && stranger.err.contains("no bank's name"), "\(stranger)")
        #expect(try await charter()["sha256"] as? String == set["sha256"] as? String)

        try await consortium.startNodes()
        let low = try await consortium.tryCoordinate(
            consortium.runCommand([
                "--algorithm", "gbdt", "--set", "treesMax=1", "--set", "childRowsMin=39",
            ]))
        #expect(low.code == 1)
        #expect(
            RunResult(low).reason.contains(
                "charter refused: fewer rows behind a split than the charter's floor"), "\(low)")
        let trained = try await consortium.train([
            "--algorithm", "gbdt", "--set", "treesMax=1", "--set", "childRowsMin=40",
        ])
        #expect(trained.state == "succeeded")

        // What protects less than the banks have consented to.
        _ = try await charter(["--rows-floor", "39"])
        let weaker = try await consortium.tryCoordinate(consortium.runCommand())
        #expect(
            RunResult(weaker).reason.contains(
                "charter refused: fewer rows behind a split than this bank consented to"),
            "\(weaker)")
        consortium.nodes["B"]?.terminate()
        _ = try await consortium.nodes["B"]?.outcome()
        let doctor = try await consortium.tryNode("B", ["doctor", "--json"])
        #expect(doctor.code == 1)
        let line = try Doctor.line("charter", of: doctor)
        #expect(line["verdict"] == "bad" && line["hint"]?.isEmpty == false, "\(line)")
        #expect(line["detail"]?.contains("fewer rows behind a split") == true, "\(line)")
    }
}

/// `fed-node doctor` on nodes of whom something is wrong.
@Suite struct DoctorTests {
    @Test("A node that can serve has no bad line; each thing that is broken is named with its cure")
    func doctor() async throws {
        let consortium = try await Consortium()
        let standard = ["--standard", Consortium.standard]
        let before = try await consortium.tryNode("A", ["doctor", "--json"] + standard)
        #expect(before.code == 0, "\(before)")
        for check in [
            "state folder", "disk space", "certificate", "certificate name", "clock", "host name",
            "coordinator over TLS", "feature standard", "charter",
        ] {
            #expect(try Doctor.line(check, of: before)["verdict"] == "good", "\(check): \(before)")
        }
        #expect(try Doctor.line("standard of the runs", of: before)["verdict"] == "skipped")
        #expect(try Doctor.line("clock", of: before)["detail"]?.contains("tolerated") == true)

        try await consortium.startNodes()
        _ = try await consortium.train()
        consortium.nodes["A"]?.terminate()
        _ = try await consortium.nodes["A"]?.outcome()
        let after = try await consortium.tryNode("A", ["doctor", "--json"] + standard)
        #expect(try Doctor.line("standard of the runs", of: after)["verdict"] == "good")
        let text = try String(contentsOfFile: Consortium.standard, encoding: .utf8)
        let other = try consortium.folder.write(
            text.replacingOccurrences(of: "\"version\": 1", with: "\"version\": 2"),
            to: "other.json")
        let differs = try await consortium.tryNode("A", ["doctor", "--json", "--standard", other])
        #expect(differs.code == 1)
        let line = try Doctor.line("standard of the runs", of: differs)
        #expect(line["verdict"] == "bad" && line["hint"]?.isEmpty == false)

        // A name that no resolver knows, and nobody there.
        let facts = consortium.state(of: "A") + "/node.json"
        let moved = try String(contentsOfFile: facts, encoding: .utf8)
            .replacingOccurrences(of: "127.0.0.1", with: "coordinator.invalid")
        try moved.write(toFile: facts, atomically: true, encoding: .utf8)
        let lost = try await consortium.tryNode("A", ["doctor", "--json"] + standard)
        #expect(lost.code == 1)
        for check in ["host name", "coordinator over TLS"] {
            let line = try Doctor.line(check, of: lost)
            #expect(line["verdict"] == "bad" && line["hint"]?.isEmpty == false, "\(line)")
        }
        #expect(try Doctor.line("charter", of: lost)["verdict"] == "skipped")
        #expect(lost.err.contains("host name"))
    }
}

/// What `fed-node doctor --json` printed.
enum Doctor {
    static func line(_ check: String, of outcome: Outcome) throws -> [String: String] {
        let findings = try outcome.json()["findings"] as? [[String: String]] ?? []
        return try #require(findings.first { $0["check"] == check }, "\(outcome)")
    }
}
