import FedCore
import Foundation
import Testing

@Suite("The file of a logistic model")
struct LogisticModelTests {
    private let model: LogisticModel

    init() throws {
        model = try LogisticTrainer.train(
            on: [LogisticSamples.dataset(seed: 51, rows: 500, features: 2, rateShift: 0.3)],
            space: LogisticSamples.space(features: 2), configuration: .init(),
            manifestHash: [UInt8](repeating: 0xAB, count: 32))
    }

    @Test func readingGivesBackWhatWasWritten() throws {
        let bytes = model.document.bytes
        let again = try LogisticModel(bytes: bytes)
        #expect(again == model)
        #expect(again.document.bytes == bytes)
        #expect(String(decoding: bytes, as: UTF8.self).contains("fed-logistic-model/1"))
    }

    @Test func aFileCutAnywhereIsRefused() {
        let bytes = model.document.bytes
        for length in 0..<bytes.count {
            expectInvalid(Array(bytes.prefix(length)))
        }
    }

    @Test func damagedBytesAreRefusedOrSayExactlyWhatTheyHold() {
        var generator = SampleGenerator(seed: 52)
        for _ in 0..<3_000 {
            var bytes = model.document.bytes
            bytes[generator.below(bytes.count)] ^= UInt8(1 << generator.below(8))
            do {
                // A changed digit is another model; its file is then these very bytes.
                let other = try LogisticModel(bytes: bytes)
                #expect(other != model)
                #expect(other.document.bytes == bytes)
            } catch {
                guard case .invalidModel = error else {
                    Issue.record("\(error)")
                    continue
                }
            }
        }
    }

    @Test func otherFormsAndImpossibleValuesAreRefused() {
        let text = String(decoding: model.document.bytes, as: UTF8.self)
        let changes = [
            ("fed-logistic-model/1", "fed-logistic-model/2"), ("{\"", "{ \""),
            ("\"iterations\":", "\"iterations\":-"), ("\"frauds\":", "\"frauds\":9999"),
            ("\"intercept\":-", "\"intercept\":NaN"), ("[true,true]", "[true]"),
            ("\"coefficients\":[", "\"coefficients\":[0,"),
            ("\"coefficients\":[", "\"b\":[],\"c\":["),
            ("\"deviations\":[", "\"deviations\":[-"), ("abab", "ABAB"),
            ("\"lambda\":1", "\"lambda\":0"),
            ("\"lambda\":1", "\"lambda\":1.0"), ("\"lambda\":1", "\"lambda\":1e999"),
            ("0707", "07"), ("\"standardErrors\":[", "\"standardErrors\":[-"),
        ]
        for (old, new) in changes {
            guard let range = text.firstRange(of: old) else {
                Issue.record("\(old) is not in the file")
                continue
            }
            expectInvalid(Array(text.replacingCharacters(in: range, with: new).utf8))
        }
        expectInvalid(Array((text + "\n").utf8))
        expectInvalid(Array("null".utf8))
        expectInvalid([0xFF, 0xFE, 0])
    }

    @Test func scoringAnotherStandardIsRefused() throws {
        let data = LogisticSamples.dataset(seed: 53, rows: 10, features: 2, rateShift: 0.3)
        let space = try LogisticSamples.space(features: 2)
        let other = try LinearFeatureSpace(
            names: space.names, transforms: space.transforms, imputedValues: space.imputedValues,
            transformedRanges: space.transformedRanges,
            standardHash: [UInt8](repeating: 8, count: 32))
        #expect(throws: LearningError.self) { try model.logOdds(of: data, space: other) }
        #expect(try model.logOdds(of: data, space: space).count == 10)
        let none = Dataset(columns: [[], []], labels: [])
        #expect(try model.logOdds(of: none, space: space).isEmpty)
    }

    @Test func aClearEffectHasASmallPValue() throws {
        #expect(model.zScores[0] > 2)
        #expect(model.pValues[0] < 0.05)
        // 1.959964 standard errors are the 5 % point of the normal distribution.
        #expect(model.pValues.allSatisfy { (0...1).contains($0) })
    }

    private func expectInvalid(_ bytes: [UInt8]) {
        do {
            _ = try LogisticModel(bytes: bytes)
            Issue.record("accepted \(bytes.count) bytes")
        } catch {
            guard case .invalidModel = error else {
                Issue.record("\(error)")
                return
            }
        }
    }
}
