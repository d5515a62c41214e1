import FedDecision
import Testing

struct CalendarDayTests {
    @Test(arguments: [
        (0, "1970-01-01"), (58, "1970-02-28"), (59, "1970-03-01"), (789, "1972-02-29"),
        (11_016, "2000-02-29"), (20_778, "2026-11-21"), (47_541, "2100-03-01"),
    ])
    func daysAreThoseOfTheCalendar(number: Int, text: String) {
        #expect(CalendarDay(text) == CalendarDay(number: number))
        #expect(CalendarDay(number: number).description == text)
    }

    @Test func readingAndWritingAreInverse() {
        for number in stride(from: 0, to: 200_000, by: 13) {
            let day = CalendarDay(number: number)
            #expect(CalendarDay(day.description) == day)
        }
        #expect(CalendarDay(containing: 86_399) == CalendarDay(number: 0))
        #expect(CalendarDay(containing: -1).description == "1969-12-31")
    }

    @Test(arguments: [
        "", "2026-2-01", "2026-13-01", "2025-02-29", "1969-12-31", "2026-00-10", "2026-01-32",
        "2026-01-01-", "+026-01-01",
    ])
    func whatIsNoDayIsRefused(text: String) { #expect(CalendarDay(text) == nil) }
}
