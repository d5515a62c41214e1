/// What a group keeps: its keys, its windows and what is summed up in each.
///
/// All windows of one list of key columns and one filter share one queue of events a key.
struct WindowPlan {
    /// A sum of one kept value over one window.
    struct Sum: Hashable {
        let window: Int
        let value: Int
    }

    /// An extreme of one kept value over one window; least values with their sign turned.
    struct Extreme: Hashable {
        let window: Int
        let value: Int
        let isLeast: Bool
    }

    /// The different values of one kept value in one window.
    struct Distinct: Hashable {
        let window: Int
        let value: Int
    }

    /// Where a value of a row is found.
    enum Source: Hashable {
        case number(Int)
        case entity(Int)
    }

    /// The key's columns.
    var keys: [Source] = []
    /// The step of the program that says which rows count; `nil` for all.
    var filter: Int?
    /// The windows, every one once.
    var windows: [TimeWindow] = []
    /// The values that events keep.
    var values: [Source] = []
    var sums: [Sum] = []
    var extremes: [Extreme] = []
    var distincts: [Distinct] = []
    /// Whether labels are kept.
    var hasLabels = false

    /// The farthest end: older events are of no use.
    var far: Int64 { windows.map(\.far).max() ?? 0 }

    /// Whether more than counts is kept of a window.
    func hasFigures(in window: Int) -> Bool {
        sums.contains { $0.window == window } || extremes.contains { $0.window == window }
            || distincts.contains { $0.window == window }
    }

    /// The window whose first event is the oldest that is of use.
    var farthest: Int { windows.indices.max { windows[$0].far < windows[$1].far } ?? 0 }
}

/// A list of key columns and what shares it, with the accumulators that a figure reads.
struct WindowReading {
    /// Which figure of the accumulators.
    enum Kind: UInt8 {
        case count
        case sum
        case mean
        case extreme
        case distinct
        case timeSinceLast
        case frauds
        case fraudShare
    }

    let group: Int
    let window: Int
    let kind: Kind
    /// The index among sums, extremes or distincts.
    let index: Int
    let empty: Double
}

extension Array where Element: Equatable {
    /// The index of an element, which is appended if it is not there.
    mutating func indexAdding(_ element: Element) -> Int {
        if let index = firstIndex(of: element) { return index }
        append(element)
        return count - 1
    }
}
