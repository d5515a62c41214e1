package import FedCore

/// A listed case as a row to train on: the transaction that a reviewer was shown, and what was
/// found.
package struct VerdictRow: Equatable, Sendable {
    /// The transaction's identifier, which may be the number of a row of the bank's file.
    package let transaction: String
    /// What was found, with its weight.
    package let label: VerdictLabel
    /// Raw values in the standard's order, NaN where missing.
    package let features: [Double]

    /// Wraps the members.
    package init(transaction: String, label: VerdictLabel, features: [Double]) {
        self.transaction = transaction
        self.label = label
        self.features = features
    }
}

/// What verdicts made of the rows to train on.
package struct VerdictOverlay: Sendable {
    /// The rows with the verdicts in them.
    package let rows: Dataset
    /// Rows of the file whose label a verdict confirmed or changed.
    package let overlaid: Int
    /// Those of them whose label it changed.
    package let changed: Int
    /// Rows that stand for cases that are not in the file.
    package let appended: Int

    /// Lays verdicts over the rows to train on.
    ///
    /// A row of the file whose number is a case's transaction takes the verdict as its label: a
    /// reviewer's finding is newer than the file. A case that is in no row of the file is appended
    /// as often as it stands for unlabelled ones: 1 / the probability with which it was listed,
    /// rounded at random from a seed (``VerdictLabel/copies(seed:)``). So the explored slice, not
    /// the model's own favourites, speaks for what nobody reviewed.
    package init(_ verdicts: [VerdictRow], over rows: Dataset, seed: UInt64 = 0) {
        var places: [String: Int] = [:]
        for (place, number) in rows.rowNumbers.enumerated() { places[String(number)] = place }
        var labels = rows.labels
        var columns = rows.columns
        var numbers = rows.rowNumbers
        var counts = (overlaid: 0, changed: 0, appended: 0)
        let free = (rows.rowNumbers.max() ?? 0) + 1
        for verdict in verdicts where verdict.features.count == columns.count {
            if let place = places[verdict.transaction] {
                counts.overlaid += 1
                if labels[place] != verdict.label.label { counts.changed += 1 }
                labels[place] = verdict.label.label
                continue
            }
            for _ in 0..<verdict.label.copies(seed: seed) {
                for column in columns.indices { columns[column].append(verdict.features[column]) }
                labels.append(verdict.label.label)
                if !rows.rowNumbers.isEmpty { numbers.append(free + Int64(counts.appended)) }
                counts.appended += 1
            }
        }
        self.rows = Dataset(columns: columns, labels: labels, rowNumbers: numbers)
        (overlaid, changed, appended) = counts
    }
}

/// A day's verdicts on one entity, for the consortium's risk indicators of the next day.
package struct VerdictCount: Equatable, Sendable {
    /// Whom they are about.
    package let entity: String
    /// The day on which they were decided, counted from 1970-01-01, UTC.
    package let day: Int
    /// Cases confirmed as frauds.
    package internal(set) var confirmed = 0
    /// Cases cleared.
    package internal(set) var cleared = 0
}

extension VerdictLedger {
    /// What stands, by entity and day, in their order; unclear cases are in none.
    package func dailyCounts() -> [VerdictCount] {
        var counts: [String: [Int: VerdictCount]] = [:]
        for listed in cases.values {
            guard let standing = standing(of: listed.id), standing.outcome != .unclear else {
                continue
            }
            let day = Int(standing.decidedAt / 86_400)
            var count =
                counts[listed.entity]?[day] ?? VerdictCount(entity: listed.entity, day: day)
            if standing.outcome == .confirmedFraud {
                count.confirmed += 1
            } else {
                count.cleared += 1
            }
            counts[listed.entity, default: [:]][day] = count
        }
        return counts.values.flatMap(\.values).sorted {
            ($0.entity, $0.day) < ($1.entity, $1.day)
        }
    }
}
