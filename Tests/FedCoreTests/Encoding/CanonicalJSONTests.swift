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

    /// The short way to write a number against the long one.
    @Test func figuresOfAnySizeAreWrittenAlike() {
        func same(_ value: Double) -> Bool {
            CanonicalJSON.number(value).bytes == Array(CanonicalJSON.format(value).utf8)
        }
        for value in [
            0, -0.0, 1, -12, 1e-9, 1e300, 0.1, 123_456_789.5, -1e-5, 1e21, 1e-4, 9.99e-5, 1e-6,
            100, 5e15, 1e16, 1.5e16, 18_014_398_509_481_984, 123_456_789_012_345_680,
        ] {
            #expect(same(value), "\(value)")
        }
        var state: UInt64 = 5
        for turn in 0..<30_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            // Any pattern of bits, fractions, and units of 2^-20.
            let value =
                switch turn % 3 {
                case 0: Double(bitPattern: state)
                case 1: Double(state >> 11) * 0x1p-50
                default: Double(Int32(truncatingIfNeeded: state >> 40)) * 0x1p-20
                }
            if value.isFinite { #expect(same(value), "\(value)") }
        }
    }

    @Test func stringsKeepEveryByteBetweenEscapes() {
        for text in ["", "\"", "a\\", "\u{1}\u{1}", "plain", "é\"名\"\n", "\t\u{7f}"] {
            var expected = "\""
            for scalar in text.unicodeScalars {
                switch scalar {
                case "\"": expected += "\\\""
                case "\\": expected += "\\\\"
                case "\n": expected += "\\n"
                case "\t": expected += "\\t"
                case "\u{1}": expected += "\\u0001"
                default: expected.unicodeScalars.append(scalar)
                }
            }
            #expect(CanonicalJSON.string(text).bytes == Array((expected + "\"").utf8))
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
