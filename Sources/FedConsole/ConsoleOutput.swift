internal import Foundation

/// What commands print for people and for scripts.
package enum ConsoleOutput {
    /// Prints to the standard output.
    package static func line(_ text: String) { write(text + "\n") }

    /// Prints a value as JSON: members sorted, their names in snake case.
    package static func json(_ value: some Encodable) throws { write(try jsonText(value)) }

    /// A value as JSON, as ``json(_:)`` prints it.
    package static func jsonText(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
    }

    /// Prints rows under a header, columns aligned.
    package static func table(_ header: [String], _ rows: [[String]]) {
        var widths = header.map(\.count)
        for row in rows {
            for (column, cell) in row.enumerated() {
                widths[column] = max(widths[column], cell.count)
            }
        }
        for row in [header] + rows {
            let cells = row.enumerated().map { column, cell in
                column == row.count - 1
                    ? cell : cell + String(repeating: " ", count: widths[column] - cell.count)
            }
            line(cells.joined(separator: "  "))
        }
    }

    /// A result that cannot be told is none: the process then ends as for a file that cannot be
    /// written.
    private static func write(_ text: String) {
        do {
            try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
        } catch {
            CommandLineEdge.report(
                CommandFailure(
                    "the standard output could not be written",
                    hint: "check the space on the disk that it goes to"))
            exit(ExitKind.cannotCreate.rawValue)
        }
    }
}
