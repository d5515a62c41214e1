// Masks for secure aggregation, and the sums and wire form of masked vectors.
//
// A vector is an array of 64-bit lanes. A mask is the AES-256-CTR keystream of a 32-byte seed, with
// a zero initial counter block (NIST SP 800-38A, 6.5; the counter is the whole block, big-endian),
// cut into little-endian 64-bit lanes and added modulo 2^64.
// No pointer needs any alignment. Functions that return int give 1 for success and 0 for refusal.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// How the keystream is made. All give the same lanes; a processor has some of them.
typedef enum {
    FED_MASK_PORTABLE = 0,  // OpenSSL EVP
    FED_MASK_AESNI = 1,     // x86-64 AES-NI
    FED_MASK_VAES256 = 2,   // x86-64 AVX2 and VAES
    FED_MASK_VAES512 = 3,   // x86-64 AVX-512F and VAES
    FED_MASK_ARMV8 = 4,     // aarch64 cryptography extension
} fed_mask_implementation;

enum { FED_MASK_IMPLEMENTATION_COUNT = 5 };

// The fastest implementation that this processor has.
fed_mask_implementation fed_mask_best(void);

// Whether this processor, and this build, has the implementation.
int fed_mask_available(fed_mask_implementation implementation);

// Its name for logs and reports, such as "vaes-256".
const char *fed_mask_name(fed_mask_implementation implementation);

// Name of the one that fed_mask_add uses.
const char *fed_mask_implementation_name(void);

// Adds lanes first_lane ..< first_lane + count of the key's mask to the vector, or subtracts them.
// Refuses only when OpenSSL, which the portable implementation needs, is out of memory; then the
// vector is unusable.
int fed_mask_add(uint64_t *lanes, size_t count, const uint8_t key[32], uint64_t first_lane,
                 int subtract);

// The same by one implementation; refuses when the processor has it not.
int fed_mask_add_with(fed_mask_implementation implementation, uint64_t *lanes, size_t count,
                      const uint8_t key[32], uint64_t first_lane, int subtract);

// The same with any initial counter block, beginning at its first lane: for known answers.
int fed_mask_add_from(fed_mask_implementation implementation, uint64_t *lanes, size_t count,
                      const uint8_t key[32], const uint8_t counter[16], int subtract);

// sums[i] += addends[i] modulo 2^64.
void fed_lanes_add(uint64_t *sums, const uint64_t *addends, size_t count);

// Wire form of lanes in the ring Z_2^ring_bits: each lane's low ring_bits / 8 bytes, least
// significant first. ring_bits is 16, 24, .. 64; other widths are refused.
// Packing drops the higher bits, which is reduction modulo 2^ring_bits.
int fed_lanes_pack(uint8_t *wire, const uint64_t *lanes, size_t count, unsigned ring_bits);

// Reads the wire form; each lane is below 2^ring_bits.
int fed_lanes_unpack(uint64_t *lanes, const uint8_t *wire, size_t count, unsigned ring_bits);

// Adds the wire form onto sums, modulo 2^64.
int fed_lanes_add_packed(uint64_t *sums, const uint8_t *wire, size_t count, unsigned ring_bits);

#ifdef __cplusplus
}
#endif
