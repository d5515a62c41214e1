package import FedCore
internal import FedRuntime
internal import Foundation

/// Reads a derivation's file, and what goes with it, for a command.
package enum DerivationFile {
    /// Reads and checks it.
    ///
    /// - Throws: ``CommandFailure`` naming the file and the place in it.
    package static func read(_ path: String) throws -> Derivation {
        let bytes = try AtomicFile.read(path)
        do {
            return try Derivation(json: bytes)
        } catch {
            throw CommandFailure(
                "\(path): \(error)",
                hint: "the members are described in Schemas/derivation.v1.schema.json",
                exitKind: .data)
        }
    }

    /// The bank's own names of columns, by the derivation's, from `derivation=bank` texts.
    package static func mapping(_ columns: [String]) throws -> [String: String] {
        var mapping: [String: String] = [:]
        for column in columns {
            let names = column.split(separator: "=", maxSplits: 1).map(String.init)
            guard names.count == 2 else {
                throw CommandFailure("--column \(column) is not derivation=bank", exitKind: .usage)
            }
            mapping[names[0]] = names[1]
        }
        return mapping
    }

    /// Reads published tables of the derivation's indicators, from files and from folders of them.
    package static func tables(
        _ paths: [String], of derivation: Derivation
    ) throws -> [IndicatorTable] {
        try paths.flatMap(files).map { path in
            let bytes = try AtomicFile.read(path)
            do {
                return try IndicatorTable(bytes: bytes, derivation: derivation)
            } catch {
                throw CommandFailure(
                    "\(path): \(error)", hint: "fed-node tables writes the tables of a node",
                    exitKind: .data)
            }
        }
    }

    /// A file, or the tables in a folder, by name.
    package static func files(_ path: String) throws -> [String] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder),
            isFolder.boolValue
        else { return [path] }
        return try FileManager.default.contentsOfDirectory(atPath: path).sorted().filter {
            $0.hasSuffix(".json")
        }.map { "\(path)/\($0)" }
    }
}
