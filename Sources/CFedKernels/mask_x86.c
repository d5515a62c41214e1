// The mask by x86-64 AES instructions. Three widths of one loop: make counter blocks, encrypt
// eight registers at a time (the instruction's latency times its throughput), add to the lanes.
#if defined(__x86_64__)
#include <immintrin.h>
#include <openssl/crypto.h>
#include <string.h>

#include "mask_internal.h"

#define AESNI __attribute__((target("aes,sse4.1")))
#define VAES256 __attribute__((target("avx2,aes,vaes")))
#define VAES512 __attribute__((target("avx512f,avx512bw,aes,vaes")))
#define INLINE static inline __attribute__((always_inline))

// Keeps the eight states in step: left alone, the compiler encrypts one register after another,
// each instruction waiting for the one before.
#define IN_STEP(s)                                                                       \
    __asm__ volatile("" : "+v"((s)[0]), "+v"((s)[1]), "+v"((s)[2]), "+v"((s)[3]), "+v"((s)[4]), \
                     "+v"((s)[5]), "+v"((s)[6]), "+v"((s)[7]))

enum { REGISTERS = 8, ROUNDS = FED_MASK_ROUND_KEYS - 1 };

static int aesni_available(void) {
    return __builtin_cpu_supports("aes") && __builtin_cpu_supports("sse4.1");
}

static int vaes256_available(void) {
    return aesni_available() && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("vaes");
}

static int vaes512_available(void) {
    return vaes256_available() && __builtin_cpu_supports("avx512f")
           && __builtin_cpu_supports("avx512bw");
}

// S-box of four bytes: the last round's row shift does nothing to four equal columns.
AESNI static uint32_t sub_word(uint32_t word) {
    __m128i columns = _mm_set1_epi32((int)word);
    return (uint32_t)_mm_cvtsi128_si32(_mm_aesenclast_si128(columns, _mm_setzero_si128()));
}

static int expand(fed_mask_schedule *schedule, const uint8_t key[32]) {
    FED_MASK_EXPAND(schedule->words, key, sub_word);
    return 1;
}

AESNI INLINE void aesni_loop(uint8_t *lanes, size_t blocks, const __m128i *keys, uint64_t high,
                             uint64_t low, int subtract) {
    const __m128i reverse = _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m128i step = _mm_set_epi64x(0, 1);
    __m128i counter = _mm_set_epi64x((long long)high, (long long)low);
    for (size_t block = 0; block < blocks; block += REGISTERS, lanes += 16 * REGISTERS) {
        __m128i state[REGISTERS];
        for (int i = 0; i < REGISTERS; i++) {
            state[i] = _mm_xor_si128(_mm_shuffle_epi8(counter, reverse), keys[0]);
            counter = _mm_add_epi64(counter, step);
        }
        for (int round = 1; round < ROUNDS; round++) {
            IN_STEP(state);
            for (int i = 0; i < REGISTERS; i++) state[i] = _mm_aesenc_si128(state[i], keys[round]);
        }
        IN_STEP(state);
        for (int i = 0; i < REGISTERS; i++) {
            __m128i mask = _mm_aesenclast_si128(state[i], keys[ROUNDS]);
            __m128i lane = _mm_loadu_si128((const __m128i *)lanes + i);
            lane = subtract ? _mm_sub_epi64(lane, mask) : _mm_add_epi64(lane, mask);
            _mm_storeu_si128((__m128i *)lanes + i, lane);
        }
    }
}

AESNI static int aesni_add(void *lanes, size_t blocks, const fed_mask_schedule *schedule,
                           uint64_t high, uint64_t low, int subtract) {
    const __m128i *keys = (const __m128i *)schedule->words;
    if (subtract) aesni_loop(lanes, blocks, keys, high, low, 1);
    else aesni_loop(lanes, blocks, keys, high, low, 0);
    return 1;
}

