internal import FedConsole
package import FedCore
package import FedRuntime
package import FedService
internal import Foundation

/// The tables that live transactions are scored with: of files and of folders, and those that a
/// node receives.
package struct ScoreTables: TableSource {
    private let paths: [String]
    private let node: NodeStore?

    /// Takes files, folders and a node's store.
    package init(paths: [String], node: NodeStore?) {
        self.paths = paths
        self.node = node
    }

    package func keys() throws(ServiceError) -> [TableKey] {
        var keys: [TableKey] = []
        for place in paths {
            do {
                for path in try DerivationFile.files(place) { keys.append(try Self.key(path)) }
            } catch {
                throw .unreadable(path: place, reason: error.localizedDescription)
            }
        }
        guard let node else { return keys }
        do throws(StoreError) {
            for digest in try node.tableDigests() {
                keys.append(TableKey(place: Self.nodePlace, version: digest))
            }
        } catch {
            throw .store(path: Self.nodePlace, reason: error.description)
        }
        return keys
    }

    package func table(
        _ key: TableKey, of derivation: Derivation
    ) throws(ServiceError) -> IndicatorTable {
        do {
            if key.place == Self.nodePlace {
                guard let bytes = try node?.runs.model(sha256: key.version) else {
                    throw ServiceError.invalid(path: key.place, reason: "the table is gone")
                }
                return try IndicatorTable(bytes: bytes, derivation: derivation)
            }
            return try IndicatorTable(
                bytes: try AtomicFile.read(key.place), derivation: derivation)
        } catch let error as ServiceError {
            throw error
        } catch {
            throw .invalid(path: key.place, reason: "\(error)")
        }
    }

    private static func key(_ path: String) throws -> TableKey {
        let found = try FileManager.default.attributesOfItem(atPath: path)
        let changed = (found[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
        return TableKey(place: path, version: "\(found[.size] ?? 0) \(changed)")
    }

    private static let nodePlace = "the node's tables"
}
