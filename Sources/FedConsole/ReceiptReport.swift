package import FedCore

/// What a verified record of a run says, for people and scripts.
package struct ReceiptReport: Encodable {
    /// A row of groups that had the same roster.
    struct Group: Encodable {
        let roster: [String]
        let groups: Int
        let sums: Int
        let truncated: Int
    }

    let run: String
    let suite: String
    let manifestSHA256: String
    let charterSHA256: String
    let banksMin: Int
    let rosterMin: Int
    let threshold: Int
    let collusionBound: Int
    let contributorsFloor: Int
    let rowsFloor: Int
    let rosters: [Group]
    let lastRoster: [String]
    let sums: Int
    let modelSHA256: String
    let chainHead: String

    /// Takes the figures.
    package init(_ verified: VerifiedRun) {
        run = verified.run.description
        suite = verified.suite
        manifestSHA256 = verified.manifestDigest.hexadecimal
        let charter = verified.charter
        charterSHA256 = charter.digest.hexadecimal
        banksMin = charter.banksMin
        rosterMin = charter.rosterMin
        threshold = charter.threshold
        collusionBound = charter.collusionBound
        contributorsFloor = charter.contributorsFloor
        rowsFloor = charter.rowsFloor
        var rosters: [Group] = []
        for group in verified.groups {
            let names = group.roster.map(\.name)
            let last = rosters.last?.roster == names ? rosters.removeLast() : nil
            rosters.append(
                Group(
                    roster: names, groups: (last?.groups ?? 0) + 1,
                    sums: (last?.sums ?? 0) + group.slots,
                    truncated: (last?.truncated ?? 0) + (group.isTruncated ? 1 : 0)))
        }
        self.rosters = rosters
        lastRoster = rosters.last?.roster ?? []
        sums = verified.groups.reduce(0) { $0 + $1.slots }
        modelSHA256 = verified.modelDigest.hexadecimal
        chainHead = verified.transcriptHead.hexadecimal
    }

    /// Everything, for a person.
    package var text: String {
        var lines = [
            "run          \(run)", "suite        \(suite)", "manifest     \(manifestSHA256)",
            "charter      \(charterSHA256)",
            "floors       a sum has at least \(banksMin) banks, a roster at least \(rosterMin); "
                + "\(threshold) shares recover a gate; \(collusionBound) banks may collude",
        ]
        for group in rosters {
            lines.append(
                "roster       \(group.roster.joined(separator: ", ")): \(group.groups) groups, "
                    + "\(group.sums) sums, \(group.truncated) cut short")
        }
        lines.append("model        \(modelSHA256)")
        lines.append("chain head   \(chainHead)")
        return lines.joined(separator: "\n")
    }
}
