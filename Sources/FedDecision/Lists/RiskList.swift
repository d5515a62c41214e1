internal import FedCore
package import FedCrypto

/// A customer or account as the list sees it: everything its recent transactions say.
package struct EntityRisk: Equatable, Sendable {
    /// The bank's name of the entity.
    package let entity: String
    /// The probability that at least one of its transactions is a fraud.
    package let probability: Double
    /// Σ probability · amount over its transactions, in minor units of the currency.
    package let expectedLoss: Double
    /// Why, in falling order of weight.
    package let reasons: [ReasonCode]

    /// Wraps figures.
    package init(
        entity: String, probability: Double, expectedLoss: Double, reasons: [ReasonCode] = []
    ) {
        self.entity = entity
        self.probability = probability
        self.expectedLoss = expectedLoss
        self.reasons = reasons
    }

    /// Sums transactions up by entity.
    ///
    /// Their probabilities are taken as independent: 1 - Π (1 - p). Reasons are those of the
    /// transaction with the greatest expected loss, the earliest of equal ones.
    ///
    /// - Returns: in the order of names.
    package static func summing(
        _ transactions: [(
            entity: String, probability: Double, amount: Double, reasons: [ReasonCode]
        )]
    ) -> [EntityRisk] {
        struct Sum {
            var spared = 1.0
            var loss = 0.0
            var worst = -1.0
            var reasons: [ReasonCode] = []
        }
        var sums: [String: Sum] = [:]
        for (entity, probability, amount, reasons) in transactions {
            precondition((0...1).contains(probability), "a probability of \(probability)")
            let loss = probability * max(amount, 0)
            var sum = sums[entity] ?? Sum()
            sum.spared *= 1 - probability
            sum.loss += loss
            if loss > sum.worst { (sum.worst, sum.reasons) = (loss, reasons) }
            sums[entity] = sum
        }
        return sums.map { entity, sum in
            EntityRisk(
                entity: entity, probability: 1 - sum.spared, expectedLoss: sum.loss,
                reasons: sum.reasons)
        }.sorted { $0.entity < $1.entity }
    }
}

/// What the bank's case system knows of an entity.
package enum CaseState: Equatable, Sendable {
    /// Reviewers have it.
    case open
    /// It was closed, at this time in seconds since 1970.
    case closed(at: Int64)
}

/// A list of entities for the bank's reviewers, within their capacity.
///
/// Most places go to the greatest expected losses. A small slice is drawn at random from all the
/// others, so that labels do not only come from what the model believes already; each entry says
/// with which probability it came onto the list.
package struct RiskList: Equatable, Sendable {
    /// What is asked for.
    package struct Request: Equatable, Sendable {
        /// The most entries.
        package var capacity: Int
        /// Share of the capacity that is drawn at random, 0 to 0.5.
        ///
        /// Rounded down: less than one place is none. `Decisions/0016` says what the default costs
        /// and what it is for.
        package var explorationShare: Double
        /// Names the list, and its draw.
        package var id: String
        /// When it is made, seconds since 1970.
        package var madeAt: Int64
        /// Seconds for which a closed case keeps its entity off the list.
        package var restSeconds: Int64
        /// The most reasons of an entry.
        package var reasonsMax: Int

        /// Wraps settings.
        package init(
            capacity: Int, explorationShare: Double = 0.05, id: String, madeAt: Int64,
            restSeconds: Int64 = 14 * 86_400, reasonsMax: Int = 5
        ) {
            precondition(capacity >= 0, "a capacity of \(capacity)")
            precondition((0...0.5).contains(explorationShare), "a share of \(explorationShare)")
            self.capacity = capacity
            self.explorationShare = explorationShare
            self.id = id
            self.madeAt = madeAt
            self.restSeconds = restSeconds
            self.reasonsMax = reasonsMax
        }
    }

    /// How an entry came onto the list.
    package enum Slice: String, CaseIterable, Sendable {
        /// By its expected loss.
        case ranked
        /// By the draw.
        case explored
    }

    /// An entity to be reviewed.
    package struct Entry: Equatable, Sendable {
        /// From 1.
        package let rank: Int
        /// Whom it is about, and why.
        package let risk: EntityRisk
        /// How it came onto the list.
        package let slice: Slice
        /// The probability with which it did; 1 for ranked ones.
        package let inclusion: Double
    }

    /// What was asked for.
    package let request: Request
    /// In the order of review: the ranked, then the explored.
    package let entries: [Entry]
    /// Entities that could have been drawn and were not.
    package let unlisted: Int

    /// Makes a list.
    ///
    /// The same request and entities give the same list, in whatever order they come.
    ///
    /// - Parameters:
    ///   - entities: each once.
    ///   - drawKey: a secret of the bank, so that nobody can tell who will be drawn.
    ///   - cases: entities with an open case, or one closed within `restSeconds`, are left out.
    package init(
        _ request: Request, entities: [EntityRisk], cases: [String: CaseState] = [:],
        drawKey: SecretBytes
    ) {
        precondition(Set(entities.map(\.entity)).count == entities.count, "an entity twice")
        self.request = request
        let eligible = entities.filter { risk in
            switch cases[risk.entity] {
            case nil: true
            case .open: false
            case .closed(let time): request.madeAt - time >= request.restSeconds
            }
        }.sorted {
            ($1.expectedLoss, $1.probability, $0.entity)
                < ($0.expectedLoss, $0.probability, $1.entity)
        }
        let drawn = Int(request.explorationShare * Double(request.capacity))
        let ranked = eligible.prefix(request.capacity - drawn)
        let rest = eligible.dropFirst(ranked.count)
        let explored = rest.map { (Self.ticket($0.entity, request, drawKey), $0) }
            .sorted { $0.0.lexicographicallyPrecedes($1.0) }
            .prefix(drawn).map(\.1)
        let inclusion = rest.isEmpty ? 1 : Double(explored.count) / Double(rest.count)
        func entry(_ index: Int, _ risk: EntityRisk, _ slice: Slice) -> Entry {
            Entry(
                rank: index + 1,
                risk: EntityRisk(
                    entity: risk.entity, probability: risk.probability,
                    expectedLoss: risk.expectedLoss,
                    reasons: Array(risk.reasons.prefix(request.reasonsMax))),
                slice: slice, inclusion: slice == .ranked ? 1 : inclusion)
        }
        entries =
            ranked.enumerated().map { entry($0, $1, .ranked) }
            + explored.enumerated().map { entry(ranked.count + $0, $1, .explored) }
        unlisted = rest.count - explored.count
    }

    /// An entity's lot in the draw of a list: HMAC-SHA-256 under the bank's secret.
    private static func ticket(
        _ entity: String, _ request: Request, _ drawKey: SecretBytes
    ) -> [UInt8] {
        var writer = ByteWriter()
        writer.write("fed/v1/list-draw")
        writer.write(request.id)
        writer.write(entity)
        return HMACSHA256.authenticate(writer.bytes, key: drawKey)
    }
}

