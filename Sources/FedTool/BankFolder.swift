internal import FedConsole
internal import FedCore
internal import FedReport
internal import Foundation

/// A folder with `bank_<NAME>_<fit|valid|test>.csv` files.
struct BankFolder {
    /// The banks, by name.
    let banks: [BankEvaluation.Files]

    /// Looks for complete banks.
    ///
    /// - Throws: ``CommandFailure`` naming what is missing.
    init(_ path: String, banksMin: Int = 1) throws {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: path)
        } catch {
            throw CommandFailure(
                "\(path): no such folder, or it cannot be read",
                hint: "--data takes a folder with bank_<NAME>_<fit|valid|test>.csv",
                exitKind: .noInput)
        }
        var parts: [String: Set<String>] = [:]
        for name in names where name.hasPrefix("bank_") && name.hasSuffix(".csv") {
            let stem = name.dropFirst(5).dropLast(4)
            guard let mark = stem.lastIndex(of: "_") else { continue }
            parts[String(stem[..<mark]), default: []].insert(
                String(stem[stem.index(after: mark)...]))
        }
        let wanted = ["fit", "valid", "test"]
        parts = parts.filter { $0.value.contains { wanted.contains($0) } }
        var banks: [BankEvaluation.Files] = []
        for (bank, found) in parts.sorted(by: { $0.key < $1.key }) {
            guard NodeID(bank) != nil else {
                throw CommandFailure(
                    "\(path): \"\(bank)\" is no name of a bank",
                    hint: "1 to 63 letters, digits, - and _", exitKind: .data)
            }
            if let missing = wanted.first(where: { !found.contains($0) }) {
                throw CommandFailure(
                    "\(path): bank \(bank) has no bank_\(bank)_\(missing).csv", exitKind: .noInput)
            }
            func file(_ part: String) -> String { "\(path)/bank_\(bank)_\(part).csv" }
            banks.append(
                BankEvaluation.Files(
                    bank: bank, fit: file("fit"), valid: file("valid"), test: file("test")))
        }
        guard banks.count >= banksMin else {
            throw CommandFailure(
                "\(path): \(banks.count) banks found, at least \(banksMin) are needed",
                hint: "the files are named bank_<NAME>_<fit|valid|test>.csv", exitKind: .noInput)
        }
        self.banks = banks
    }
}
