package import FedCore

/// A node's models: which one scores, which one runs in its shadow, which ones scored before.
///
/// A pure state machine. ``bytes`` is what the node stores, in one transaction with the log entry
/// of the change, before it acts on it.
package struct ModelRegistry: Equatable, Sendable {
    /// A model that was admitted.
    package struct Entry: Equatable, Sendable {
        /// The candidate's version.
        package let version: UInt64
        /// SHA-256 of the model document.
        package let modelDigest: [UInt8]
        /// SHA-256 of the bundle that brought it.
        package let bundleDigest: [UInt8]
        /// Until when it may be activated.
        package let expires: Int64
        /// When the node took it, seconds since 1970.
        package let admittedAt: Int64

        /// Wraps the members.
        package init(
            version: UInt64, modelDigest: [UInt8], bundleDigest: [UInt8], expires: Int64,
            admittedAt: Int64
        ) {
            self.version = version
            self.modelDigest = modelDigest
            self.bundleDigest = bundleDigest
            self.expires = expires
            self.admittedAt = admittedAt
        }
    }

    /// Why a change of models cannot be made.
    package enum Refusal: Error, Equatable, Sendable {
        /// There is no challenger.
        case noChallenger
        /// The challenger waited until its time was over.
        case challengerExpired(until: Int64)
        /// The challenger fails the node's guard on newer rows.
        case guardFailed([VoteReason])
        /// No model scored before the active one.
        case nothingBefore
    }

    /// The most former champions that are kept for a rollback.
    package static let formerMax = 16

    /// The model that scores; `nil` before the first.
    package private(set) var champion: Entry?
    /// The model that scores in the shadow, unseen.
    package private(set) var challenger: Entry?
    /// Former champions, the last one first.
    package private(set) var former: [Entry]
    /// The highest version ever admitted: nothing at or below it is admitted again.
    package private(set) var highestVersion: UInt64

    /// Begins without models.
    package init() {
        former = []
        highestVersion = 0
    }

    init(champion: Entry?, challenger: Entry?, former: [Entry], highestVersion: UInt64) {
        self.champion = champion
        self.challenger = challenger
        self.former = former
        self.highestVersion = highestVersion
    }

    /// Takes a bundle as challenger, in place of an earlier one.
    ///
    /// - Parameters:
    ///   - bundle: the bundle's bytes.
    ///   - model: the model document's bytes.
    ///   - finding: what the node measured of this model on its own rows.
    ///   - now: seconds since 1970.
    /// - Throws: ``BundleRefusal``; then nothing has changed.
    package mutating func admit(
        bundle: [UInt8], model: ModelDocument, charter: ConsensusCharter, standardDigest: [UInt8],
        finding: CandidateFinding, now: Int64
    ) throws(BundleRefusal) {
        guard let read = try? ModelBundle(bytes: bundle), read.bytes == bundle else {
            throw .malformed
        }
        let candidate = read.candidate
        try read.verify(charter)
        guard candidate.standardDigest == standardDigest else { throw .foreignStandard }
        guard candidate.modelDigest == model.digest else { throw .modelMismatch }
        guard now >= candidate.validity.lowerBound else {
            throw .notYetValid(from: candidate.validity.lowerBound)
        }
        guard now < candidate.validity.upperBound else {
            throw .expired(until: candidate.validity.upperBound)
        }
        if candidate.version <= highestVersion {
            let known = [champion, challenger].compactMap { $0 } + former
            if candidate.version == highestVersion
                || known.contains(where: { $0.version == candidate.version })
            {
                throw .replayed(version: candidate.version)
            }
            throw .downgraded(version: candidate.version, highest: highestVersion)
        }
        guard finding.decision != .reject else { throw .guardFailed(finding.reasons) }
        challenger = Entry(
            version: candidate.version, modelDigest: candidate.modelDigest,
            bundleDigest: read.digest, expires: candidate.validity.upperBound, admittedAt: now)
        highestVersion = candidate.version
    }

    /// Makes the challenger the champion.
    ///
    /// - Parameter finding: what the node measured since, in the shadow.
    package mutating func promote(
        finding: CandidateFinding, now: Int64
    ) throws(Refusal) {
        guard let next = challenger else { throw .noChallenger }
        guard now < next.expires else { throw .challengerExpired(until: next.expires) }
        guard finding.decision != .reject else { throw .guardFailed(finding.reasons) }
        if let champion { former = Array(([champion] + former).prefix(Self.formerMax)) }
        champion = next
        challenger = nil
    }

    /// Drops the challenger.
    package mutating func dismiss() throws(Refusal) {
        guard challenger != nil else { throw .noChallenger }
        challenger = nil
    }

    /// Makes the last former champion the champion again, at once and without a vote.
    ///
    /// It was admitted by one. The model that is left does not come back by its old bundle.
    package mutating func rollBack() throws(Refusal) {
        guard let last = former.first else { throw .nothingBefore }
        former.removeFirst()
        champion = last
    }
}

