internal import FedCore
package import FedDecision

/// What a list asks for.
package struct ListOrder: Equatable, Sendable {
    /// The most entries.
    package var capacity: Int
    /// Share of the capacity that is drawn at random, 0 to 0.5.
    package var explorationShare = 0.05
    /// Seconds for which a closed case keeps its entity off the list.
    package var restSeconds: Int64 = 14 * 86_400
    /// Seconds back for which scored transactions count.
    package var windowSeconds: Int64 = 86_400
    /// The most reasons of an entry.
    package var reasonsMax = 5

    /// The most entries that may be asked for.
    package static let capacityMax = 100_000
    /// The most reasons that may be asked for.
    package static let reasonsMaxMax = 50

    /// Asks for so many entries.
    package init(capacity: Int) { self.capacity = capacity }

    /// Reads a request's body.
    ///
    /// - Throws: ``Fault``.
    package init(json: [UInt8]) throws(Fault) {
        do throws(DocumentError) {
            let document = try DocumentObject(
                try StrictJSON.parse(json),
                allowed: [
                    "capacity", "exploration_share", "rest_seconds", "window_seconds", "reasons",
                ])
            self.init(
                capacity: Int(try document.integer("capacity", in: 1...Int64(Self.capacityMax))))
            if document.has("exploration_share") {
                explorationShare = try document.number("exploration_share", in: 0...0.5)
            }
            if document.has("rest_seconds") {
                restSeconds = try document.integer("rest_seconds", in: 0...(1 << 32))
            }
            if document.has("window_seconds") {
                windowSeconds = try document.integer("window_seconds", in: 1...(1 << 32))
            }
            if document.has("reasons") {
                reasonsMax = Int(
                    try document.integer("reasons", in: 0...Int64(Self.reasonsMaxMax)))
            }
        } catch {
            throw Fault(error)
        }
    }
}

/// A scored transaction that lists are to know of.
package struct RecordedScore: Sendable {
    /// The caller's name of it; recorded once.
    package let id: String
    /// The customer or account.
    package let entity: String
    /// In minor units.
    package let amount: Int64
    /// Calibrated.
    package let probability: Double
    /// The local model's alone; `nil` without one.
    package let localProbability: Double?
    /// Raw values.
    package let row: [Double]
}

/// A request that is carried out once, however often it comes.
package struct OnceKey: Equatable, Sendable {
    /// The longest key, in bytes.
    package static let byteCountMax = 200

    /// What is asked for.
    package let route: String
    /// The caller's name of the request.
    package let key: String
    /// SHA-256 of the body: another body under the same key is a mistake.
    package let bodyDigest: [UInt8]

    /// Wraps a key.
    package init(route: String, key: String, bodyDigest: [UInt8]) {
        self.route = route
        self.key = key
        self.bodyDigest = bodyDigest
    }
}

/// An answer that is given again when its request comes again.
package struct OnceAnswer: Equatable, Sendable {
    /// The HTTP status.
    package let status: Int
    /// The body.
    package let body: [UInt8]
    /// Whether it was given before.
    package let isRepeated: Bool
}

/// A fraud that the bank knows of from elsewhere, such as a customer's complaint.
package struct KnownFraud: Equatable, Sendable {
    /// The customer or account.
    package let entity: String
    /// Since when, seconds since 1970.
    package let foundAt: Int64
}

/// A case as the page shows it.
package struct ReviewCase: Sendable {
    package let id: String
    package let list: String
    package let rank: Int
    package let entity: String
    package let probability: Double
    package let expectedLoss: Double
    package let slice: String
    package let inclusion: Double
    package let listedAt: Int64
    /// Canonical JSON of the reasons.
    package let reasons: [UInt8]
    package let standing: VerdictLedger.Standing?

    /// Canonical JSON, reasons as they were stored.
    package var bytes: [UInt8] {
        let standing: CanonicalJSON =
            self.standing.map {
                .object([
                    "verdict": .string($0.outcome.rawValue), "amount_kept": .integer($0.amountKept),
                    "decided_at": .integer($0.decidedAt), "disputed": .bool($0.isDisputed),
                ])
            } ?? .null
        let head = CanonicalJSON.object([
            "case": .string(id), "entity": .string(entity), "expected_loss": .number(expectedLoss),
            "inclusion": .number(inclusion), "list": .string(list),
            "listed_at": .integer(listedAt), "probability": .number(probability),
            "rank": .integer(Int64(rank)),
        ]).bytes.dropLast()
        let tail = CanonicalJSON.object(["slice": .string(slice), "standing": standing]).bytes
            .dropFirst()
        var bytes = Array(head)
        bytes += Array(",\"reasons\":".utf8)
        bytes += reasons
        bytes.append(0x2C)
        bytes += tail
        return bytes
    }
}
