import Foundation
import Testing

/// Rules of the source tree that no compiler checks.
@Suite struct TidyTests {
    struct Source {
        let path: String
        let lines: [Substring]

        /// The code of a line without its comment.
        static func code(_ line: Substring) -> Substring {
            line.range(of: "//").map { line[..<$0.lowerBound] } ?? line
        }
    }

    /// The Swift files below a folder of the package, but for generated ones.
    static func sources(_ folder: String) throws -> [Source] {
        let root = Programs.root.appendingPathComponent(folder)
        let walk = try #require(FileManager.default.enumerator(atPath: root.path))
        return try walk.compactMap { item -> Source? in
            guard let name = item as? String, name.hasSuffix(".swift"),
                !name.contains("Generated/"), !name.contains(".build/")
            else { return nil }
            let text = try String(
                contentsOf: root.appendingPathComponent(name), encoding: .utf8)
            return Source(
                path: "\(folder)/\(name)",
                lines: text.split(separator: "\n", omittingEmptySubsequences: false))
        }
    }

    static func findings(_ folder: String, _ words: [String]) throws -> [String] {
        try sources(folder).flatMap { source in
            source.lines.enumerated().compactMap { index, line in
                let code = Source.code(line)
                return words.first { code.contains($0) }.map { "\(source.path):\(index + 1) \($0)" }
            }
        }
    }

    @Test(
        "The core knows no clock, no files, no randomness of the system, no output",
        arguments: ["Sources/FedCore", "Sources/FedCrypto", "Sources/FedSimulation"])
    func pureCore(folder: String) throws {
        #expect(try Self.sources(folder).count > 1)
        var findings = try Self.findings(
            folder,
            [
                "Date(", "print(", "FileManager", "SystemRandomNumberGenerator", ".random(",
                "ContinuousClock", "import Logging",
            ])
        for source in try Self.sources(folder) {
            for (index, line) in source.lines.enumerated()
            where line.hasSuffix("import Foundation") {
                findings.append("\(source.path):\(index + 1) import Foundation")
            }
        }
        #expect(findings.isEmpty)
    }

    @Test("No source file is longer than 500 lines", arguments: ["Sources", "Tests"])
    func length(folder: String) throws {
        let long = try Self.sources(folder).filter { $0.lines.count > 501 }
        #expect(long.map { "\($0.path): \($0.lines.count) lines" } == [])
    }

    @Test("No trap on the way of input, no unfinished work")
    func traps() throws {
        #expect(try Self.sources("Sources").count > 100)
        let findings = try Self.findings(
            "Sources", ["fatalError(", "try!", "as!", "unsafeBitCast("])
        #expect(findings.isEmpty)
        for folder in ["Sources", "Tests"] {
            for source in try Self.sources(folder) where !source.path.hasSuffix("TidyTests.swift") {
                for (index, line) in source.lines.enumerated() {
                    #expect(
                        !line.contains("TODO") && !line.contains("FIXME"),
                        "\(source.path):\(index + 1)")
                }
            }
        }
    }
}
