internal import FedCrypto
internal import FoundationEssentials

extension GradientBoostingModel {
    /// The model file: canonical JSON.
    ///
    /// Its member `contentHash` is the SHA-256 of the document without that member, so a damaged
    /// file is noticed by whoever reads it.
    public var document: ModelDocument {
        // Members stand in the order of their names, and the hash is the third of them.
        var (head, tail): ([UInt8], [UInt8]) = ([], [])
        head += "{\"baseMargin\":".utf8
        CanonicalJSON.append(Double(baseMargin) * GradientScale.marginUnit, to: &head)
        head += ",\"configuration\":".utf8
        head += configuration.json.bytes
        let writer = ModelFileWriter(self)
        writer.write(to: &tail)
        var digest = SHA256()
        digest.update(head)
        digest.update(tail)
        head += ",\"contentHash\":\"\(digest.finalize().hexadecimal)\"".utf8
        return ModelDocument(bytes: head + tail)
    }

    /// Reads a model file and checks it entirely: format, hash, canonical form, and that every tree
    /// is a tree over the file's own bins.
    ///
    /// - Throws: ``LearningError/invalidModel(reason:)``.
    public init(document: ModelDocument) throws(LearningError) {
        if let model = try Self(canonical: document) {
            self = model
        } else {
            try self.init(looselyReading: document)
        }
    }

    /// Reads a model file, fast, that is spelt as ``document`` spells it.
    ///
    /// - Returns: `nil` for other bytes, which ``init(looselyReading:)`` says more about.
    /// - Throws: ``LearningError/invalidModel(reason:)`` for members that make no model.
    package init?(canonical document: ModelDocument) throws(LearningError) {
        guard let file = ModelFileScanner.scan(document.bytes) else { return nil }
        try self.init(file: file)
    }

    /// The same by a general JSON decoder, many times slower: it takes any spelling, and compares
    /// the bytes with those that the model would be written as.
    package init(looselyReading document: ModelDocument) throws(LearningError) {
        let file: ModelFile
        do {
            file = try JSONDecoder().decode(ModelFile.self, from: Data(document.bytes))
        } catch {
            throw .invalidModel(reason: "the file is no JSON document of the model's form")
        }
        guard file.format == Self.format else {
            throw .invalidModel(reason: "the format is not \(Self.format)")
        }
        try self.init(file: file)
        guard self.document.bytes == document.bytes else {
            throw .invalidModel(reason: "the content hash or the canonical form is broken")
        }
    }

    private init(file: ModelFile) throws(LearningError) {
        guard let standardHash = [UInt8](hexadecimal: file.standardHash), standardHash.count == 32
        else { throw .invalidModel(reason: "standardHash is no SHA-256") }
        let manifestHash = file.manifestHash.flatMap { [UInt8](hexadecimal: $0) }
        guard file.manifestHash == nil || manifestHash?.count == 32 else {
            throw .invalidModel(reason: "manifestHash is no SHA-256")
        }
        let configuration: GradientBoostingConfiguration
        do {
            configuration = try GradientBoostingConfiguration(members: file.configuration)
        } catch {
            throw .invalidModel(reason: "the hyper-parameters are out of bounds or incomplete")
        }
        let bins = file.features.compactMap(\.bins)
        let names = file.features.map(\.name)
        guard bins.count == names.count, (1...4096).contains(names.count),
            Set(names).count == names.count
        else { throw .invalidModel(reason: "a feature's name or bins are not valid") }
        guard file.trees.count <= configuration.treesMax else {
            throw .invalidModel(reason: "\(file.trees.count) trees, more than treesMax")
        }
        guard let base = Self.units(file.baseMargin),
            base.magnitude <= GradientScale.baseMarginMax
        else { throw .invalidModel(reason: "the base margin is out of range") }
        let limit = GradientScale.weightMax(treesMax: configuration.treesMax)
        let trees = file.trees.compactMap { $0.tree(units: Self.units) }
        guard trees.count == file.trees.count,
            trees.allSatisfy({
                $0.isValid(bins: bins, depthMax: configuration.depthMax, weightMax: limit)
            })
        else { throw .invalidModel(reason: "a tree is not valid") }
        self.init(
            featureNames: names, standardHash: standardHash, manifestHash: manifestHash,
            configuration: configuration, bins: bins, baseMargin: base, trees: trees)
    }

    /// Log-odds as whole units of 2^-20, or nil when they are not.
    private static func units(_ value: Double) -> Int32? {
        Int32(exactly: value / GradientScale.marginUnit)
    }
}

/// The members of a model file, as they are read.
struct ModelFile: Decodable {
    struct Feature: Decodable {
        var name: String
        var missingBin: UInt8
        var edges: [Double]?
        var levelBins: [UInt8]?

        var bins: FeatureBins? {
            switch (edges, levelBins) {
            case (let edges?, nil): FeatureBins(mapping: .edges(edges), missingBin: missingBin)
            case (nil, let levels?): FeatureBins(mapping: .levels(levels), missingBin: missingBin)
            default: nil
            }
        }
    }

    struct Tree: Decodable {
        var feature: [Int] = []
        var bin: [UInt8] = []
        var missingLeft: [Bool] = []
        var left: [Int] = []
        var gain: [Double] = []
        var cover: [Double] = []
        var weight: [Double] = []

        func tree(units: (Double) -> Int32?) -> RegressionTree? {
            let count = feature.count
            guard bin.count == count, missingLeft.count == count, left.count == count,
                gain.count == count, cover.count == count, weight.count == count
            else { return nil }
            var nodes: [RegressionTree.Node] = []
            nodes.reserveCapacity(count)
            for index in 0..<count {
                guard let weight = units(weight[index]), feature[index] >= -1 else { return nil }
                var node = RegressionTree.Node()
                node.feature = feature[index] == -1 ? nil : feature[index]
                node.bin = bin[index]
                node.missingLeft = missingLeft[index]
                node.left = left[index]
                node.gain = gain[index]
                node.cover = cover[index]
                node.weight = weight
                nodes.append(node)
            }
            return RegressionTree(nodes: nodes)
        }
    }

    var format: String
    var standardHash: String
    var manifestHash: String?
    var configuration: [String: Double]
    var baseMargin: Double
    var features: [Feature]
    var trees: [Tree]
}
