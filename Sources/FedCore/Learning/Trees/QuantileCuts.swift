/// Bins of one feature together with the rows that fell into each, all banks together.
struct CountedBins: Equatable {
    var bins: FeatureBins
    /// Rows of each bin, bin 0 being the missing ones.
    var rows: [Int64]
}

/// A stretch of a grid with its number of rows.
struct CountedCell {
    let from: Double
    let to: Double
    let rows: Int64
}

/// Chooses bins from summed counts.
enum QuantileCuts {
    /// Cells worth a closer look: those with more than 1/1024 of a feature's rows, divided so that
    /// a part would hold 1/2048 of them if they were spread evenly.
    static func heavyCells(feature: Int, grid: BinGrid, counts: ArraySlice<Int64>) -> [HeavyCell] {
        guard grid.isDivisible else { return [] }
        let total = counts.reduce(0, +)
        return counts.enumerated().compactMap { cell, rows in
            guard rows > total / 1024, rows > 1 else { return nil }
            let parts = Int((rows * 2048 + total - 1) / total)
            return HeavyCell(feature: feature, cell: cell, parts: max(2, parts))
        }
    }

    /// Bins of a feature with an order: every occupied cell alone when there are few, else runs of
    /// cells of about equal numbers of rows, cells heavier than a bin's share staying alone.
    ///
    /// An edge lies in the middle of the empty cells between two bins.
    static func ordered(
        cells: [CountedCell], missing: Int64, grid: BinGrid, binsMax: Int
    ) -> CountedBins {
        let occupied = cells.filter { $0.rows > 0 }
        var edges: [Double] = []
        var rows: [Int64] = [missing]
        var current: Int64 = 0
        let closing = lastCells(occupied.map(\.rows), binsMax: binsMax - 1)
        for (index, cell) in occupied.enumerated() {
            current += cell.rows
            guard closing[index], index + 1 < occupied.count else { continue }
            let gap = (cell.to, occupied[index + 1].from)
            // Cell boundaries rather than arbitrary points: rounding up keeps them on the grid.
            let position = gap.0 == gap.1 ? gap.0 : max(gap.0, ((gap.0 + gap.1) / 2).rounded(.down))
            let edge = grid.value(at: position)
            if let last = edges.last, edge <= last { continue }
            edges.append(edge)
            rows.append(current)
            current = 0
        }
        rows.append(current)
        return CountedBins(bins: wrapped(.edges(edges)), rows: rows)
    }

    /// For each cell, whether a bin ends with it.
    private static func lastCells(_ counts: [Int64], binsMax: Int) -> [Bool] {
        guard counts.count > binsMax else {
            return [Bool](repeating: true, count: counts.count)
        }
        var restRows = counts.reduce(0, +)
        var restBins = Int64(binsMax)
        let share = restRows / restBins
        let isHeavy = counts.map { $0 > share }
        for (rows, heavy) in zip(counts, isHeavy) where heavy {
            restRows -= rows
            restBins -= 1
        }
        var target = restBins > 0 ? Double(restRows) / Double(restBins) : .infinity
        var closing = [Bool](repeating: false, count: counts.count)
        var current: Int64 = 0
        var bins = 0
        for index in 0..<(counts.count - 1) where bins < binsMax - 1 {
            current += counts[index]
            if !isHeavy[index] { restRows -= counts[index] }
            let nextIsHeavyAfterEnough = isHeavy[index + 1] && Double(current) >= target / 2
            guard isHeavy[index] || Double(current) >= target || nextIsHeavyAfterEnough else {
                continue
            }
            closing[index] = true
            bins += 1
            current = 0
            if !isHeavy[index] {
                restBins -= 1
                target = restBins > 0 ? Double(restRows) / Double(restBins) : .infinity
            }
        }
        return closing
    }

    /// Bins of a categorical feature: a bin a level; of too many levels the rarest share the last.
    static func categorical(counts: [Int64], missing: Int64, binsMax: Int) -> CountedBins {
        let room = binsMax - 1
        var levelBins = (0..<counts.count).map { UInt8(truncatingIfNeeded: $0 + 1) }
        if counts.count > room {
            let byRows = counts.indices.sorted {
                counts[$0] != counts[$1] ? counts[$0] > counts[$1] : $0 < $1
            }
            levelBins = [UInt8](repeating: UInt8(room), count: counts.count)
            for (bin, level) in byRows.prefix(room - 1).enumerated() {
                levelBins[level] = UInt8(bin + 1)
            }
        }
        return recount(levelBins, missingBin: 0, counts: counts, missing: missing)
    }

