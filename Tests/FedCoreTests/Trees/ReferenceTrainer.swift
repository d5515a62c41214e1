import FedCore

/// The tree trainer once more, in plain code: every node scans every row, every sum is a loop.
struct ReferenceTrainer {
    let configuration: GradientBoostingConfiguration
    let bins: [FeatureBins]
    /// `codes[f][i]` is the bin of feature f of row i.
    let codes: [[Int]]
    let labels: [UInt8]
    /// The bank of each row.
    let banks: [Int]
    var margins: [Int32]

    init(
        dataset: Dataset, banks: [Int], bins: [FeatureBins],
        configuration: GradientBoostingConfiguration, baseMargin: Int32
    ) {
        self.configuration = configuration
        self.bins = bins
        self.banks = banks
        codes = zip(dataset.columns, bins).map { column, bins in
            column.map { Int(bins.bin(of: $0)) }
        }
        labels = dataset.labels
        margins = [Int32](repeating: baseMargin, count: dataset.rowCount)
    }

    private struct Open {
        var index: Int
        var rows: [Int]
        var depth: Int
        /// Of each feature, the first and the last bin of values that can still have rows.
        var window: [ClosedRange<Int>]
    }

    /// Grows one tree and moves the margins by it.
    mutating func grow(tree number: Int, usable: [Int]) -> RegressionTree {
        let seed = UInt64(configuration[.seed])
        let features = BoostingSample.features(
            usable, share: configuration[.columnSample], seed: seed, tree: number)
        let key = BoostingSample.rowKey(seed: seed, tree: number)
        let threshold = BoostingSample.rowThreshold(share: configuration[.rowSample])
        let sampled = labels.indices.filter { row in
            var z = (hash(row) ^ key) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 32)) &* 0x94D0_49BB_1331_11EB
            return z <= threshold
        }
        let pairs = labels.indices.map {
            GradientScale.gradient(
                margin: margins[$0], label: labels[$0], fraudWeight: configuration[.fraudWeight])
        }
        var nodes = [RegressionTree.Node()]
        let window = bins.map { 1...max(1, $0.count - 1) }
        var queue = [Open(index: 0, rows: sampled, depth: 0, window: window)]
        while !queue.isEmpty {
            let open = queue.removeFirst()
            let g = open.rows.reduce(0) { $0 + pairs[$1].gradient }
            let h = open.rows.reduce(0) { $0 + pairs[$1].hessian }
            nodes[open.index].cover = Double(h) * GradientScale.gradientUnit
            if open.depth < Int(configuration[.depthMax]),
                let split = bestSplit(open, pairs, features, g, h)
            {
                let (left, right) = divide(open.rows, split)
                nodes[open.index].feature = split.feature
                nodes[open.index].bin = split.bin
                nodes[open.index].missingLeft = split.missingLeft
                nodes[open.index].gain = split.gain
                nodes[open.index].left = nodes.count
                var (low, high) = (open, open)
                (low.index, low.rows, low.depth) = (nodes.count, left, open.depth + 1)
                (high.index, high.rows, high.depth) = (nodes.count + 1, right, open.depth + 1)
                let cut = Int(split.bin)
                let window = open.window[split.feature]
                if !bins[split.feature].isCategorical, window.contains(cut),
                    cut < window.upperBound
                {
                    low.window[split.feature] = window.lowerBound...cut
                    high.window[split.feature] = cut + 1...window.upperBound
                }
                queue += [low, high]
                nodes += [RegressionTree.Node(), RegressionTree.Node()]
                continue
            }
            nodes[open.index].weight = GradientScale.leafWeight(
                gradient: g, hessian: h, lambda: configuration[.leafRegularisation],
                learningRate: configuration[.learningRate],
                limit: GradientScale.weightMax(treesMax: Int(configuration[.treesMax])))
        }
        for row in labels.indices {
            var at = 0
            while let feature = nodes[at].feature {
                at = nodes[at].left + (goesLeft(row, feature, nodes[at]) ? 0 : 1)
            }
            margins[row] += nodes[at].weight
        }
        return RegressionTree(nodes: nodes)
    }

    private func hash(_ row: Int) -> UInt64 {
        var h = UInt64(labels[row])
        for column in codes {
            h = (h ^ (h >> 29)) &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(column[row])
        }
        return BoostingSample.mix(h)
    }

    /// Whether both children have the floors' banks and rows, by what their parent's sums show.
    private func isProven(
        _ split: SplitCandidate, _ open: Open, _ pairs: [(gradient: Int64, hessian: Int64)]
    ) -> Bool {
        let (left, right) = divide(open.rows, split)
        let banksMin = Int(configuration[.contributorsMin])
        let rowsMin = Int64(configuration[.childRowsMin])
        let column = codes[split.feature]
        if rowsMin > Int64(banksMin) {
            for side in [left, right] {
                let bins = Dictionary(grouping: side) { column[$0] }
                let least = bins.values.map { rows in
                    GradientScale.rowsMin(
                        gradient: rows.reduce(0) { $0 + pairs[$1].gradient },
                        hessian: rows.reduce(0) { $0 + pairs[$1].hessian },
                        fraudWeight: configuration[.fraudWeight])
                }
                guard least.reduce(0, +) >= rowsMin else { return false }
            }
        }
        guard banksMin > 1 else { return true }
        func hasBanks(_ part: (Int) -> Bool) -> Bool {
            Set(open.rows.filter { part(column[$0]) }.map { banks[$0] }).count >= banksMin
        }
        let (bin, window) = (Int(split.bin), open.window[split.feature])
        if bins[split.feature].isCategorical {
            let others = (0..<bins[split.feature].count).filter { $0 != bin }
            return hasBanks { $0 == bin } && others.contains { other in hasBanks { $0 == other } }
        }
        let widths = ContributorMarks.widths
        let count = (widths.firstIndex { $0 >= window.count } ?? widths.count)
        let low = widths[..<count].map { window.lowerBound + $0 - 1 }.filter { $0 <= bin }
        let high = widths[..<count].map { window.upperBound - $0 + 1 }.filter { $0 > bin }
        let isLeft =
            split.missingLeft && hasBanks { $0 == 0 }
            || low.contains { end in hasBanks { (1...end).contains($0) } }
        let isRight =
            !split.missingLeft && hasBanks { $0 == 0 } || bin == 0 && hasBanks { $0 > 0 }
            || high.contains { start in hasBanks { $0 >= start } }
        return isLeft && isRight
    }

    private func goesLeft(_ row: Int, _ feature: Int, _ node: RegressionTree.Node) -> Bool {
        let code = codes[feature][row]
        if bins[feature].isCategorical { return code == Int(node.bin) }
        return code == 0 ? node.missingLeft : code <= Int(node.bin)
    }

    private func divide(_ rows: [Int], _ split: SplitCandidate) -> ([Int], [Int]) {
        var node = RegressionTree.Node()
        node.bin = split.bin
        node.missingLeft = split.missingLeft
        let left = rows.filter { goesLeft($0, split.feature, node) }
        let right = rows.filter { !goesLeft($0, split.feature, node) }
        return (left, right)
    }

    /// Tries every split of every feature; the first of the greatest gain wins.
    private func bestSplit(
        _ open: Open, _ pairs: [(gradient: Int64, hessian: Int64)], _ features: [Int], _ g: Int64,
        _ h: Int64
    ) -> SplitCandidate? {
        let rows = open.rows
        var best: SplitCandidate?
        for feature in features {
            let equality = bins[feature].isCategorical
            let lacking = rows.contains { codes[feature][$0] == 0 }
            let sides = equality || !lacking ? [false] : [false, true]
            for missingLeft in sides {
                for bin in 0..<bins[feature].count - (equality ? 0 : 1) {
                    if !equality, bin == 0, !missingLeft { continue }
                    let trial = SplitCandidate(
                        feature: feature, bin: UInt8(bin),
                        missingLeft: equality ? bin == 0 : missingLeft, gain: 0)
                    let left = divide(rows, trial).0
                    let gl = left.reduce(0) { $0 + pairs[$1].gradient }
                    let hl = left.reduce(0) { $0 + pairs[$1].hessian }
                    let least = configuration[.childHessianMin] / GradientScale.gradientUnit
                    guard Double(hl) >= least.rounded(.up), Double(h - hl) >= least.rounded(.up)
                    else { continue }
                    let score = Self.score(gl, hl, g, h, configuration[.leafRegularisation])
                    guard score > best?.gain ?? -1, isProven(trial, open, pairs) else { continue }
                    best = trial
                    best?.gain = score
                    if !equality, !lacking { best?.missingLeft = 2 * hl >= h }
                    if !equality, bins[feature].missingBin != 0 {
                        best?.missingLeft = Int(bins[feature].missingBin) <= bin
                    }
                }
            }
        }
        guard var found = best else { return nil }
        let unit = GradientScale.gradientUnit
        let (dg, dh) = (Double(g) * unit, Double(h) * unit)
        found.gain -= dg * dg / (dh + configuration[.leafRegularisation])
        return found.gain > max(configuration[.splitGainMin], 1e-6) ? found : nil
    }

    static func score(_ gl: Int64, _ hl: Int64, _ g: Int64, _ h: Int64, _ lambda: Double) -> Double
    {
        let unit = GradientScale.gradientUnit
        let left = Double(gl) * unit
        let right = Double(g) * unit - left
        let leftWeight = Double(hl) * unit + lambda
        let rightWeight = (Double(h) * unit - Double(hl) * unit) + lambda
        return (left * left * rightWeight + right * right * leftWeight) / (leftWeight * rightWeight)
    }
}
