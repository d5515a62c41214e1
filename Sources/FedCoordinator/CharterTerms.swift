internal import FedCore
package import FedRuntime
internal import Foundation

/// What the operator has set of the consortium's charter; what is not set has the default that
/// ``Charter`` derives from the number of banks.
package struct CharterTerms: Equatable, Sendable, Codable {
    /// Banks in groups that enter and leave rosters together, by name.
    package var blocs: [[String]]?
    /// The fewest banks of a sum.
    package var banksMin: Int?
    /// Banks that may collude with the coordinator.
    package var collusionBound: Int?
    /// Banks that may fail between their upload and their release.
    package var failureTolerance: Int?
    /// The least that a run's own floor of contributing banks may be.
    package var contributorsFloor: Int?
    /// The least that a run's own floor of rows behind a split may be.
    package var rowsFloor: Int?
    /// Seconds that a run waits for a missing bank.
    package var holdSeconds: Int?
    /// Banks that must vote for a model.
    package var votesMin: Int?

    private static let file = "charter.json"

    package init() {}

    /// Reads what was set in a state folder; nothing for a folder where nothing was.
    package init(in folder: StateDirectory) throws {
        guard folder.contains(Self.file) else { return }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            self = try decoder.decode(Self.self, from: Data(try folder.read(Self.file)))
        } catch is DecodingError {
            throw StoreError.corrupt(path: folder.path(of: Self.file))
        }
    }

    /// Keeps the terms for all runs that are started from now on, whole or not at all.
    package func write(to folder: StateDirectory) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        try AtomicFile.write(Array(try encoder.encode(self)), to: folder.path(of: Self.file))
    }

    /// These terms with those of `others` in place of them where `others` sets any.
    package func overridden(by others: CharterTerms) -> CharterTerms {
        var terms = self
        terms.blocs = others.blocs ?? blocs
        terms.banksMin = others.banksMin ?? banksMin
        terms.collusionBound = others.collusionBound ?? collusionBound
        terms.failureTolerance = others.failureTolerance ?? failureTolerance
        terms.contributorsFloor = others.contributorsFloor ?? contributorsFloor
        terms.rowsFloor = others.rowsFloor ?? rowsFloor
        terms.holdSeconds = others.holdSeconds ?? holdSeconds
        terms.votesMin = others.votesMin ?? votesMin
        return terms
    }

    /// The charter of these banks.
    ///
    /// Where a run is of some of the members only, blocs keep those of theirs that take part.
    func charter(of roster: Roster) throws(CharterFailure) -> Charter {
        let members = Set(roster.banks)
        let named = blocs.map { blocs in
            blocs.map { $0.compactMap { NodeID($0) }.filter(members.contains) }
                .filter { !$0.isEmpty }
        }
        return try Charter(
            roster: roster, blocs: named, banksMin: banksMin, collusionBound: collusionBound,
            failureTolerance: failureTolerance, contributorsFloor: contributorsFloor ?? 1,
            rowsFloor: rowsFloor ?? 1,
            holdSeconds: holdSeconds ?? CoordinatorService.holdSecondsDefault,
            votesMin: votesMin)
    }
}