    /// Merges every bin to which fewer than `floor` banks contribute.
    ///
    /// A merged bin counts as many banks as its better part had, which it has at least. Missing
    /// values of too few banks join the feature's fullest bin.
    static func merged(
        _ counted: CountedBins, contributors: ArraySlice<Int64>, floor: Int64
    ) -> CountedBins {
        var result: CountedBins
        switch counted.bins.mapping {
        case .edges(let edges):
            result = mergedOrdered(
                edges, rows: counted.rows, contributors: Array(contributors), floor: floor)
        case .levels(let levels):
            result = mergedLevels(
                levels, rows: counted.rows, contributors: Array(contributors), floor: floor)
        }
        let missingBanks = contributors.first ?? 0
        guard missingBanks > 0, missingBanks < floor, result.rows.count > 1 else { return result }
        let fullest = (1..<result.rows.count).reduce(1) {
            result.rows[$1] > result.rows[$0] ? $1 : $0
        }
        result.bins = wrapped(result.bins.mapping, missingBin: UInt8(fullest))
        result.rows[fullest] += result.rows[0]
        result.rows[0] = 0
        return result
    }

    private static func mergedOrdered(
        _ edges: [Double], rows: [Int64], contributors: [Int64], floor: Int64
    ) -> CountedBins {
        var edges = edges
        var rows = rows
        var banks = contributors
        while rows.count > 2, let bin = (1..<rows.count).first(where: { banks[$0] < floor }) {
            let hasLeft = bin > 1
            let hasRight = bin + 1 < rows.count
            let joinsLeft = hasLeft && (!hasRight || rows[bin - 1] <= rows[bin + 1])
            let first = joinsLeft ? bin - 1 : bin
            edges.remove(at: first - 1)
            rows[first] += rows.remove(at: first + 1)
            banks[first] = max(banks[first], banks.remove(at: first + 1))
        }
        return CountedBins(bins: wrapped(.edges(edges)), rows: rows)
    }

    private static func mergedLevels(
        _ levels: [UInt8], rows: [Int64], contributors: [Int64], floor: Int64
    ) -> CountedBins {
        let rare = (1..<rows.count).filter { contributors[$0] < floor }
        guard rare.contains(where: { rows[$0] > 0 }) else {
            return CountedBins(bins: wrapped(.levels(levels)), rows: rows)
        }
        // A group of rare levels has at least the banks of its best part, which are too few: it
        // joins the fullest of the other bins.
        let fullest = (1..<rows.count).filter { contributors[$0] >= floor }
            .reduce(nil as Int?) { best, bin in
                best.map { rows[bin] > rows[$0] ? bin : $0 } ?? bin
            }
        var target = [Int](repeating: 0, count: rows.count)
        for bin in 1..<rows.count { target[bin] = rare.contains(bin) ? fullest ?? rare[0] : bin }
        let used = Set(target.dropFirst()).sorted()
        let number = Dictionary(uniqueKeysWithValues: used.enumerated().map { ($1, $0 + 1) })
        var newRows = [Int64](repeating: 0, count: used.count + 1)
        newRows[0] = rows[0]
        for bin in 1..<rows.count { newRows[number[target[bin]] ?? 1] += rows[bin] }
        let newLevels = levels.map { UInt8(number[target[Int($0)]] ?? 1) }
        return CountedBins(bins: wrapped(.levels(newLevels)), rows: newRows)
    }

    private static func recount(
        _ levels: [UInt8], missingBin: UInt8, counts: [Int64], missing: Int64
    ) -> CountedBins {
        var rows = [Int64](repeating: 0, count: Int(levels.max() ?? 0) + 1)
        rows[0] = missing
        for (level, bin) in levels.enumerated() { rows[Int(bin)] += counts[level] }
        return CountedBins(bins: wrapped(.levels(levels), missingBin: missingBin), rows: rows)
    }

    private static func wrapped(
        _ mapping: FeatureBins.Mapping, missingBin: UInt8 = 0
    ) -> FeatureBins {
        guard let bins = FeatureBins(mapping: mapping, missingBin: missingBin) else {
            preconditionFailure("cuts break the rules of bins")
        }
        return bins
    }
}
