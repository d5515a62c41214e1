import FedCore
import Testing

@Suite struct CanonicalJSONTests {
    /// RFC 8785, appendix B: bit patterns and their serialisation.
    @Test(
        arguments: [
            (0x0000_0000_0000_0000, "0"), (0x8000_0000_0000_0000, "0"),
            (0x0000_0000_0000_0001, "5e-324"), (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
            (0x4340_0000_0000_0000, "9007199254740992"),
            (0xc340_0000_0000_0000, "-9007199254740992"),
            (0x4430_0000_0000_0000, "295147905179352830000"),
            (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
            (0x44b5_2d02_c7e1_4af6, "1e+23"), (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
            (0x444b_1ae4_d6e2_ef50, "1e+21"), (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
            (0x3eb0_c6f7_a0b5_ed8d, "0.000001"), (0x41b3_de43_5555_5553, "333333333.3333332"),
            (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
        ] as [(UInt64, String)])
    func numbersAreWrittenAsInRFC8785(pattern: UInt64, expected: String) {
        let written = CanonicalJSON.number(Double(bitPattern: pattern)).bytes
        #expect(String(decoding: written, as: UTF8.self) == expected)
    }

    @Test func everyNumberReadsBackExactly() {
        var state: UInt64 = 1
        for _ in 0..<20_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let value = Double(bitPattern: state)
            guard value.isFinite else { continue }
            let text = String(decoding: CanonicalJSON.number(value).bytes, as: UTF8.self)
            #expect(Double(text) == value, "\(state)")
        }
    }

    @Test func membersAreSortedByUTF16AndStringsEscaped() {
        let value = CanonicalJSON.object([
            "\u{20ac}": .string("Euro"), "\r": .string("return"), "1": .integer(1),
            "\u{1f600}": .bool(true), "\u{fb33}": .null, "a": .array([.string("\"\\\u{1}\u{8}é")]),
        ])
        let expected =
            "{\"\\r\":\"return\",\"1\":1,\"a\":[\"\\\"\\\\\\u0001\\bé\"],"
            + "\"\u{20ac}\":\"Euro\",\"\u{1f600}\":true,\"\u{fb33}\":null}"
        #expect(String(decoding: value.bytes, as: UTF8.self) == expected)
    }
}
