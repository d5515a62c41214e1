/// An exhaustive breadth-first search over the states that a system can reach.
///
/// States are told apart by equality, so a caller reduces symmetry by making equal what is the same
/// up to renaming. The search ends when no new state is left, or at the first forbidden one.
package struct StateSearch<State: Hashable, Event> {
    /// How many different states were reached.
    package private(set) var stateCount = 0
    /// How many steps were taken, those into known states included.
    package private(set) var stepCount = 0
    /// The shortest sequence of events into a forbidden state, or `nil` when there is none.
    package private(set) var violation: [Event]?

    /// Searches.
    ///
    /// - Parameters:
    ///   - start: the first state.
    ///   - steps: every event that can happen in a state, with the state after it.
    ///   - isForbidden: whether a state must not be reachable; called once for each state.
    package init(
        from start: State, steps: (State) -> [(event: Event, state: State)],
        isForbidden: (State) -> Bool
    ) {
        var places = [start: 0]
        var reached: [(state: State, parent: Int, event: Event?)] = [(start, -1, nil)]
        var next = 0
        while next < reached.count {
            let state = reached[next].state
            guard !isForbidden(state) else {
                var trace: [Event] = []
                var place = next
                while let event = reached[place].event {
                    trace.append(event)
                    place = reached[place].parent
                }
                violation = trace.reversed()
                break
            }
            for step in steps(state) {
                stepCount += 1
                guard places[step.state] == nil else { continue }
                places[step.state] = reached.count
                reached.append((step.state, next, step.event))
            }
            next += 1
        }
        stateCount = reached.count
    }
}
