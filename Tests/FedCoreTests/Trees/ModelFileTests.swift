import FedCore
import FedCrypto
import Testing

@Suite struct ModelFileTests {
    private static func trained() throws -> GradientBoostingModel {
        let table = try TreeTable(rows: 800, seed: 31)
        return try GradientBoostingTrainer.train(
            datasets: [table.pooled], schema: table.schema,
            configuration: quickConfiguration([.treesMax: 3, .depthMax: 3, .gridCells: 64]),
            manifestHash: [UInt8](repeating: 9, count: 32))
    }

    private func isRefused(_ bytes: [UInt8]) -> Bool {
        do {
            _ = try GradientBoostingModel(document: ModelDocument(bytes: bytes))
            return false
        } catch {
            guard case .invalidModel = error else { return false }
            return true
        }
    }

    @Test func `a model reads back as itself`() throws {
        let model = try Self.trained()
        let read = try GradientBoostingModel(document: model.document)
        #expect(read == model)
        #expect(read.document == model.document)
        #expect(read.manifestHash == [UInt8](repeating: 9, count: 32))
    }

    @Test func `every truncation is refused`() throws {
        let bytes = try Self.trained().document.bytes
        for length in stride(from: 0, to: bytes.count, by: 97) {
            #expect(isRefused(Array(bytes.prefix(length))), "length \(length)")
        }
        for length in max(0, bytes.count - 100)..<bytes.count {
            #expect(isRefused(Array(bytes.prefix(length))), "length \(length)")
        }
    }

    @Test func `every flipped byte is refused`() throws {
        let bytes = try Self.trained().document.bytes
        var random = SeededRandom(seed: 32)
        for _ in 0..<400 {
            var damaged = bytes
            let place = Int(random.unit() * Double(bytes.count))
            damaged[place] ^= UInt8(truncatingIfNeeded: random.next() % 255 + 1)
            #expect(isRefused(damaged), "byte \(place) became \(damaged[place])")
        }
    }

    /// Replaces text and repairs the content hash, so that only the checks behind it can refuse.
    private func forged(_ bytes: [UInt8], _ from: String, _ to: String) throws -> [UInt8] {
        var text = String(decoding: bytes, as: UTF8.self)
        let start = try #require(text.firstRange(of: "\"contentHash\":\""))
        let end = text.index(start.upperBound, offsetBy: 66)
        text.removeSubrange(start.lowerBound..<end)
        let changed = try #require(text.firstRange(of: from))
        text.replaceSubrange(changed, with: to)
        let digest = SHA256.hash(Array(text.utf8)).hexadecimal
        text.insert(contentsOf: "\"contentHash\":\"\(digest)\",", at: start.lowerBound)
        return Array(text.utf8)
    }

    @Test(arguments: [
        ("\"format\":\"fed-gbdt-model/1\"", "\"format\":\"fed-gbdt-model/2\""),
        ("\"manifestHash\":\"09", "\"manifestHash\":\"9"),
        ("\"treesMax\":3", "\"treesMax\":2"),
        ("\"treesMax\":3", "\"treesMax\":3.5"),
        ("\"depthMax\":3", "\"depthMax\":1"),
        ("\"left\":[1,", "\"left\":[0,"),
        ("\"left\":[1,", "\"left\":[99999,"),
        ("\"missingBin\":0", "\"missingBin\":999"),
        ("\"missingBin\":0", "\"missingBin\":0,\"extra\":1"),
        ("\"name\":\"amount\"", "\"name\":\"ties\""),
        ("\"name\":\"amount\"", "\"name\": \"amount\""),
        ("\"seed\":0", "\"seed\":-1"),
        ("\"feature\":[", "\"feature\":[17,"),
        ("\"weight\":[0,", "\"weight\":[0.3,"),
        ("\"missingLeft\":[", "\"missingLeft\":[null,"),
        ("\"trees\":[", "\"trees\":[[[[["),
    ])
    func `a file that is well hashed but wrong is refused`(change: (String, String)) throws {
        let bytes = try Self.trained().document.bytes
        #expect(try isRefused(forged(bytes, change.0, change.1)))
        let same = try forged(bytes, change.0, change.0)
        #expect(same == bytes, "the forger must be able to write a good file")
    }

