// Checks against bytes that a disk did not keep.
#ifndef FED_CHECKSUM_H
#define FED_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

// CRC-32C (RFC 3720, appendix B.4) of `count` bytes, by the processor's instruction where it has one.
uint32_t fed_crc32c(const uint8_t *bytes, size_t count);

// The same without that instruction.
uint32_t fed_crc32c_portable(const uint8_t *bytes, size_t count);

#endif