extension RiskList {
    /// The member `format` of the document.
    package static let format = "fed-risk-list/1"

    /// The list as canonical JSON.
    package var bytes: [UInt8] {
        CanonicalJSON.object([
            "format": .string(Self.format),
            "list": .string(request.id),
            "made_at": .integer(request.madeAt),
            "capacity": .integer(Int64(request.capacity)),
            "exploration_share": .number(request.explorationShare),
            "unlisted": .integer(Int64(unlisted)),
            "entries": .array(
                entries.map { entry in
                    .object([
                        "rank": .integer(Int64(entry.rank)),
                        "case": .string(caseID(entry)),
                        "entity": .string(entry.risk.entity),
                        "probability": .number(entry.risk.probability),
                        "expected_loss": .number(entry.risk.expectedLoss),
                        "slice": .string(entry.slice.rawValue),
                        "inclusion": .number(entry.inclusion),
                        "reasons": .array(entry.risk.reasons.map(\.json)),
                    ])
                }),
        ]).bytes
    }

    /// The name of an entry's case, which verdicts come back under.
    package func caseID(_ entry: Entry) -> String { "\(request.id)/\(entry.rank)" }

    /// The list as CSV (RFC 4180) for a spreadsheet: reasons as features behind each other.
    ///
    /// A field that a spreadsheet would take for a formula begins with an apostrophe.
    package var csv: [UInt8] {
        var text = "rank,case,entity,probability,expected_loss,slice,inclusion,reasons\r\n"
        for entry in entries {
            let fields = [
                String(entry.rank), caseID(entry), entry.risk.entity,
                String(entry.risk.probability), String(entry.risk.expectedLoss),
                entry.slice.rawValue, String(entry.inclusion),
                entry.risk.reasons.map(\.feature).joined(separator: " "),
            ]
            text += fields.map(Self.field).joined(separator: ",") + "\r\n"
        }
        return Array(text.utf8)
    }

    private static func field(_ text: String) -> String {
        var text = text
        if let first = text.utf8.first, [0x3D, 0x2B, 0x2D, 0x40, 0x09, 0x0D].contains(first) {
            text = "'" + text
        }
        guard text.utf8.contains(where: { [0x2C, 0x22, 0x0D, 0x0A].contains($0) }) else {
            return text
        }
        return "\""
            + text.split(separator: "\"", omittingEmptySubsequences: false)
            .joined(separator: "\"\"") + "\""
    }
}
