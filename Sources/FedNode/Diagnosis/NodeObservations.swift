/// What `fed-node doctor` has seen, without judgement; ``NodeDiagnosis`` judges.
package struct NodeObservations: Equatable, Sendable {
    /// Something that may have failed, with the words of the failure.
    package enum Outcome: Equatable, Sendable {
        case works(String)
        case fails(reason: String, hint: String)
        /// Not looked at, because something else has to be mended first or need not be.
        case skipped(reason: String)
    }

    /// The state folder.
    package struct Folder: Equatable, Sendable {
        package var path: String
        /// Why a file cannot be written there; `nil` where it can.
        package var writeFailure: String?
        /// Space that this process may still use, bytes; `nil` where the system does not say.
        package var freeBytes: Int64?

        package init(path: String, writeFailure: String? = nil, freeBytes: Int64? = nil) {
            self.path = path
            self.writeFailure = writeFailure
            self.freeBytes = freeBytes
        }
    }

    /// The node's certificate.
    package struct Certificate: Equatable, Sendable {
        /// Key, chain and times, as TLS would judge them.
        package var validity: Outcome
        /// The name in its subject alternative name; `nil` for none of a known form.
        package var name: String?
        /// The name that it must have.
        package var expectedName: String
        /// When it expires, seconds since 1970.
        package var expiresUnixSeconds: Int64

        package init(
            validity: Outcome, name: String?, expectedName: String, expiresUnixSeconds: Int64
        ) {
            self.validity = validity
            self.name = name
            self.expectedName = expectedName
            self.expiresUnixSeconds = expiresUnixSeconds
        }
    }

    /// The clock of this machine.
    package struct Clock: Equatable, Sendable {
        /// Now, seconds since 1970.
        package var nowUnixSeconds: Int64
        /// Whether the system keeps its clock by a time server; `nil` where it does not say.
        package var isSynchronised: Bool?
        /// The newest time that this node has recorded, seconds since 1970.
        package var newestRecordUnixSeconds: Int64?
        /// This clock less the coordinator's, seconds; `nil` where it is not known.
        package var differenceSeconds: Double?

        package init(
            nowUnixSeconds: Int64, isSynchronised: Bool? = nil,
            newestRecordUnixSeconds: Int64? = nil, differenceSeconds: Double? = nil
        ) {
            self.nowUnixSeconds = nowUnixSeconds
            self.isSynchronised = isSynchronised
            self.newestRecordUnixSeconds = newestRecordUnixSeconds
            self.differenceSeconds = differenceSeconds
        }
    }

    /// What the coordinator would propose, against what is known here; `nil` where it was not
    /// asked.
    package struct Proposal: Equatable, Sendable {
        /// The charter of the members, or why this bank would refuse it.
        package var charter: Outcome
        /// The newest run's feature standard, against the file given.
        package var standard: Outcome

        package init(charter: Outcome, standard: Outcome) {
            self.charter = charter
            self.standard = standard
        }
    }

    /// A file that a run needs.
    package struct Document: Equatable, Sendable {
        /// Such as `feature standard`.
        package var kind: String
        package var path: String
        package var outcome: Outcome

        package init(kind: String, path: String, outcome: Outcome) {
            self.kind = kind
            self.path = path
            self.outcome = outcome
        }
    }

    package var folder: Folder
    /// The bank that is enrolled here, or why none is.
    package var enrolment: Outcome
    package var certificate: Certificate?
    package var clock: Clock
    /// The coordinator's host as it is dialled.
    package var host: String?
    /// The addresses that the host's name leads to.
    package var names: Outcome
    package var connection: Outcome
    package var proposal: Proposal?
    package var documents: [Document]

    package init(
        folder: Folder, enrolment: Outcome, certificate: Certificate?, clock: Clock, host: String?,
        names: Outcome, connection: Outcome, proposal: Proposal? = nil, documents: [Document]
    ) {
        self.folder = folder
        self.enrolment = enrolment
        self.certificate = certificate
        self.clock = clock
        self.host = host
        self.names = names
        self.connection = connection
        self.proposal = proposal
        self.documents = documents
    }
}
