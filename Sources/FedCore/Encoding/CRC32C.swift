internal import CFedKernels

/// The cyclic redundancy check of Castagnoli (CRC-32C; RFC 3720, appendix B.4).
///
/// It finds bytes that a disk did not keep. It is no defence against anybody.
package enum CRC32C {
    /// The check of a byte string: 4 bytes, most significant first.
    package static func of(_ bytes: [UInt8]) -> [UInt8] {
        var writer = ByteWriter()
        writer.write(fed_crc32c(bytes, bytes.count))
        return writer.bytes
    }
}
