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
        var queue = [Open(index: 0, rows: sampled, depth: 0)]
        while !queue.isEmpty {
            let open = queue.removeFirst()
            let g = open.rows.reduce(0) { $0 + pairs[$1].gradient }
            let h = open.rows.reduce(0) { $0 + pairs[$1].hessian }
            nodes[open.index].cover = Double(h) * GradientScale.gradientUnit
            if open.depth < Int(configuration[.depthMax]),
                let split = bestSplit(open.rows, pairs, features, g, h)
            {
                let (left, right) = divide(open.rows, split)
                if isAllowed(left), isAllowed(right) {
                    nodes[open.index].feature = split.feature
                    nodes[open.index].bin = split.bin
                    nodes[open.index].missingLeft = split.missingLeft
                    nodes[open.index].gain = split.gain
                    nodes[open.index].left = nodes.count
                    queue.append(Open(index: nodes.count, rows: left, depth: open.depth + 1))
                    queue.append(Open(index: nodes.count + 1, rows: right, depth: open.depth + 1))
                    nodes += [RegressionTree.Node(), RegressionTree.Node()]
                    continue
                }
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

    private func isAllowed(_ rows: [Int]) -> Bool {
        rows.count >= Int(configuration[.childRowsMin])
            && Set(rows.map { banks[$0] }).count >= Int(configuration[.contributorsMin])
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
        _ rows: [Int], _ pairs: [(gradient: Int64, hessian: Int64)], _ features: [Int], _ g: Int64,
        _ h: Int64
    ) -> SplitCandidate? {
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
                    guard score > best?.gain ?? -1 else { continue }
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
