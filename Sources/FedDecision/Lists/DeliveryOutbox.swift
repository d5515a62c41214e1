internal import FedCore
internal import FedCrypto

/// Documents on their way to a destination, each delivered once.
///
/// A pure state machine over records; time comes in as an argument, and what is stored is each
/// record that a call returns, before the send that it allows. A send whose outcome is not known,
/// as after a crash, is done again under the same key, and receivers take a key once: so nothing is
/// lost and nothing counts twice.
package struct DeliveryOutbox: Equatable, Sendable {
    /// How far a document is.
    package enum State: Equatable, Sendable {
        /// To be sent from this time on.
        case waiting(until: Int64)
        /// Being sent since this time.
        case sending(since: Int64)
        /// The receiver has it, since this time.
        case delivered(at: Int64)
        /// Given up at this time, for this reason.
        case abandoned(at: Int64, reason: String)
    }

    /// A document and how far it is.
    package struct Record: Equatable, Sendable {
        /// Under which the receiver takes it once: a SHA-256 of destination and document.
        package let key: String
        /// Where it goes.
        package let destination: String
        /// SHA-256 of the document.
        package let document: [UInt8]
        /// When it was put in.
        package let enqueuedAt: Int64
        /// Sends begun.
        package var attempts: Int
        /// How far it is.
        package var state: State

        /// Wraps a stored record.
        package init(
            key: String, destination: String, document: [UInt8], enqueuedAt: Int64, attempts: Int,
            state: State
        ) {
            self.key = key
            self.destination = destination
            self.document = document
            self.enqueuedAt = enqueuedAt
            self.attempts = attempts
            self.state = state
        }
    }

    /// When sends are tried again: times in seconds.
    package struct Retry: Equatable, Sendable {
        /// The wait after the first failure; it doubles with each further one.
        package var first: Int64 = 10
        /// The longest wait.
        package var longest: Int64 = 3600
        /// Sends after which a document is given up.
        package var attemptsMax = 50

        /// The defaults.
        package init() {}

        /// The wait after so many sends; up to a quarter less, by the document's key, so that
        /// documents do not all come back at once.
        package func wait(after attempts: Int, key: String) -> Int64 {
            let doublings = min(max(attempts - 1, 0), 40)
            let full = min(first << Int64(doublings), longest)
            let spread = SHA256.hash(Array("\(key)/\(attempts)".utf8))
            return full - full * Int64(spread[0]) / 1024
        }
    }

    /// Why a call does not fit the state; the caller's mistake, or a late answer.
    package enum Misuse: Error, Equatable, Sendable {
        /// No such document.
        case unknownKey
        /// It is not being sent.
        case notSending
        /// It is not waiting, or not yet due.
        case notDue
    }

    /// All records, by key.
    package private(set) var records: [String: Record]
    private let retry: Retry

    /// Takes stored records: what was being sent is sent again at once.
    ///
    /// - Returns: in `recovered` the records that changed, to be stored.
    package static func recovering(
        _ stored: [Record], at now: Int64, retry: Retry = Retry()
    ) -> (outbox: DeliveryOutbox, recovered: [Record]) {
        var outbox = DeliveryOutbox(retry: retry)
        var recovered: [Record] = []
        for var record in stored {
            if case .sending = record.state {
                record.state = .waiting(until: now)
                recovered.append(record)
            }
            outbox.records[record.key] = record
        }
        return (outbox, recovered.sorted { $0.key < $1.key })
    }

    /// Begins empty.
    package init(retry: Retry = Retry()) {
        self.retry = retry
        records = [:]
    }

    /// The key of a document for a destination.
    package static func key(document: [UInt8], destination: String) -> String {
        var writer = ByteWriter()
        writer.write("fed/v1/delivery")
        writer.write(destination)
        writer.writeFixed(SHA256.hash(document))
        return SHA256.hash(writer.bytes).hexadecimal
    }

    /// Puts a document in; one that is there already stays as it is.
    ///
    /// - Returns: its record, and whether it is new.
    package mutating func enqueue(
        document: [UInt8], destination: String, at now: Int64
    ) -> (record: Record, isNew: Bool) {
        let key = Self.key(document: document, destination: destination)
        if let known = records[key] { return (known, false) }
        let record = Record(
            key: key, destination: destination, document: SHA256.hash(document), enqueuedAt: now,
            attempts: 0, state: .waiting(until: now))
        records[key] = record
        return (record, true)
    }

    /// The keys of documents to be sent now, the longest waiting first.
    package func due(at now: Int64) -> [String] {
        records.values.compactMap { record -> (Int64, String)? in
            guard case .waiting(let until) = record.state, until <= now else { return nil }
            return (record.enqueuedAt, record.key)
        }.sorted { $0 < $1 }.map(\.1)
    }

    /// When ``due(at:)`` next has something; `nil` while nothing waits.
    package var nextDue: Int64? {
        records.values.compactMap { record -> Int64? in
            guard case .waiting(let until) = record.state else { return nil }
            return until
        }.min()
    }

    /// Begins a send: store the record, then send.
    package mutating func begin(_ key: String, at now: Int64) throws(Misuse) -> Record {
        guard var record = records[key] else { throw .unknownKey }
        guard case .waiting(let until) = record.state, until <= now else { throw .notDue }
        record.attempts += 1
        record.state = .sending(since: now)
        records[key] = record
        return record
    }

    /// The receiver has it.
    package mutating func succeed(_ key: String, at now: Int64) throws(Misuse) -> Record {
        try end(key) { _ in .delivered(at: now) }
    }

    /// The send failed.
    ///
    /// - Parameters:
    ///   - isFinal: whether the receiver will never take it.
    ///   - reason: for the log; nothing of the document.
    package mutating func fail(
        _ key: String, at now: Int64, isFinal: Bool = false, reason: String
    ) throws(Misuse) -> Record {
        let retry = retry
        return try end(key) { record in
            if isFinal || record.attempts >= retry.attemptsMax {
                return .abandoned(at: now, reason: reason)
            }
            return .waiting(until: now + retry.wait(after: record.attempts, key: record.key))
        }
    }

    private mutating func end(
        _ key: String, _ next: (Record) -> State
    ) throws(Misuse) -> Record {
        guard var record = records[key] else { throw .unknownKey }
        guard case .sending = record.state else { throw .notSending }
        record.state = next(record)
        records[key] = record
        return record
    }
}
