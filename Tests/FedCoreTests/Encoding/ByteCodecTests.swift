import FedCore
import Testing

@Suite struct ByteCodecTests {
    private func sample() -> [UInt8] {
        var writer = ByteWriter()
        writer.write(UInt8(7))
        writer.write(UInt32(0x0102_0304))
        writer.write(Int64(-2))
        writer.write(0.5)
        writer.write([9, 8])
        writer.write("bänk")
        writer.writeEach([1, 2] as [UInt16]) { $0.write($1) }
        return writer.bytes
    }

    private func read(_ bytes: [UInt8]) throws(DecodingFailure) {
        var reader = ByteReader(bytes)
        #expect(try reader.read(UInt8.self) == 7)
        #expect(try reader.read(UInt32.self) == 0x0102_0304)
        #expect(try reader.readInt64() == -2)
        #expect(try reader.readDouble() == 0.5)
        #expect(try reader.readBytes() == [9, 8])
        #expect(try reader.readString() == "bänk")
        let list = try reader.readEach { reader throws(DecodingFailure) in
            try reader.read(UInt16.self)
        }
        #expect(list == [1, 2])
        try reader.finish()
    }

    @Test func whatIsWrittenIsRead() throws {
        try read(sample())
    }

    @Test func encodingIsBigEndianWithLengths() {
        #expect(sample().prefix(5) == [7, 1, 2, 3, 4])
        #expect(
            sample().hexadecimal.hasSuffix(
                "000000020908"
                    + "000000056 2c3a46e6b".filter {
                        $0 != " "
                    } + "0000000200010002"))
    }

    @Test func truncationAtEveryByteIsAnError() {
        let bytes = sample()
        for length in 0..<bytes.count {
            #expect(throws: DecodingFailure.self, "length \(length)") {
                var reader = ByteReader(Array(bytes[..<length]))
                _ = try reader.read(UInt8.self)
                _ = try reader.read(UInt32.self)
                _ = try reader.readInt64()
                _ = try reader.readDouble()
                _ = try reader.readBytes()
                _ = try reader.readString()
                _ = try reader.readEach { reader throws(DecodingFailure) in
                    try reader.read(UInt16.self)
                }
            }
        }
    }

    @Test func leftOverBytesAreAnError() {
        #expect(throws: DecodingFailure.trailingBytes(count: 1)) { try read(sample() + [0]) }
    }

    @Test func hugeLengthsAreRefusedBeforeAnythingIsReserved() {
        var reader = ByteReader([0xFF, 0xFF, 0xFF, 0xFF, 1])
        #expect(throws: DecodingFailure.invalidValue(field: "length", at: 0)) {
            try reader.readBytes()
        }
    }

    @Test func nonFiniteNumbersAndBrokenTextAreRefused() {
        var writer = ByteWriter()
        writer.write(Double.nan)
        var reader = ByteReader(writer.bytes)
        #expect(throws: DecodingFailure.invalidValue(field: "double", at: 0)) {
            try reader.readDouble()
        }
        var text = ByteReader([0, 0, 0, 1, 0xFF])
        #expect(throws: DecodingFailure.invalidValue(field: "UTF-8", at: 0)) {
            try text.readString()
        }
    }
}
