package import FedCore
internal import FedRuntime
internal import Foundation

/// A bank's record of a run as a file that anybody can check.
package struct ReceiptFile {
    private struct Document: Codable {
        var format: String
        var bank: String
        var coordinatorKey: String
        var journal: [Data]
    }

    private static let format = "fed-receipt/1"

    /// Whose record it is.
    package let bank: NodeID
    /// The coordinator's identity key, from the bank's invitation.
    package let coordinatorKey: [UInt8]
    /// The bank's journal of the run, as on its disk.
    package let journal: [[UInt8]]

    /// Wraps the parts.
    package init(bank: NodeID, coordinatorKey: [UInt8], journal: [[UInt8]]) {
        self.bank = bank
        self.coordinatorKey = coordinatorKey
        self.journal = journal
    }

    /// Reads a file.
    package static func read(_ path: String) throws -> ReceiptFile {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        guard
            let document = try? decoder.decode(
                Document.self, from: Data(try AtomicFile.read(path))),
            document.format == format, let bank = NodeID(document.bank),
            let key = [UInt8](hexadecimal: document.coordinatorKey), key.count == 32
        else {
            throw CommandFailure(
                "\(path) is no receipt", hint: "a bank writes one: fed-node receipt --out FILE",
                exitKind: .data)
        }
        return ReceiptFile(
            bank: bank, coordinatorKey: key, journal: document.journal.map { Array($0) })
    }

    /// Writes a file.
    package func write(_ path: String) throws {
        let document = Document(
            format: Self.format, bank: bank.name, coordinatorKey: coordinatorKey.hexadecimal,
            journal: journal.map { Data($0) })
        try AtomicFile.write(Array(try ConsoleOutput.jsonText(document).utf8), to: path)
    }

    /// Checks every signature, the chain and the bank's own uploads.
    ///
    /// - Throws: ``CommandFailure`` with the first thing that does not fit.
    package func verified() throws -> ReceiptReport {
        do {
            var entries: [NodeRun.JournalEntry] = []
            for bytes in journal { entries.append(try NodeRun.JournalEntry(bytes: bytes)) }
            return ReceiptReport(
                try ReceiptVerifier.verify(
                    journal: entries, bank: bank, coordinatorKey: coordinatorKey))
        } catch let failure as RecordFailure {
            throw CommandFailure(
                "the record does not hold: \(failure)",
                hint: "keep it: the signatures show who said what", exitKind: .data)
        } catch {
            throw CommandFailure("the record is damaged: \(error)", exitKind: .data)
        }
    }
}
