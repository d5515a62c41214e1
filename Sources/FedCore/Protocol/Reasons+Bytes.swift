extension RefusalReason {
    func write(to writer: inout ByteWriter) {
        switch self {
        case .standardDiffers(let expected, let got):
            writer.write(UInt8(1))
            writer.write(expected)
            writer.write(got)
        case .manifest(let what): writer.write(2, what)
        case .notInRoster: writer.write(UInt8(3))
        case .identityKeyChanged(let bank): writer.write(4, bank.name)
        case .badSignature(let author): writer.write(5, author.wireName)
        case .protocolViolation(let what): writer.write(6, what)
        case .epochKeys(let what): writer.write(7, what)
        case .splitView(let bank): writer.write(8, bank.name)
        case .receiptDiffers: writer.write(UInt8(9))
        case .tooManyRows(let rowsMax):
            writer.write(UInt8(10))
            writer.write(UInt64(rowsMax))
        case .learning(let what): writer.write(11, what)
        case .stopped: writer.write(UInt8(12))
        case .charter(let what): writer.write(13, what)
        case .gateShares(let bank): writer.write(14, bank.name)
        case .roster(let what): writer.write(15, what)
        case .commitDiffers: writer.write(UInt8(16))
        case .uploadDiffers: writer.write(UInt8(17))
        case .stateLost: writer.write(UInt8(18))
        case .safety(let what): writer.write(19, what)
        }
    }

    init(from reader: inout ByteReader) throws(DecodingFailure) {
        switch try reader.read(UInt8.self) {
        case 1:
            let expected = try reader.readBytes(limit: 32)
            self = .standardDiffers(expected: expected, got: try reader.readBytes(limit: 32))
        case 2: self = .manifest(try reader.readReasonText())
        case 3: self = .notInRoster
        case 4: self = .identityKeyChanged(try reader.readBank())
        case 5:
            guard let author = Author(wireName: try reader.readString(limit: 64)) else {
                throw .invalidValue(field: "author", at: reader.position)
            }
            self = .badSignature(author)
        case 6: self = .protocolViolation(try reader.readReasonText())
        case 7: self = .epochKeys(try reader.readReasonText())
        case 8: self = .splitView(try reader.readBank())
        case 9: self = .receiptDiffers
        case 10: self = .tooManyRows(rowsMax: Int(try reader.read(UInt64.self) & 0xFFFF_FFFF_FFFF))
        case 11: self = .learning(try reader.readReasonText())
        case 12: self = .stopped
        case 13: self = .charter(try reader.readReasonText())
        case 14: self = .gateShares(try reader.readBank())
        case 15: self = .roster(try reader.readReasonText())
        case 16: self = .commitDiffers
        case 17: self = .uploadDiffers
        case 18: self = .stateLost
        case 19: self = .safety(try reader.readReasonText())
        default: throw .invalidValue(field: "refusal reason", at: reader.position)
        }
    }
}

extension AbortReason {
    func write(to writer: inout ByteWriter) {
        switch self {
        case .byOperator: writer.write(UInt8(1))
        case .bankRefused(let bank, let reason):
            writer.write(4, bank.name)
            reason.write(to: &writer)
        case .bankViolation(let bank, let what):
            writer.write(5, bank.name)
            writer.write(what)
        case .garbledSum(let slot):
            writer.write(UInt8(6))
            writer.write(UInt32(slot))
        case .learning(let what): writer.write(7, what)
        case .gatesExhausted: writer.write(UInt8(9))
        case .gateDiffers(let bank): writer.write(10, bank.name)
        case .journal(let what): writer.write(11, what)
        }
    }

    init(from reader: inout ByteReader) throws(DecodingFailure) {
        switch try reader.read(UInt8.self) {
        case 1: self = .byOperator
        // 2 and 3 were a bank lost and a silent one: a run waits for these, or goes on without them.
        case 4: self = .bankRefused(try reader.readBank(), try RefusalReason(from: &reader))
        case 5: self = .bankViolation(try reader.readBank(), try reader.readReasonText())
        case 6: self = .garbledSum(slot: Int(try reader.read(UInt32.self)))
        case 7: self = .learning(try reader.readReasonText())
        case 9: self = .gatesExhausted
        case 10: self = .gateDiffers(try reader.readBank())
        case 11: self = .journal(try reader.readReasonText())
        default: throw .invalidValue(field: "abort reason", at: reader.position)
        }
    }
}

extension ByteWriter {
    fileprivate mutating func write(_ tag: UInt8, _ text: String) {
        write(tag)
        write(text)
    }
}

extension ByteReader {
    fileprivate mutating func readBank() throws(DecodingFailure) -> NodeID {
        let start = position
        guard let bank = NodeID(try readString(limit: 64)) else {
            throw .invalidValue(field: "bank", at: start)
        }
        return bank
    }

    fileprivate mutating func readReasonText() throws(DecodingFailure) -> String {
        try readString(limit: 4096)
    }
}
