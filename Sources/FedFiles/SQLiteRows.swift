internal import FedCore
internal import GRDB

/// The rows of a table or view of a SQLite database, in the order of time; it is only read.
struct SQLiteRows: RawRowSource {
    let path: String
    let table: String
    /// The bank's names of the columns to sort by, the first the time.
    let order: [String]

    var name: String { RawInput(path + "?table=" + table).name }

    func columnNames() throws(FeatureBuilderError) -> [String] {
        let names = try reading { database in
            try String.fetchAll(
                database, sql: "SELECT name FROM pragma_table_info(?)", arguments: [table])
        }
        guard !names.isEmpty else {
            throw .sourceFailed(name: name, reason: "the database has no such table")
        }
        return names
    }

    func forEachRow(
        _ body: ([RawValue]) throws(FeatureBuilderError) -> Bool
    ) throws(FeatureBuilderError) {
        let names = try columnNames()
        let sorted = order.filter(names.contains).map(Self.quoted)
        let list = names.map(Self.quoted).joined(separator: ", ")
        let sql =
            "SELECT \(list) FROM \(Self.quoted(table))"
            + (sorted.isEmpty ? "" : " ORDER BY " + sorted.joined(separator: ", "))
        try reading { database in
            let rows = try GRDB.Row.fetchCursor(database, sql: sql)
            var values = [RawValue](repeating: .null, count: names.count)
            while let row = try rows.next() {
                for index in names.indices {
                    values[index] = try value(row, index, column: names[index])
                }
                guard try body(values) else { return }
            }
        }
    }

    private func value(
        _ row: GRDB.Row, _ index: Int, column: String
    ) throws(FeatureBuilderError) -> RawValue {
        let value: DatabaseValue = row[index]
        switch value.storage {
        case .null: return .null
        case .int64(let number): return .integer(number)
        case .double(let number): return .real(number)
        case .string(let text): return .text(text)
        case .blob:
            throw .sourceFailed(
                name: name, reason: "column \(column) holds a blob, expected a number or a text")
        }
    }

    private func reading<Value>(
        _ body: (GRDB.Database) throws -> Value
    ) throws(FeatureBuilderError) -> Value {
        do {
            var configuration = GRDB.Configuration()
            configuration.readonly = true
            return try DatabaseQueue(path: path, configuration: configuration).read(body)
        } catch let error as FeatureBuilderError {
            throw error
        } catch let error as GRDB.DatabaseError {
            throw .sourceFailed(name: name, reason: error.message ?? "\(error.resultCode)")
        } catch {
            throw .sourceFailed(name: name, reason: "it cannot be read")
        }
    }

    private static func quoted(_ name: String) -> String {
        "\""
            + name.split(separator: "\"", omittingEmptySubsequences: false)
            .joined(separator: "\"\"") + "\""
    }
}
