/// All that the HTML report of a run shows.
package struct RunReport: Sendable {
    /// A point of a precision–recall curve, both from 0 to 1.
    package struct CurvePoint: Equatable, Sendable {
        /// Frauds found, as a share of all frauds.
        package let recall: Double
        /// Frauds among the rows found.
        package let precision: Double

        /// Wraps a point.
        package init(recall: Double, precision: Double) {
            self.recall = recall
            self.precision = precision
        }
    }

    /// The precision–recall curves of one bank, by ascending recall.
    package struct BankCurves: Sendable {
        /// The bank's name.
        package let bank: String
        /// One curve a score; a few hundred points are plenty.
        package let curves: PerScore<[CurvePoint]>

        /// Wraps the curves of a bank.
        package init(bank: String, curves: PerScore<[CurvePoint]>) {
            self.bank = bank
            self.curves = curves
        }
    }

    /// What one bank sent of one kind of message.
    package struct Sent: Sendable {
        /// The bank's name.
        package let bank: String
        /// The kind of message, such as "masked update".
        package let kind: String
        /// Messages.
        package let messages: Int
        /// Bytes of all of them.
        package let bytes: Int

        /// Wraps a line of a bank's egress ledger.
        package init(bank: String, kind: String, messages: Int, bytes: Int) {
            self.bank = bank
            self.kind = kind
            self.messages = messages
            self.bytes = bytes
        }
    }

    /// The masked sums of one kind.
    package struct MaskedSums: Sendable {
        /// What was summed, such as "histogram of tree level 2".
        package let kind: String
        /// Sums made.
        package let count: Int
        /// Words of one masked vector.
        package let lanes: Int
        /// Bytes that one bank sent for one sum.
        package let bytes: Int

        /// Wraps a kind of sums.
        package init(kind: String, count: Int, lanes: Int, bytes: Int) {
            self.kind = kind
            self.count = count
            self.lanes = lanes
            self.bytes = bytes
        }
    }

    /// A name and a value, for the list of run facts.
    package struct Fact: Sendable {
        /// Such as "cipher suite".
        package let name: String
        /// As it is to be read.
        package let value: String

        /// Wraps a fact.
        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The heading.
    package let title: String
    /// The banks' results.
    package let comparison: ComparisonReport
    /// The banks' curves, in the order to be shown.
    package let curves: [BankCurves]
    /// What left each bank.
    package let sent: [Sent]
    /// The masked sums of the run.
    package let maskedSums: [MaskedSums]
    /// What stays in a bank and what leaves it.
    package let boundary: Boundary
    /// Facts beside those of the comparison: run, roster, suite, versions.
    package let facts: [Fact]

    /// Wraps the parts of a report.
    package init(
        title: String, comparison: ComparisonReport, curves: [BankCurves] = [],
        sent: [Sent] = [], maskedSums: [MaskedSums] = [], boundary: Boundary = .standard,
        facts: [Fact] = []
    ) {
        self.title = title
        self.comparison = comparison
        self.curves = curves
        self.sent = sent
        self.maskedSums = maskedSums
        self.boundary = boundary
        self.facts = facts
    }
}

/// What stays in a bank, what leaves it, and what can be read outside.
package struct Boundary: Sendable {
    /// Never leaves the bank.
    package let stays: [String]
    /// Leaves the bank.
    package let leaves: [String]
    /// What the coordinator can read of it.
    package let readable: [String]

    /// Wraps three lists.
    package init(stays: [String], leaves: [String], readable: [String]) {
        self.stays = stays
        self.leaves = leaves
        self.readable = readable
    }

    /// The boundary of a joint training.
    package static let standard = Boundary(
        stays: [
            "transactions, accounts, payees and devices", "feature values and labels",
            "the local model, the combined score and every score of a row",
            "the bank's own gradients, histograms and counts, unmasked", "mask keys",
        ],
        leaves: [
            "masked sums: vectors that look random, one for each step of the training",
            "public keys and signatures", "consent to the run, and the vote on the joint model",
        ],
        readable: [
            "the sum over all banks of the roster", "the joint model, which every bank receives",
            "who took part, when, and how many bytes were sent",
        ])
}
