import FedReport
import Foundation
import Testing

@Test func look() throws {
    print(ComparisonTable(try Sample.report()).text)
    try HTMLReport(try Sample.run()).text.write(
        toFile: "/tmp/report.html", atomically: true, encoding: .utf8)
}
