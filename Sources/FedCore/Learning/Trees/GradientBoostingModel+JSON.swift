internal import FedCrypto
internal import FoundationEssentials

extension GradientBoostingModel {
    /// The model file: canonical JSON.
    ///
    /// Its member `contentHash` is the SHA-256 of the document without that member, so a damaged
    /// file is noticed by whoever reads it.
    public var document: ModelDocument {
        var members = content
        let digest = SHA256.hash(CanonicalJSON.object(members).bytes)
        members["contentHash"] = .string(digest.hexadecimal)
        return ModelDocument(bytes: CanonicalJSON.object(members).bytes)
    }

    private var content: [String: CanonicalJSON] {
        [
            "format": .string(Self.format),
            "standardHash": .string(standardHash.hexadecimal),
            "manifestHash": manifestHash.map { .string($0.hexadecimal) } ?? .null,
            "configuration": configuration.json,
            "baseMargin": .number(Double(baseMargin) * GradientScale.marginUnit),
            "features": .array(zip(featureNames, bins).map(Self.json)),
            "trees": .array(trees.map(json)),
        ]
    }

    private static func json(name: String, bins: FeatureBins) -> CanonicalJSON {
        var members: [String: CanonicalJSON] = [
            "name": .string(name), "missingBin": .integer(Int64(bins.missingBin)),
        ]
        switch bins.mapping {
        case .edges(let edges): members["edges"] = .array(edges.map { .number($0) })
        case .levels(let levels):
            members["levelBins"] = .array(levels.map { .integer(Int64($0)) })
        }
        return .object(members)
    }

    private func json(_ tree: RegressionTree) -> CanonicalJSON {
        func column(_ value: (RegressionTree.Node) -> CanonicalJSON) -> CanonicalJSON {
            .array(tree.nodes.map(value))
        }
        return .object([
            "feature": column { .integer(Int64($0.feature ?? -1)) },
            "bin": column { .integer(Int64($0.bin)) },
            "threshold": column { threshold(of: $0).map { .number($0) } ?? .null },
            "missingLeft": column { .bool($0.missingLeft) },
            "left": column { .integer(Int64($0.left)) },
            "gain": column { .number($0.gain) },
            "cover": column { .number($0.cover) },
            "weight": column { .number(Double($0.weight) * GradientScale.marginUnit) },
        ])
    }

    /// Reads a model file and checks it entirely: format, hash, canonical form, and that every tree
    /// is a tree over the file's own bins.
    ///
    /// - Throws: ``LearningError/invalidModel(reason:)``.
    public init(document: ModelDocument) throws(LearningError) {
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

/// The members of a model file.
private struct ModelFile: Decodable {
    struct Feature: Decodable {
        let name: String
        let missingBin: UInt8
        let edges: [Double]?
        let levelBins: [UInt8]?

        var bins: FeatureBins? {
            switch (edges, levelBins) {
            case (let edges?, nil): FeatureBins(mapping: .edges(edges), missingBin: missingBin)
            case (nil, let levels?): FeatureBins(mapping: .levels(levels), missingBin: missingBin)
            default: nil
            }
        }
    }

    struct Tree: Decodable {
        let feature: [Int]
        let bin: [UInt8]
        let missingLeft: [Bool]
        let left: [Int]
        let gain: [Double]
        let cover: [Double]
        let weight: [Double]

        func tree(units: (Double) -> Int32?) -> RegressionTree? {
            let count = feature.count
            guard bin.count == count, missingLeft.count == count, left.count == count,
                gain.count == count, cover.count == count, weight.count == count
            else { return nil }
            var nodes: [RegressionTree.Node] = []
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

    let format: String
    let standardHash: String
    let manifestHash: String?
    let configuration: [String: Double]
    let baseMargin: Double
    let features: [Feature]
    let trees: [Tree]
}