extension ModelRegistry {
    /// What a version is to the node; ``ModelStanding/candidate`` for one that was not admitted.
    package func standing(of version: UInt64) -> ModelStanding {
        if champion?.version == version { return .champion }
        if challenger?.version == version { return .challenger }
        return former.contains { $0.version == version } ? .former : .candidate
    }
}

extension ModelRegistry {
    /// The member `format` of the stored document.
    package static let format = "fed-model-registry/1"
    private static let memberNames = ["champion", "challenger", "former", "highest_version"]
    private static let entryNames = [
        "version", "model_sha256", "bundle_sha256", "expires", "admitted_at",
    ]

    /// The state as canonical JSON.
    package var bytes: [UInt8] {
        func json(_ entry: Entry?) -> CanonicalJSON {
            guard let entry else { return .null }
            return .object([
                "version": .string(String(entry.version)),
                "model_sha256": .string(entry.modelDigest.hexadecimal),
                "bundle_sha256": .string(entry.bundleDigest.hexadecimal),
                "expires": .string(String(entry.expires)),
                "admitted_at": .string(String(entry.admittedAt)),
            ])
        }
        return CanonicalJSON.object([
            "format": .string(Self.format), "champion": json(champion),
            "challenger": json(challenger), "former": .array(former.map(json)),
            "highest_version": .string(String(highestVersion)),
        ]).bytes
    }

    /// Reads ``bytes``.
    ///
    /// - Throws: ``DocumentError``.
    package init(bytes: [UInt8]) throws(DocumentError) {
        let document = try DocumentObject(
            document: try StrictJSON.parse(bytes), format: Self.format, allowed: Self.memberNames)
        func number<Value: FixedWidthInteger>(
            _ members: DocumentObject, _ name: String, _: Value.Type = Value.self
        ) throws(DocumentError) -> Value {
            let text = try members.string(name, bytes: 1...20)
            guard let value = Value(text) else {
                throw .wrongType(place: members.place(of: name), expected: "a whole number as text")
            }
            return value
        }
        func entry(_ value: CanonicalJSON, _ place: String) throws(DocumentError) -> Entry {
            let members = try DocumentObject(value, place: place, allowed: Self.entryNames)
            return Entry(
                version: try number(members, "version"),
                modelDigest: try members.digest("model_sha256"),
                bundleDigest: try members.digest("bundle_sha256"),
                expires: try number(members, "expires"),
                admittedAt: try number(members, "admitted_at"))
        }
        func optional(_ name: String) throws(DocumentError) -> Entry? {
            document.has(name) ? try entry(try document.value(name), name) : nil
        }
        var former: [Entry] = []
        for (value, place) in try document.list("former", count: 0...Self.formerMax) {
            former.append(try entry(value, place))
        }
        self.init(
            champion: try optional("champion"), challenger: try optional("challenger"),
            former: former, highestVersion: try number(document, "highest_version"))
        guard self.bytes == bytes else { throw .notCanonical }
    }
}
