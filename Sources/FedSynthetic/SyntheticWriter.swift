internal import Foundation

extension SyntheticConsortium {
    /// Makes a consortium and writes its files into a folder, which is created if absent.
    ///
    /// - Parameters:
    ///   - directory: Path of the folder; files of the same names in it are replaced.
    ///   - withTransactions: Also write `bank_<NAME>_transactions.csv`.
    /// - Returns: Names of the files written, in order.
    /// - Throws: `SyntheticError`.
    @discardableResult
    public static func write(
        to directory: String, seed: UInt64, scale: Double = 1, withTransactions: Bool = false
    ) throws(SyntheticError) -> [String] {
        let consortium = try SyntheticConsortium(seed: seed, scale: scale)
        let folder = URL(fileURLWithPath: directory, isDirectory: true)
        try attempt(directory) {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        }
        var names: [String] = []
        for bank in consortium.banks.indices {
            var files = consortium.featureFiles(ofBank: bank)
            if withTransactions { files.append(consortium.transactionFile(ofBank: bank)) }
            for file in files {
                try attempt(directory + "/" + file.name) {
                    try Data(file.bytes).write(
                        to: folder.appendingPathComponent(file.name), options: .atomic)
                }
                names.append(file.name)
            }
        }
        return names
    }

    private static func attempt(
        _ path: String, _ action: () throws -> Void
    ) throws(SyntheticError) {
        do {
            try action()
        } catch {
            throw .cannotWrite(path: path, reason: error.localizedDescription)
        }
    }
}
