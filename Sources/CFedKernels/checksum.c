#include "fed_checksum.h"

#include <string.h>

#define POLYNOMIAL UINT32_C(0x82F63B78)  // bits reversed

// A byte at a time needs 8 steps of one bit; four of them are looked up at once.
static uint32_t nibble(uint32_t value) {
    for (int bit = 0; bit < 4; bit++) value = (value >> 1) ^ (POLYNOMIAL & (0u - (value & 1)));
    return value;
}

uint32_t fed_crc32c_portable(const uint8_t *bytes, size_t count) {
    uint32_t table[16];
    for (uint32_t i = 0; i < 16; i++) table[i] = nibble(i);
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < count; i++) {
        crc ^= bytes[i];
        crc = (crc >> 4) ^ table[crc & 15];
        crc = (crc >> 4) ^ table[crc & 15];
    }
    return ~crc;
}

#if defined(__x86_64__)

__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(const uint8_t *bytes,
                                                               size_t count) {
    uint64_t crc = UINT32_MAX;
    size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        uint64_t word;
        memcpy(&word, bytes + i, 8);
        crc = __builtin_ia32_crc32di(crc, word);
    }
    uint32_t rest = (uint32_t)crc;
    for (; i < count; i++) rest = __builtin_ia32_crc32qi(rest, bytes[i]);
    return ~rest;
}

uint32_t fed_crc32c(const uint8_t *bytes, size_t count) {
    return __builtin_cpu_supports("sse4.2") ? crc32c_sse42(bytes, count)
                                            : fed_crc32c_portable(bytes, count);
}

#else

uint32_t fed_crc32c(const uint8_t *bytes, size_t count) {
    return fed_crc32c_portable(bytes, count);
}

#endif
