import FedCore
import Foundation
import Testing

@Suite("The settings of logistic regression")
struct LogisticConfigurationTests {
    @Test func defaultsStandInTheCanonicalForm() throws {
        let bytes = LogisticConfiguration().canonicalJSON.bytes
        let expected = """
            {"fraudWeight":1,"iterationsMax":20,"lambda":1,"normalWeight":1,"tolerance":1e-9}
            """
        #expect(String(decoding: bytes, as: UTF8.self) == expected)
    }

    @Test func readingGivesBackWhatWasWritten() throws {
        let configuration = try LogisticConfiguration([
            "lambda": 0.25, "fraudWeight": 12.5, "iterationsMax": 31, "tolerance": 1e-7,
        ])
        #expect(configuration.iterationsMax == 31 && configuration.lambda == 0.25)
        let bytes = configuration.canonicalJSON.bytes
        let again = try JSONDecoder().decode(LogisticConfiguration.self, from: Data(bytes))
        #expect(again == configuration)
    }

    @Test func everyFieldIsHeldToItsBounds() throws {
        for field in LogisticConfiguration.fields {
            for value in [field.bounds.lowerBound, field.bounds.upperBound, field.defaultValue] {
                #expect(throws: Never.self) { try LogisticConfiguration([field.name: value]) }
            }
            let beyond = [
                field.bounds.lowerBound.nextDown, field.bounds.upperBound.nextUp, .nan, .infinity,
            ]
            for value in beyond {
                #expect(throws: LearningError.self) {
                    try LogisticConfiguration([field.name: value])
                }
            }
        }
        #expect(throws: LearningError.self) { try LogisticConfiguration(["iterationsMax": 1.5]) }
        #expect(throws: LearningError.self) { try LogisticConfiguration(["lamda": 1]) }
    }
}
