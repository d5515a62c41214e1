/// A file of the consortium: its name and its bytes.
public struct SyntheticFile: Equatable, Sendable {
    /// `bank_<NAME>_<fit|valid|test>.csv` or `bank_<NAME>_transactions.csv`.
    public let name: String
    /// UTF-8, one header line, `\n` after each line.
    public let bytes: [UInt8]
}

extension SyntheticConsortium {
    /// The feature files of one bank: fit, valid, test; columns `row`, features, `fraud`.
    public func featureFiles(ofBank bank: Int) -> [SyntheticFile] {
        let rows = transactions(of: bank)
        let features = SyntheticFeatures.derive(from: rows)
        return SyntheticPart.allCases.map { part in
            let header = ["row"] + SyntheticFeatures.names + ["fraud"]
            var text = CommaSeparatedText(header: header)
            for (row, values) in zip(rows, features) {
                guard SyntheticCalendar.part(ofDay: row.day) == part else { continue }
                text.append(row.row)
                for value in values { text.append(value) }
                text.append(row.isFraud ? 1 : 0)
                text.endLine()
            }
            return SyntheticFile(
                name: "bank_\(banks[bank].name)_\(part.rawValue).csv", bytes: text.bytes)
        }
    }

    /// What the features of one bank are derived from, all days, and the truth.
    public func transactionFile(ofBank bank: Int) -> SyntheticFile {
        var text = CommaSeparatedText(header: [
            "row", "time", "account", "age", "channel", "terminal", "payee", "amount", "device",
            "region", "home_region", "kind", "part", "fraud",
        ])
        for row in transactions(of: bank) {
            for value in [row.row, row.time, row.account, row.age, row.channel.rawValue] {
                text.append(value)
            }
            text.append(party: row.terminal)
            text.append(party: row.payee)
            text.append(Double(row.amount) / 100)
            text.append(party: row.device)
            for value in [row.region, row.homeRegion, row.kind.rawValue] { text.append(value) }
            text.append(SyntheticCalendar.part(ofDay: row.day)?.rawValue ?? "history")
            text.append(row.isFraud ? 1 : 0)
            text.endLine()
        }
        return SyntheticFile(name: "bank_\(banks[bank].name)_transactions.csv", bytes: text.bytes)
    }
}

/// Lines of plain numbers between commas.
struct CommaSeparatedText {
    private(set) var bytes: [UInt8] = []
    private var isLineStart = true

    init(header: [String]) {
        bytes.append(contentsOf: header.joined(separator: ",").utf8)
        endLine()
    }

    mutating func append(_ word: String) {
        separate()
        bytes.append(contentsOf: word.utf8)
    }

    /// The number of a terminal, payee or device; nothing where there is none.
    mutating func append(party number: Int) {
        if number < 0 { separate() } else { append(number) }
    }

    mutating func append(_ value: Int) {
        separate()
        bytes.append(contentsOf: String(value).utf8)
    }

    /// A number of at least zero with up to seven significant digits and no exponent.
    mutating func append(_ value: Double) {
        separate()
        bytes.append(contentsOf: DecimalText.sevenDigits(value).utf8)
    }

    mutating func endLine() {
        bytes.append(0x0A)
        isLineStart = true
    }

    private mutating func separate() {
        if !isLineStart { bytes.append(0x2C) }
        isLineStart = false
    }
}

/// Decimal text of numbers, the same on every machine.
enum DecimalText {
    private static let powers: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12,
    ]

    /// Up to seven significant digits, at most twelve after the point, no trailing zeros.
    ///
    /// - Parameter value: In 0 ... 1e12.
    static func sevenDigits(_ value: Double) -> String {
        precondition((0...1e12).contains(value), "\(value) is not in 0...1e12")
        if value == value.rounded(), value < 1e7 { return String(Int(value)) }
        var decimals = 6
        while decimals > 0, value >= powers[7 - decimals] { decimals -= 1 }
        while decimals < 12, value * powers[decimals + 1] < 1e7 { decimals += 1 }
        var digits = Int((value * powers[decimals]).rounded())
        while decimals > 0, digits % 10 == 0 {
            digits /= 10
            decimals -= 1
        }
        guard decimals > 0 else { return String(digits) }
        let unit = Int(powers[decimals])
        let fraction = String(digits % unit)
        let zeros = String(repeating: "0", count: decimals - fraction.utf8.count)
        return "\(digits / unit).\(zeros)\(fraction)"
    }
}