VAES256 INLINE void vaes256_loop(uint8_t *lanes, size_t blocks, const __m256i *keys, uint64_t high,
                                 uint64_t low, int subtract) {
    const __m256i reverse = _mm256_broadcastsi128_si256(
        _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
    const __m256i step = _mm256_set_epi64x(0, 2, 0, 2);
    __m256i counter = _mm256_set_epi64x(
        (long long)high, (long long)(low + 1), (long long)high, (long long)low);
    for (size_t block = 0; block < blocks; block += 2 * REGISTERS, lanes += 32 * REGISTERS) {
        __m256i state[REGISTERS];
        for (int i = 0; i < REGISTERS; i++) {
            state[i] = _mm256_xor_si256(_mm256_shuffle_epi8(counter, reverse), keys[0]);
            counter = _mm256_add_epi64(counter, step);
        }
        for (int round = 1; round < ROUNDS; round++) {
            IN_STEP(state);
            for (int i = 0; i < REGISTERS; i++)
                state[i] = _mm256_aesenc_epi128(state[i], keys[round]);
        }
        IN_STEP(state);
        for (int i = 0; i < REGISTERS; i++) {
            __m256i mask = _mm256_aesenclast_epi128(state[i], keys[ROUNDS]);
            __m256i lane = _mm256_loadu_si256((const __m256i *)lanes + i);
            lane = subtract ? _mm256_sub_epi64(lane, mask) : _mm256_add_epi64(lane, mask);
            _mm256_storeu_si256((__m256i *)lanes + i, lane);
        }
    }
}

VAES256 static int vaes256_add(void *lanes, size_t blocks, const fed_mask_schedule *schedule,
                               uint64_t high, uint64_t low, int subtract) {
    __m256i keys[FED_MASK_ROUND_KEYS];
    for (int i = 0; i < FED_MASK_ROUND_KEYS; i++)
        keys[i] = _mm256_broadcastsi128_si256(((const __m128i *)schedule->words)[i]);
    if (subtract) vaes256_loop(lanes, blocks, keys, high, low, 1);
    else vaes256_loop(lanes, blocks, keys, high, low, 0);
    OPENSSL_cleanse(keys, sizeof keys);
    return 1;
}

VAES512 INLINE void vaes512_loop(uint8_t *lanes, size_t blocks, const __m512i *keys, uint64_t high,
                                 uint64_t low, int subtract) {
    const __m512i reverse = _mm512_broadcast_i32x4(
        _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
    const __m512i step = _mm512_set_epi64(0, 4, 0, 4, 0, 4, 0, 4);
    const long long top = (long long)high, first = (long long)low;
    __m512i counter = _mm512_add_epi64(
        _mm512_set_epi64(top, first, top, first, top, first, top, first),
        _mm512_set_epi64(0, 3, 0, 2, 0, 1, 0, 0));
    for (size_t block = 0; block < blocks; block += 4 * REGISTERS, lanes += 64 * REGISTERS) {
        __m512i state[REGISTERS];
        for (int i = 0; i < REGISTERS; i++) {
            state[i] = _mm512_xor_si512(_mm512_shuffle_epi8(counter, reverse), keys[0]);
            counter = _mm512_add_epi64(counter, step);
        }
        for (int round = 1; round < ROUNDS; round++) {
            IN_STEP(state);
            for (int i = 0; i < REGISTERS; i++)
                state[i] = _mm512_aesenc_epi128(state[i], keys[round]);
        }
        IN_STEP(state);
        for (int i = 0; i < REGISTERS; i++) {
            __m512i mask = _mm512_aesenclast_epi128(state[i], keys[ROUNDS]);
            __m512i lane = _mm512_loadu_si512((const __m512i *)lanes + i);
            lane = subtract ? _mm512_sub_epi64(lane, mask) : _mm512_add_epi64(lane, mask);
            _mm512_storeu_si512((__m512i *)lanes + i, lane);
        }
    }
}

VAES512 static int vaes512_add(void *lanes, size_t blocks, const fed_mask_schedule *schedule,
                               uint64_t high, uint64_t low, int subtract) {
    __m512i keys[FED_MASK_ROUND_KEYS];
    for (int i = 0; i < FED_MASK_ROUND_KEYS; i++)
        keys[i] = _mm512_broadcast_i32x4(((const __m128i *)schedule->words)[i]);
    if (subtract) vaes512_loop(lanes, blocks, keys, high, low, 1);
    else vaes512_loop(lanes, blocks, keys, high, low, 0);
    OPENSSL_cleanse(keys, sizeof keys);
    return 1;
}

const fed_mask_kernel fed_mask_aesni = {
    REGISTERS, aesni_available, expand, aesni_add, NULL};
const fed_mask_kernel fed_mask_vaes256 = {
    2 * REGISTERS, vaes256_available, expand, vaes256_add, NULL};
const fed_mask_kernel fed_mask_vaes512 = {
    4 * REGISTERS, vaes512_available, expand, vaes512_add, NULL};
#endif
