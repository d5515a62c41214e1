// Choice of the mask implementation, and what is the same for all: beginnings at any lane, ends
// inside a group, the carry of the counter's low half.
#include <openssl/crypto.h>
#include <string.h>

#include "mask_internal.h"

static const fed_mask_kernel *kernel_of(fed_mask_implementation implementation) {
    switch (implementation) {
    case FED_MASK_PORTABLE: return &fed_mask_portable;
#if defined(__x86_64__)
    case FED_MASK_AESNI: return &fed_mask_aesni;
    case FED_MASK_VAES256: return &fed_mask_vaes256;
    case FED_MASK_VAES512: return &fed_mask_vaes512;
#elif defined(__aarch64__)
    case FED_MASK_ARMV8: return &fed_mask_armv8;
#endif
    default: return NULL;
    }
}

int fed_mask_available(fed_mask_implementation implementation) {
    const fed_mask_kernel *kernel = kernel_of(implementation);
    return kernel != NULL && kernel->available();
}

fed_mask_implementation fed_mask_best(void) {
    int best = FED_MASK_IMPLEMENTATION_COUNT - 1;
    while (best > 0 && !fed_mask_available((fed_mask_implementation)best)) best--;
    return (fed_mask_implementation)best;
}

const char *fed_mask_name(fed_mask_implementation implementation) {
    static const char *const names[FED_MASK_IMPLEMENTATION_COUNT] = {
        "openssl", "aes-ni", "vaes-256", "vaes-512", "armv8-ce"};
    return (unsigned)implementation < FED_MASK_IMPLEMENTATION_COUNT ? names[implementation] : "";
}

const char *fed_mask_implementation_name(void) { return fed_mask_name(fed_mask_best()); }

static size_t smaller(size_t left, size_t right) { return left < right ? left : right; }

// Adds single lanes out of one group of keystream, made aside. `skip` is 0 or 1 lanes.
static int add_partial(const fed_mask_kernel *kernel, const fed_mask_schedule *schedule,
                       uint8_t *lanes, size_t count, size_t skip, uint64_t high, uint64_t low,
                       int subtract) {
    uint64_t stream[2 * FED_MASK_GROUP_MAX] = {0};
    int done = kernel->add(stream, kernel->group, schedule, high, low, 0);
    for (size_t i = 0; i < count; i++) {
        uint64_t lane;
        memcpy(&lane, lanes + 8 * i, 8);
        lane = subtract ? lane - stream[skip + i] : lane + stream[skip + i];
        memcpy(lanes + 8 * i, &lane, 8);
    }
    OPENSSL_cleanse(stream, sizeof stream);
    return done;
}

static int add_stream(const fed_mask_kernel *kernel, uint8_t *lanes, size_t count,
                      const uint8_t key[32], uint64_t high, uint64_t low, size_t skip,
                      int subtract) {
    fed_mask_schedule schedule;
    int done = kernel->expand(&schedule, key);
    while (done && count > 0) {
        // Blocks until the low half of the counter overflows.
        size_t room = low == 0 ? SIZE_MAX : (size_t)(0 - low);
        size_t blocks = skip ? 0 : smaller(count / 2, room) / kernel->group * kernel->group;
        size_t taken;
        if (blocks > 0) {
            taken = 2 * blocks;
            done = kernel->add(lanes, blocks, &schedule, high, low, subtract);
        } else {
            taken = smaller(count, 2 * smaller(kernel->group, room) - skip);
            blocks = (skip + taken + 1) / 2;
            done = add_partial(kernel, &schedule, lanes, taken, skip, high, low, subtract);
            skip = 0;
        }
        lanes += 8 * taken;
        count -= taken;
        low += blocks;
        high += low == 0;
    }
    if (kernel->release) kernel->release(&schedule);
    OPENSSL_cleanse(&schedule, sizeof schedule);
    return done;
}

int fed_mask_add_with(fed_mask_implementation implementation, uint64_t *lanes, size_t count,
                      const uint8_t key[32], uint64_t first_lane, int subtract) {
    if (!fed_mask_available(implementation)) return 0;
    return add_stream(kernel_of(implementation), (uint8_t *)lanes, count, key, 0, first_lane / 2,
                      first_lane % 2, subtract);
}

int fed_mask_add(uint64_t *lanes, size_t count, const uint8_t key[32], uint64_t first_lane,
                 int subtract) {
    return fed_mask_add_with(fed_mask_best(), lanes, count, key, first_lane, subtract);
}

int fed_mask_add_from(fed_mask_implementation implementation, uint64_t *lanes, size_t count,
                      const uint8_t key[32], const uint8_t counter[16], int subtract) {
    if (!fed_mask_available(implementation)) return 0;
    uint64_t high = 0, low = 0;
    for (int i = 0; i < 8; i++) {
        high = high << 8 | counter[i];
        low = low << 8 | counter[8 + i];
    }
    return add_stream(kernel_of(implementation), (uint8_t *)lanes, count, key, high, low, 0,
                      subtract);
}
