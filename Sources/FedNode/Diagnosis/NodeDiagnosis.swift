/// The check list of `fed-node doctor`: what was seen, judged, with a line on how to mend each.
package struct NodeDiagnosis: Equatable, Sendable {
    /// How a check went.
    package enum Verdict: String, Equatable, Sendable, Encodable {
        case good
        /// It works today and may not tomorrow.
        case warning
        case bad
        case skipped
    }

    /// One line of the list.
    package struct Finding: Equatable, Sendable, Encodable {
        /// What was checked, such as `certificate expiry`.
        package let check: String
        package let verdict: Verdict
        /// What was found.
        package let detail: String
        /// How to mend it; empty only where nothing has to be.
        package let hint: String
    }

    /// The limits between good, warning and bad.
    package enum Limit {
        package static let expiryWarningSeconds: Int64 = 30 * 86_400
        package static let freeBytesWarning: Int64 = 1 << 30
        package static let freeBytesBad: Int64 = 64 << 20
        /// Certificates are valid from an hour before they are issued, so that a clock may be
        /// behind; half of that is an alarm.
        package static let clockWarningSeconds = 60.0
        package static let clockBadSeconds = 1800.0
    }

    /// The lines, in the order in which they are best mended.
    package let findings: [Finding]

    /// Whether nothing is bad; warnings are not.
    package var isHealthy: Bool { !findings.contains { $0.verdict == .bad } }

    /// Judges.
    package init(_ seen: NodeObservations) {
        findings =
            [
                Self.folder(seen.folder), Self.space(seen.folder),
                Self.finding(
                    "enrolment", seen.enrolment,
                    fallback: "enrol: fed-node enrol --state \(seen.folder.path) --invitation FILE"
                ),
            ]
            + Self.certificate(seen.certificate, now: seen.clock.nowUnixSeconds)
            + [
                Self.clock(seen.clock),
                Self.finding(
                    "host name", seen.names,
                    fallback: "have the name \(seen.host ?? "of the coordinator") entered in DNS "
                        + "or in /etc/hosts"),
                Self.finding(
                    "coordinator over TLS", seen.connection,
                    fallback: "check that fed-coordinator runs and that the firewall lets this "
                        + "bank out"),
            ]
            + seen.documents.map {
                Self.finding(
                    $0.kind, $0.outcome, place: $0.path,
                    fallback: "take the file that the consortium agreed on")
            }
            + Self.proposal(seen.proposal)
    }

    private static func proposal(_ proposal: NodeObservations.Proposal?) -> [Finding] {
        guard let proposal else {
            return ["charter", "standard of the runs"].map {
                Finding(
                    check: $0, verdict: .skipped, detail: "the coordinator was not asked", hint: "")
            }
        }
        return [
            finding(
                "charter", proposal.charter,
                fallback: "ask the coordinator's operator why: fed-coordinator charter"),
            finding(
                "standard of the runs", proposal.standard,
                fallback: "take the feature standard that the consortium agreed on"),
        ]
    }

    private static func folder(_ folder: NodeObservations.Folder) -> Finding {
        guard let failure = folder.writeFailure else {
            return Finding(
                check: "state folder", verdict: .good, detail: "\(folder.path) can be written to",
                hint: "")
        }
        return Finding(
            check: "state folder", verdict: .bad, detail: "\(folder.path): \(failure)",
            hint: "give the folder to the user that fed-node runs as, mode 0700, on a disk that is "
                + "mounted for writing")
    }

    private static func space(_ folder: NodeObservations.Folder) -> Finding {
        guard let free = folder.freeBytes else {
            return Finding(
                check: "disk space", verdict: .skipped, detail: "the system does not say", hint: "")
        }
        let verdict: Verdict =
            free < Limit.freeBytesBad ? .bad : free < Limit.freeBytesWarning ? .warning : .good
        return Finding(
            check: "disk space", verdict: verdict, detail: "\(free >> 20) MiB free",
            hint: verdict == .good
                ? "" : "free some space: a run that cannot record what it sends stops")
    }

    private static func certificate(
        _ certificate: NodeObservations.Certificate?, now: Int64
    ) -> [Finding] {
        guard let certificate else {
            return ["certificate", "certificate name", "certificate expiry"].map {
                Finding(check: $0, verdict: .skipped, detail: "there is none to look at", hint: "")
            }
        }
        let again = "ask the coordinator's operator for a new invitation and enrol again"
        let hasName = certificate.name == certificate.expectedName
        let days = (certificate.expiresUnixSeconds - now) / 86_400
        let left = certificate.expiresUnixSeconds - now
        let expiry: Verdict =
            left <= 0 ? .bad : left < Limit.expiryWarningSeconds ? .warning : .good
        return [
            finding("certificate", certificate.validity, fallback: again),
            Finding(
                check: "certificate name", verdict: hasName ? .good : .bad,
                detail: hasName
                    ? certificate.expectedName
                    : "\(certificate.name ?? "no name of a bank"), "
                        + "expected \(certificate.expectedName)",
                hint: hasName ? "" : "use the state folder that belongs to this bank"),
            Finding(
                check: "certificate expiry", verdict: expiry,
                detail: left <= 0 ? "it has expired" : "\(days) days left",
                hint: expiry == .good ? "" : again),
        ]
    }

    private static func clock(_ clock: NodeObservations.Clock) -> Finding {
        let mend = "set the clock by a time server, for example with chrony or systemd-timesyncd"
        if let difference = clock.differenceSeconds,
            abs(difference) > Limit.clockWarningSeconds
        {
            return Finding(
                check: "clock",
                verdict: abs(difference) > Limit.clockBadSeconds ? .bad : .warning,
                detail: "\(Int(abs(difference).rounded())) s "
                    + (difference > 0 ? "ahead of" : "behind") + " the coordinator's",
                hint: mend)
        }
        // A minute's grace: the record may have been made while the clock was being set.
        if let newest = clock.newestRecordUnixSeconds, newest > clock.nowUnixSeconds + 60 {
            return Finding(
                check: "clock", verdict: .bad,
                detail: "\(newest - clock.nowUnixSeconds) s before the newest record of this node",
                hint: mend)
        }
        if clock.isSynchronised == false {
            return Finding(
                check: "clock", verdict: .warning, detail: "the system does not synchronise it",
                hint: mend)
        }
        let detail =
            clock.differenceSeconds.map {
                "\(Int($0.rounded())) s from the coordinator's, \(Int(Limit.clockWarningSeconds)) s "
                    + "are tolerated"
            }
            ?? (clock.isSynchronised == true ? "synchronised by the system" : "plausible")
        return Finding(check: "clock", verdict: .good, detail: detail, hint: "")
    }

    /// - Parameter fallback: how to mend a failure that brings no hint of its own.
    private static func finding(
        _ check: String, _ outcome: NodeObservations.Outcome, place: String = "", fallback: String
    ) -> Finding {
        let before = place.isEmpty ? "" : place + ": "
        return switch outcome {
        case .works(let detail):
            Finding(check: check, verdict: .good, detail: before + detail, hint: "")
        case .fails(let reason, let hint):
            Finding(
                check: check, verdict: .bad,
                detail: reason.hasPrefix(before) ? reason : before + reason,
                hint: hint.isEmpty ? fallback : hint)
        case .skipped(let reason):
            Finding(check: check, verdict: .skipped, detail: before + reason, hint: "")
        }
    }
}
