package import FedCore
package import FedDecision
internal import Foundation
internal import GRDB

/// Lists on their way.
extension ReviewStore {
    /// A delivery and the list that it carries.
    package struct Delivery: Equatable, Sendable {
        /// How far it is.
        package var record: DeliveryOutbox.Record
        /// The list's name.
        package let list: String
    }

    /// Puts a list that was just made in for its destinations, within its transaction: it exists
    /// and will be delivered, or neither.
    static func enqueue(
        _ document: [UInt8], list: String, for destinations: [ListDestination], at now: Int64,
        _ database: GRDB.Database
    ) throws {
        var outbox = DeliveryOutbox()
        for destination in destinations {
            let (record, isNew) = outbox.enqueue(
                document: document, destination: destination.name, at: now)
            guard isNew else { continue }
            try save(Delivery(record: record, list: list), database)
        }
    }

    private static func save(_ delivery: Delivery, _ database: GRDB.Database) throws {
        let record = delivery.record
        let (state, time, reason): (String, Int64, String?) =
            switch record.state {
            case .waiting(let until): ("waiting", until, nil)
            case .sending(let since): ("sending", since, nil)
            case .delivered(let time): ("delivered", time, nil)
            case .abandoned(let time, let reason): ("abandoned", time, reason)
            }
        try database.execute(
            sql: """
                INSERT OR REPLACE INTO delivery (
                    key, list, destination, document, enqueued_at, attempts, state, at, reason)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                record.key, delivery.list, record.destination, Data(record.document),
                record.enqueuedAt, record.attempts, state, time, reason,
            ])
    }

    private static func delivery(_ row: Row) throws -> Delivery {
        let time: Int64 = row["at"]
        let state: DeliveryOutbox.State
        switch row["state"] as String {
        case "sending": state = .sending(since: time)
        case "delivered": state = .delivered(at: time)
        case "abandoned": state = .abandoned(at: time, reason: row["reason"] ?? "")
        default: state = .waiting(until: time)
        }
        return Delivery(
            record: DeliveryOutbox.Record(
                key: row["key"], destination: row["destination"],
                document: row.bytes("document"), enqueuedAt: row["enqueued_at"],
                attempts: row["attempts"], state: state), list: row["list"])
    }

    /// Stores how far a delivery is.
    package func save(_ delivery: Delivery) async throws {
        try await write { try Self.save(delivery, $0) }
    }

    /// Deliveries that are neither done nor given up.
    package func openDeliveries() async throws -> [Delivery] {
        try await read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT * FROM delivery WHERE state IN ('waiting', 'sending')
                    ORDER BY enqueued_at, key
                    """
            ).map(Self.delivery)
        }
    }

    /// All deliveries, the latest first.
    package func deliveries() async throws -> [Delivery] {
        try await read { database in
            try Row.fetchAll(
                database, sql: "SELECT * FROM delivery ORDER BY enqueued_at DESC, key LIMIT 1000"
            ).map(Self.delivery)
        }
    }
}

extension ReviewStore.Delivery {
    /// Members of an answer.
    package var json: CanonicalJSON {
        let (state, time, reason): (String, Int64, CanonicalJSON) =
            switch record.state {
            case .waiting(let until): ("waiting", until, .null)
            case .sending(let since): ("sending", since, .null)
            case .delivered(let time): ("delivered", time, .null)
            case .abandoned(let time, let reason): ("abandoned", time, .string(reason))
            }
        return .object([
            "key": .string(record.key), "list": .string(list),
            "destination": .string(record.destination),
            "enqueued_at": .integer(record.enqueuedAt),
            "attempts": .integer(Int64(record.attempts)), "state": .string(state),
            "at": .integer(time), "reason": reason,
        ])
    }
}
