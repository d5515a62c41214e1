package import FedCore

/// Where the published tables of shared indicators come from: files, or a node that receives them.
package protocol TableSource: Sendable {
    /// The tables of now.
    func keys() throws(ServiceError) -> [TableKey]

    /// Reads one of them.
    func table(_ key: TableKey, of derivation: Derivation) throws(ServiceError) -> IndicatorTable
}

/// Which table: one key stands for one content.
package struct TableKey: Hashable, Sendable {
    /// Where it is.
    package let place: String
    /// What changes with its content.
    package let version: String

    /// Wraps a place and a version.
    package init(place: String, version: String) {
        self.place = place
        self.version = version
    }
}
