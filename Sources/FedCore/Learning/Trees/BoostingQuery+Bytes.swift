extension BoostingQuery {
    /// The canonical bytes.
    var body: [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .counts: break
        case .refinement(let cells):
            writer.writeEach(cells) { writer, cell in
                writer.write(UInt16(cell.feature))
                writer.write(UInt32(cell.cell))
                writer.write(UInt32(cell.parts))
            }
        case .contributors(let bins): writer.write(bins)
        case .step(let query): writer.write(query)
        case .validation(let treesDone, let update):
            writer.write(UInt32(treesDone))
            writer.write(update)
        }
        return writer.bytes
    }

    /// Reads a query of a kind; what it says is not yet checked against the state of a training.
    ///
    /// - Throws: ``LearningError/unexpectedQuery(kind:reason:)``.
    init(kind: String, body: [UInt8]) throws(LearningError) {
        var reader = ByteReader(body)
        do {
            switch kind {
            case "bins.counts": self = .counts
            case "bins.refinement":
                self = .refinement(
                    try reader.readEach { reader throws(DecodingFailure) in
                        HeavyCell(
                            feature: Int(try reader.read(UInt16.self)),
                            cell: Int(try reader.read(UInt32.self)),
                            parts: Int(try reader.read(UInt32.self)))
                    })
            case "bins.contributors": self = .contributors(try reader.readBins())
            case "tree.step": self = .step(try reader.readStepQuery())
            case "tree.validation":
                self = .validation(
                    treesDone: Int(try reader.read(UInt32.self)), update: try reader.readUpdate())
            default: throw DecodingFailure.invalidValue(field: "kind", at: 0)
            }
            try reader.finish()
        } catch {
            throw .unexpectedQuery(kind: "\(kind)", reason: "unreadable body: \(error)")
        }
    }
}

extension ByteWriter {
    fileprivate mutating func write(_ bins: [FeatureBins]) {
        writeEach(bins) { writer, feature in
            writer.write(feature.missingBin)
            switch feature.mapping {
            case .edges(let edges):
                writer.write(UInt8(0))
                writer.writeEach(edges) { $0.write($1) }
            case .levels(let levels):
                writer.write(UInt8(1))
                writer.write(levels)
            }
        }
    }

    fileprivate mutating func write(_ update: TreeUpdate) {
        writeEach(Array(zip(update.tree.nodes, update.places))) { writer, entry in
            let (node, place) = entry
            writer.write(place)
            writer.write(node.feature.map { UInt16($0) } ?? UInt16.max)
            writer.write(node.bin)
            writer.write(UInt8(node.missingLeft ? 1 : 0))
            writer.write(UInt32(node.left))
            writer.write(UInt32(bitPattern: node.weight))
        }
    }

    fileprivate mutating func write(_ query: TreeStepQuery) {
        write(UInt32(query.tree))
        write(UInt8(query.step))
        if let start = query.start {
            write(UInt8(start.model == nil ? 0 : 1))
            if let model = start.model {
                write(model.bins)
                write(UInt32(bitPattern: model.baseMargin))
            }
            write(UInt8(start.update == nil ? 0 : 1))
            if let update = start.update { write(update) }
            writeEach(start.features) { $0.write(UInt16($1)) }
            write(UInt8(start.markBits))
        }
        writeEach(query.splits) { writer, split in
            writer.write(split.place)
            writer.write(UInt16(split.feature))
            writer.write(split.bin)
            writer.write(UInt8(split.missingLeft ? 1 : 0))
        }
    }
}

extension ByteReader {
    fileprivate mutating func readFlag() throws(DecodingFailure) -> Bool {
        let start = position
        switch try read(UInt8.self) {
        case 0: return false
        case 1: return true
        default: throw .invalidValue(field: "flag", at: start)
        }
    }

    fileprivate mutating func readBins() throws(DecodingFailure) -> [FeatureBins] {
        try readEach(limit: 4096) { reader throws(DecodingFailure) in
            let start = reader.position
            let missingBin = try reader.read(UInt8.self)
            let mapping: FeatureBins.Mapping
            if try reader.readFlag() {
                mapping = .levels(try reader.readBytes(limit: 65535))
            } else {
                mapping = .edges(
                    try reader.readEach(limit: 254) { edges throws(DecodingFailure) in
                        try edges.readDouble()
                    })
            }
            guard let bins = FeatureBins(mapping: mapping, missingBin: missingBin) else {
                throw DecodingFailure.invalidValue(field: "bins", at: start)
            }
            return bins
        }
    }

    fileprivate mutating func readUpdate() throws(DecodingFailure) -> TreeUpdate {
        var places: [UInt32] = []
        let nodes = try readEach(limit: 511) { reader throws(DecodingFailure) in
            places.append(try reader.read(UInt32.self))
            let feature = try reader.read(UInt16.self)
            var node = RegressionTree.Node()
            node.feature = feature == .max ? nil : Int(feature)
            node.bin = try reader.read(UInt8.self)
            node.missingLeft = try reader.readFlag()
            node.left = Int(try reader.read(UInt32.self))
            node.weight = Int32(bitPattern: try reader.read(UInt32.self))
            return node
        }
        return TreeUpdate(tree: RegressionTree(nodes: nodes), places: places)
    }

    fileprivate mutating func readStepQuery() throws(DecodingFailure) -> TreeStepQuery {
        let tree = Int(try read(UInt32.self))
        let step = Int(try read(UInt8.self))
        var start: TreeStart?
        if step == 0 {
            var model: (bins: [FeatureBins], baseMargin: Int32)?
            if try readFlag() {
                model = (try readBins(), Int32(bitPattern: try read(UInt32.self)))
            }
            let update = try readFlag() ? try readUpdate() : nil
            let features = try readEach(limit: 4096) { reader throws(DecodingFailure) in
                Int(try reader.read(UInt16.self))
            }
            start = TreeStart(
                model: model, update: update, features: features,
                markBits: Int(try read(UInt8.self)))
        }
        let splits = try readEach(limit: 128) { reader throws(DecodingFailure) in
            SplitOrder(
                place: try reader.read(UInt32.self), feature: Int(try reader.read(UInt16.self)),
                bin: try reader.read(UInt8.self), missingLeft: try reader.readFlag())
        }
        return TreeStepQuery(tree: tree, step: step, start: start, splits: splits)
    }
}
