import FedCore
import FedCrypto
import Testing

@Suite struct MerkleTreeTests {
    @Test func everyLeafAndNoOtherHasAPath() {
        for count in 1...17 {
            let leaves = (0..<count).map { [UInt8($0), 7] }
            let tree = MerkleTree(leaves: leaves)
            for (index, leaf) in leaves.enumerated() {
                let path = tree.path(to: index)
                func holds(_ leaf: [UInt8], _ index: Int, _ path: [[UInt8]]) -> Bool {
                    MerkleTree.holds(
                        leaf: leaf, at: index, of: count, path: path, root: tree.root)
                }
                #expect(holds(leaf, index, path), "\(index) of \(count)")
                #expect(!holds([9], index, path), "\(index) of \(count)")
                #expect(!holds(leaf, index, path + [SHA256.hash([])]), "\(index) of \(count)")
                #expect(!holds(leaf, (index + 1) % count, path) || count == 1)
                #expect(!holds(leaf, count, path))
                if !path.isEmpty { #expect(!holds(leaf, index, Array(path.dropLast()))) }
            }
        }
    }

    @Test func innerNodesAreNoLeaves() {
        let tree = MerkleTree(leaves: [[1], [2]])
        let inner = SHA256.hash([0, 1]) + SHA256.hash([0, 2])
        #expect(MerkleTree(leaves: [inner]).root != tree.root)
    }
}
