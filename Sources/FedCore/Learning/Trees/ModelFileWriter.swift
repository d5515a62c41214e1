/// Writes a model file's members from `features` on, straight to bytes.
///
/// A tree of boxed values for a model of megabytes takes hundreds of times as long to make as the
/// bytes.
struct ModelFileWriter {
    private let model: GradientBoostingModel
    /// Each edge as it is written: thresholds repeat them.
    private let edges: [[[UInt8]]]

    init(_ model: GradientBoostingModel) {
        self.model = model
        edges = model.bins.map { bins in
            guard case .edges(let edges) = bins.mapping else { return [] }
            return edges.map { edge in
                var text: [UInt8] = []
                CanonicalJSON.append(edge, to: &text)
                return text
            }
        }
    }

    /// Appends `,"features":` and all that follows, the closing brace included.
    func write(to output: inout [UInt8]) {
        output.reserveCapacity(4096 + 100 * model.trees.reduce(0) { $0 + $1.nodes.count })
        output += ",\"features\":".utf8
        list(model.bins.indices, to: &output) { feature, output in
            self.feature(feature, to: &output)
        }
        output += ",\"format\":\"\(GradientBoostingModel.format)\",\"manifestHash\":".utf8
        if let hash = model.manifestHash {
            output += "\"\(hash.hexadecimal)\"".utf8
        } else {
            output += "null".utf8
        }
        output += ",\"standardHash\":\"\(model.standardHash.hexadecimal)\",\"trees\":".utf8
        list(model.trees, to: &output) { tree, output in self.tree(tree, to: &output) }
        output.append(0x7D)
    }

    private func list<Elements: Sequence>(
        _ elements: Elements, to output: inout [UInt8],
        _ write: (Elements.Element, inout [UInt8]) -> Void
    ) {
        output.append(0x5B)
        var isFirst = true
        for element in elements {
            if !isFirst { output.append(0x2C) }
            isFirst = false
            write(element, &output)
        }
        output.append(0x5D)
    }

    private func feature(_ feature: Int, to output: inout [UInt8]) {
        let bins = model.bins[feature]
        switch bins.mapping {
        case .edges:
            output += "{\"edges\":".utf8
            list(edges[feature], to: &output) { $1 += $0 }
        case .levels(let levels):
            output += "{\"levelBins\":".utf8
            list(levels, to: &output) { $1 += String($0).utf8 }
        }
        output += ",\"missingBin\":\(bins.missingBin),\"name\":".utf8
        output += CanonicalJSON.string(model.featureNames[feature]).bytes
        output.append(0x7D)
    }

    private func tree(_ tree: RegressionTree, to output: inout [UInt8]) {
        func column(
            _ name: StaticString, _ write: (RegressionTree.Node, inout [UInt8]) -> Void
        ) {
            name.withUTF8Buffer { output += $0 }
            list(tree.nodes, to: &output, write)
        }
        column("{\"bin\":") { $1 += String($0.bin).utf8 }
        column(",\"cover\":") { CanonicalJSON.append($0.cover, to: &$1) }
        column(",\"feature\":") { $1 += String($0.feature ?? -1).utf8 }
        column(",\"gain\":") { CanonicalJSON.append($0.gain, to: &$1) }
        column(",\"left\":") { $1 += String($0.left).utf8 }
        column(",\"missingLeft\":") { $1 += ($0.missingLeft ? "true" : "false").utf8 }
        column(",\"threshold\":") { node, output in
            if let feature = node.feature, node.bin > 0, !edges[feature].isEmpty {
                output += edges[feature][Int(node.bin) - 1]
            } else {
                output += "null".utf8
            }
        }
        column(",\"weight\":") {
            CanonicalJSON.append(Double($0.weight) * GradientScale.marginUnit, to: &$1)
        }
        output.append(0x7D)
    }
}
