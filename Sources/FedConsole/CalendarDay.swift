internal import ArgumentParser

/// A day on the command line, such as 2026-11-22, UTC.
package struct CalendarDay: Equatable, Sendable {
    /// Days since 1970-01-01.
    package let number: Int

    /// Wraps a count of days.
    package init(number: Int) { self.number = number }

    /// Reads year, month and day.
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

extension CalendarDay: ExpressibleByArgument {
    package init?(argument: String) { self.init(argument) }
}