    @Test func `the fast reader takes every written model, and as the general one does`() throws {
        for (seed, depth) in [(31, 3), (32, 8), (33, 1), (34, 5)] as [(UInt64, Double)] {
            let table = try TreeTable(rows: 900, seed: seed)
            let model = try GradientBoostingTrainer.train(
                datasets: [table.pooled], schema: table.schema,
                configuration: quickConfiguration([
                    .treesMax: 5, .depthMax: depth, .gridCells: 64, .learningRate: 0.037,
                ]))
            #expect(model.bins.contains { $0.isCategorical })
            #expect(try GradientBoostingModel(canonical: model.document) == model)
            #expect(try GradientBoostingModel(looselyReading: model.document) == model)
            guard case .boosting(let read) = try TrainedModel(bytes: model.document.bytes) else {
                Issue.record("no trees")
                continue
            }
            #expect(read == model)
        }
    }

    /// Well hashed files with one byte changed, removed, doubled or put elsewhere: what the fast
    /// reader takes, the general one must take as the same.
    @Test func `the fast reader takes nothing that the general one would not take`() throws {
        let whole = try Self.trained().document.bytes
        let text = String(decoding: whole, as: UTF8.self)
        let hash = try #require(text.firstRange(of: ",\"contentHash\":\""))
        let start = text.utf8.distance(from: text.startIndex, to: hash.lowerBound)
        let member = Array(whole[start..<start + 81])
        let content = Array(whole[..<start] + whole[(start + 81)...])
        #expect(member.last == UInt8(ascii: "\"") && content.count > 1000)
        func file(_ content: [UInt8]) -> ModelDocument {
            let digest = Array(",\"contentHash\":\"\(SHA256.hash(content).hexadecimal)\"".utf8)
            return ModelDocument(
                bytes: Array(content[..<start]) + digest + Array(content[start...]))
        }
        let isForger = file(content).bytes == whole
        try #require(isForger, "the forger must be able to write a good file")
        var random = SeededRandom(seed: 35)
        var taken = 0
        for turn in 0..<3000 {
            var damaged = content
            // Behind the hash's place, so that it stays where it is.
            let place = start + Int(random.unit() * Double(content.count - start))
            switch turn % 5 {
            case 0: damaged[place] = UInt8(truncatingIfNeeded: random.next())
            case 1: damaged.remove(at: place)
            case 2: damaged.insert(damaged[place], at: place)
            case 3:
                let other = start + Int(random.unit() * Double(content.count - start))
                damaged.swapAt(place, other)
            default:
                // One digit for another, which can give a valid file.
                guard let digit = damaged[place...].firstIndex(where: { (48...57).contains($0) })
                else { continue }
                damaged[digit] = 48 + UInt8(random.next() % 10)
            }
            let document = file(damaged)
            guard let fast = try? GradientBoostingModel(canonical: document) else { continue }
            taken += 1
            let general = try? GradientBoostingModel(looselyReading: document)
            #expect(general == fast, "turn \(turn) place \(place)")
        }
        #expect(taken > 20)
    }

    @Test func `scores follow the nodes of the file`() throws {
        let model = try GradientBoostingModel(document: Self.trained().document)
        let table = try TreeTable(rows: 300, seed: 33)
        let scorer = TreeScorer(model)
        let odd: [Double] = [.nan, .infinity, -.infinity, -7, 1e300, 0.5, .nan, 3]
        let rows =
            (0..<300).map { row in table.pooled.columns.map { $0[row] } } + [odd, odd.reversed()]
        let columns = (0..<table.width).map { feature in rows.map { $0[feature] } }
        let batch = try scorer.margins(of: columns, threads: 2)
        for (index, row) in rows.enumerated() {
            var margin = Double(model.baseMargin)
            for tree in model.trees {
                var node = tree.nodes[0]
                while let feature = node.feature {
                    let bins = model.bins[feature]
                    let code = bins.bin(of: row[feature])
                    let left: Bool
                    if bins.isCategorical {
                        left = code == node.bin
                    } else if code == 0 {
                        left = node.missingLeft
                    } else if row[feature].isNaN {
                        left = code <= node.bin
                    } else {
                        left = model.threshold(of: node).map { row[feature] < $0 } ?? false
                    }
                    node = tree.nodes[node.left + (left ? 0 : 1)]
                }
                margin += Double(node.weight)
            }
            #expect(batch[index] == margin * GradientScale.marginUnit, "row \(index)")
            #expect(scorer.margin(of: row) == batch[index], "row \(index)")
        }
        #expect(throws: LearningError.self) { try scorer.margins(of: [[1]]) }
    }
}
