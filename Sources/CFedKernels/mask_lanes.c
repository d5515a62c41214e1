// Sums of lane vectors and their wire form.
#include <string.h>

#include "fed_mask.h"

// Clones are picked by the dynamic linker, which only glibc's can do.
#if defined(__x86_64__) && defined(__GLIBC__)
#define CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define CLONES
#endif
#define INLINE static inline __attribute__((always_inline))

INLINE uint64_t load_lane(const void *lanes, size_t index) {
    uint64_t lane;
    memcpy(&lane, (const uint8_t *)lanes + 8 * index, 8);
    return lane;
}

INLINE void store_lane(void *lanes, size_t index, uint64_t lane) {
    memcpy((uint8_t *)lanes + 8 * index, &lane, 8);
}

CLONES void fed_lanes_add(uint64_t *sums, const uint64_t *addends, size_t count) {
    for (size_t i = 0; i < count; i++)
        store_lane(sums, i, load_lane(sums, i) + load_lane(addends, i));
}

// One lane, byte by byte: the ends of a vector, and big-endian processors.
INLINE void put(uint8_t *wire, uint64_t lane, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) wire[i] = (uint8_t)(lane >> 8 * i);
}

INLINE uint64_t get(const uint8_t *wire, size_t bytes) {
    uint64_t lane = 0;
    for (size_t i = 0; i < bytes; i++) lane |= (uint64_t)wire[i] << 8 * i;
    return lane;
}

// Lanes that can be read or written as whole 64-bit words without leaving the wire form.
INLINE size_t whole_words(size_t count, size_t bytes) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return 0;
#else
    size_t last = (8 + bytes - 1) / bytes - 1;
    return count > last ? count - last : 0;
#endif
}

// Each store overwrites the surplus bytes of the one before.
INLINE void pack(uint8_t *restrict wire, const uint64_t *restrict lanes, size_t count,
                 size_t bytes) {
    size_t fast = whole_words(count, bytes), i = 0;
    for (; i < fast; i++) {
        uint64_t lane = load_lane(lanes, i);
        if (bytes == 4) memcpy(wire + 4 * i, &(uint32_t){(uint32_t)lane}, 4);
        else memcpy(wire + bytes * i, &lane, 8);
    }
    for (; i < count; i++) put(wire + bytes * i, load_lane(lanes, i), bytes);
}

INLINE void unpack(uint64_t *restrict lanes, const uint8_t *restrict wire, size_t count,
                   size_t bytes, int onto) {
    size_t fast = whole_words(count, bytes), i = 0;
    for (; i < fast; i++) {
        uint64_t lane;
        uint32_t half;
        if (bytes == 4) {
            memcpy(&half, wire + 4 * i, 4);
            lane = half;
        } else {
            memcpy(&lane, wire + bytes * i, 8);
            lane &= UINT64_MAX >> (64 - 8 * bytes);
        }
        store_lane(lanes, i, onto ? load_lane(lanes, i) + lane : lane);
    }
    for (; i < count; i++) {
        uint64_t lane = get(wire + bytes * i, bytes);
        store_lane(lanes, i, onto ? load_lane(lanes, i) + lane : lane);
    }
}

// Calls one body per width, so that each is compiled for its own.
#define FOR_WIDTH(bits, CALL)  \
    switch (bits) {            \
    case 16: CALL(2); return 1; \
    case 24: CALL(3); return 1; \
    case 32: CALL(4); return 1; \
    case 40: CALL(5); return 1; \
    case 48: CALL(6); return 1; \
    case 56: CALL(7); return 1; \
    case 64: CALL(8); return 1; \
    default: return 0;         \
    }

CLONES int fed_lanes_pack(uint8_t *wire, const uint64_t *lanes, size_t count,
                          unsigned ring_bits) {
#define CALL(bytes) pack(wire, lanes, count, bytes)
    FOR_WIDTH(ring_bits, CALL)
#undef CALL
}

CLONES int fed_lanes_unpack(uint64_t *lanes, const uint8_t *wire, size_t count,
                            unsigned ring_bits) {
#define CALL(bytes) unpack(lanes, wire, count, bytes, 0)
    FOR_WIDTH(ring_bits, CALL)
#undef CALL
}

CLONES int fed_lanes_add_packed(uint64_t *sums, const uint8_t *wire, size_t count,
                                unsigned ring_bits) {
#define CALL(bytes) unpack(sums, wire, count, bytes, 1)
    FOR_WIDTH(ring_bits, CALL)
#undef CALL
}
