public import FedCore

/// What an operator may ask of the banks' vote on models.
public enum ConsensusOrder: Equatable, Sendable {
    /// Puts a run's model to the vote; `nil` for the newest with a model.
    ///
    /// It may be activated for so many seconds; `nil` for the coordinator's default.
    case propose(run: RunID?, validSeconds: Int64?)
    /// How the newest vote stands.
    case status
    /// Publishes the newest vote's model now, if it has a quorum.
    case publish
}
