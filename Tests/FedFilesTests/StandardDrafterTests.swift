import FedCore
import FedFiles
import Testing

struct StandardDrafterTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func banks() throws -> [String] {
        [
            try folder.write(
                "a.csv",
                "row,flag,count,amount,delta,share,gap,zero,fraud\n"
                    + "1,0,3,10.5,-4,0.5,1,0,0\n2,1,7,99.25,3,1,,0,1\n"),
            try folder.write(
                "b.csv",
                "fraud,zero,gap,share,delta,amount,count,flag,row\n0,0,2.5,0,1,700,0,1,1\n"),
        ]
    }

    @Test func typesRangesAndPoliciesFollowTheData() throws {
        let draft = try StandardDrafter.draft(name: "drafted", paths: try banks())
        #expect(draft.name == "drafted" && draft.version == 1)
        let features = draft.features
        #expect(
            features.map(\.name) == ["flag", "count", "amount", "delta", "share", "gap", "zero"])
        #expect(
            features.map(\.type)
                == [.binary, .integer, .continuous, .integer, .continuous, .continuous, .binary])
        #expect(
            features.map(\.range)
                == [0...1, 0...20, 0...2000, -10...10, 0...1, 0...5, 0...1])
        #expect(
            features.map(\.missing.name)
                == ["refuse", "refuse", "refuse", "refuse", "refuse", "keep", "refuse"])
        #expect(
            features.map(\.transform)
                == [
                    .identity, .signedLog, .signedLog, .signedLog, .signedLog, .signedLog,
                    .identity,
                ])
    }

    @Test func theOrderOfFilesDoesNotMatter() throws {
        let paths = try banks()
        let draft = try StandardDrafter.draft(name: "drafted", paths: paths)
        #expect(try StandardDrafter.draft(name: "drafted", paths: paths.reversed()) == draft)
    }

    @Test func theDraftAcceptsItsFilesAndReadsBack() throws {
        let paths = try banks()
        let draft = try StandardDrafter.draft(name: "drafted", paths: paths)
        for path in paths {
            #expect(DataCheck.check(path: path, standard: draft).violations.errorCount == 0)
        }
        #expect(try FeatureStandard(json: draft.readableBytes) == draft)
    }

    @Test func filesThatCannotBeDraftedFromAreRefused() throws {
        let good = try banks()[0]
        let bad = try folder.write("c.csv", "row,flag,fraud\n1,0,0\n")
        let odd = try folder.write("d.csv", "row,a b,fraud\n1,0,0\n")
        let text = try folder.write("e.csv", "row,a,fraud\n1,x,0\n")
        for paths in [[good, bad], [odd], [text], [], [folder.path + "/none.csv"]] {
            #expect(throws: DataFileError.self) {
                _ = try StandardDrafter.draft(name: "drafted", paths: paths)
            }
        }
    }
}
