// What the mask implementations and their dispatcher share.
#pragma once
#include "fed_mask.h"

// An expanded key. Blocks are made in groups; one group is the implementation's stride.
enum { FED_MASK_GROUP_MAX = 32, FED_MASK_ROUND_KEYS = 15 };

typedef struct {
    _Alignas(64) uint32_t words[4 * FED_MASK_ROUND_KEYS];
    void *cipher;  // the portable implementation's context
} fed_mask_schedule;

typedef struct {
    size_t group;  // blocks
    int (*available)(void);
    int (*expand)(fed_mask_schedule *schedule, const uint8_t key[32]);
    // Adds to 2 * blocks lanes the keystream of counter blocks (high, low), (high, low + 1), ...
    // blocks is a multiple of group. Blocks after low's overflow are not those of the carry.
    int (*add)(void *lanes, size_t blocks, const fed_mask_schedule *schedule, uint64_t high,
               uint64_t low, int subtract);
    void (*release)(fed_mask_schedule *schedule);  // may be null
} fed_mask_kernel;

extern const fed_mask_kernel fed_mask_portable;

#if defined(__x86_64__)
extern const fed_mask_kernel fed_mask_aesni, fed_mask_vaes256, fed_mask_vaes512;
#elif defined(__aarch64__)
extern const fed_mask_kernel fed_mask_armv8;
#endif

// The AES-256 key schedule (FIPS 197, 5.2) on little-endian words; SUB_WORD must not use tables,
// whose lookups would tell the key to whoever shares the cache.
#define FED_MASK_EXPAND(words, key, SUB_WORD)                         \
    do {                                                              \
        memcpy((words), (key), 32);                                   \
        for (int i = 8; i < 4 * FED_MASK_ROUND_KEYS; i++) {           \
            uint32_t word = (words)[i - 1];                           \
            if (i % 8 == 0) {                                         \
                word = SUB_WORD(word);                                \
                word = (word >> 8 | word << 24) ^ 1u << (i / 8 - 1);  \
            } else if (i % 8 == 4) {                                  \
                word = SUB_WORD(word);                                \
            }                                                         \
            (words)[i] = (words)[i - 8] ^ word;                       \
        }                                                             \
    } while (0)
