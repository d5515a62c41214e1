// The mask by the cryptography extension of ARMv8.
#if defined(__aarch64__)
#include <arm_neon.h>
#include <string.h>
#if defined(__linux__)
#include <sys/auxv.h>
#endif

#include "mask_internal.h"

#define ARMV8 __attribute__((target("aes")))

enum { REGISTERS = 8, LAST = FED_MASK_ROUND_KEYS - 1 };

static int available(void) {
#if defined(__linux__)
    return (getauxval(AT_HWCAP) & (1ul << 3)) != 0;  // HWCAP_AES
#elif defined(__APPLE__)
    return 1;  // every 64-bit Apple processor has it
#else
    return 0;
#endif
}

// S-box of four bytes: the round's row shift does nothing to four equal columns.
ARMV8 static uint32_t sub_word(uint32_t word) {
    uint8x16_t columns = vreinterpretq_u8_u32(vdupq_n_u32(word));
    return vgetq_lane_u32(vreinterpretq_u32_u8(vaeseq_u8(columns, vdupq_n_u8(0))), 0);
}

static int expand(fed_mask_schedule *schedule, const uint8_t key[32]) {
    FED_MASK_EXPAND(schedule->words, key, sub_word);
    return 1;
}

ARMV8 static int add(void *lanes, size_t blocks, const fed_mask_schedule *schedule, uint64_t high,
                     uint64_t low, int subtract) {
    const uint8_t *keys = (const uint8_t *)schedule->words;
    const uint64x2_t top = vcombine_u64(vcreate_u64(0), vcreate_u64(high));
    // Two's complement: subtracting is adding the flipped bits plus one.
    const uint64x2_t sign = vdupq_n_u64(subtract ? UINT64_MAX : 0);
    uint8_t *rest = lanes;
    for (size_t block = 0; block < blocks; block += REGISTERS, rest += 16 * REGISTERS) {
        uint8x16_t state[REGISTERS];
        for (int i = 0; i < REGISTERS; i++) {
            uint64x2_t counter = vsetq_lane_u64(low + block + (size_t)i, top, 0);
            uint8x16_t halves = vrev64q_u8(vreinterpretq_u8_u64(counter));
            state[i] = vextq_u8(halves, halves, 8);
        }
        for (int round = 0; round < LAST - 1; round++) {
            uint8x16_t key = vld1q_u8(keys + 16 * round);
            for (int i = 0; i < REGISTERS; i++) state[i] = vaesmcq_u8(vaeseq_u8(state[i], key));
        }
        uint8x16_t before = vld1q_u8(keys + 16 * (LAST - 1)), last = vld1q_u8(keys + 16 * LAST);
        for (int i = 0; i < REGISTERS; i++) {
            uint8x16_t bytes = veorq_u8(vaeseq_u8(state[i], before), last);
            uint64x2_t mask = vreinterpretq_u64_u8(bytes);
            mask = vsubq_u64(veorq_u64(mask, sign), sign);
            uint64x2_t lane = vreinterpretq_u64_u8(vld1q_u8(rest + 16 * i));
            vst1q_u8(rest + 16 * i, vreinterpretq_u8_u64(vaddq_u64(lane, mask)));
        }
    }
    return 1;
}

const fed_mask_kernel fed_mask_armv8 = {REGISTERS, available, expand, add, NULL};
#endif
