internal import FedCore
internal import Foundation
internal import GRDB

extension [UInt8] {
    /// The form in which SQLite takes a blob.
    var data: Data { Data(self) }

    /// The first column of the first row of a query, or `nil` without one.
    static func fetch(
        _ database: GRDB.Database, _ sql: String, _ arguments: StatementArguments
    ) throws -> [UInt8]? {
        try Data.fetchOne(database, sql: sql, arguments: arguments).map { Array($0) }
    }
}

extension Row {
    /// A blob column; empty for NULL.
    func bytes(_ name: String) -> [UInt8] { (self[name] as Data?).map { Array($0) } ?? [] }

    /// A text column; empty for NULL.
    func text(_ name: String) -> String { self[name] as String? ?? "" }

    /// An integer column; 0 for NULL.
    func integer(_ name: String) -> Int64 { self[name] as Int64? ?? 0 }

    /// A run's identifier.
    func run(_ name: String) throws -> RunID {
        guard let run = RunID(bytes: bytes(name)) else { throw MalformedRow(column: name) }
        return run
    }

    /// A bank's name.
    func bank(_ name: String) throws -> NodeID {
        guard let bank = NodeID(text(name)) else { throw MalformedRow(column: name) }
        return bank
    }

    /// A value of a closed vocabulary.
    func value<Value: RawRepresentable>(
        _ name: String, as type: Value.Type = Value.self
    ) throws -> Value where Value.RawValue == String {
        guard let value = Value(rawValue: text(name)) else { throw MalformedRow(column: name) }
        return value
    }
}

/// A column holds what this release cannot have written.
struct MalformedRow: Error {
    let column: String
}
