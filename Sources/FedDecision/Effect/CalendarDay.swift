/// A day of the calendar, UTC.
package struct CalendarDay: Equatable, Sendable {
    /// Days since 1970-01-01.
    package let number: Int

    /// Wraps a count of days.
    package init(number: Int) { self.number = number }

    /// The day of a time in seconds since 1970.
    package init(containing seconds: Int64) {
        number = Int((Double(seconds) / 86_400).rounded(.down))
    }

    /// Reads year, month and day, such as 2026-11-22.
    ///
    /// - Returns: `nil` for anything but a day from 1970 on.
    package init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, parts.map(\.count) == [4, 2, 2],
            let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2]),
            year >= 1970, (1...12).contains(month), day >= 1, day <= Self.length(month, of: year)
        else { return nil }
        let before = (1970..<year).reduce(0) { $0 + (Self.isLeap($1) ? 366 : 365) }
        number = (1..<month).reduce(before) { $0 + Self.length($1, of: year) } + day - 1
    }

    private static func isLeap(_ year: Int) -> Bool {
        year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400))
    }

    private static func length(_ month: Int, of year: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

extension CalendarDay: CustomStringConvertible {
    /// Such as 2026-11-22.
    package var description: String {
        // Days from the civil calendar: H. Hinnant, chrono-compatible low-level date algorithms.
        let days = number + 719_468
        let era = days / 146_097
        let ofEra = days % 146_097
        let year = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * year + year / 4 - year / 100)
        let shifted = (5 * ofYear + 2) / 153
        let day = ofYear - (153 * shifted + 2) / 5 + 1
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return "\(year + era * 400 + (month <= 2 ? 1 : 0))-\(two(month))-\(two(day))"
    }
}
