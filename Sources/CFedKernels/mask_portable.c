// The mask by OpenSSL EVP: for processors without AES instructions of ours, and the twin that the
// others are tested against.
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "mask_internal.h"

enum { TILE = 16384 };  // bytes; stays in the first-level cache

static int available(void) { return 1; }

static int expand(fed_mask_schedule *schedule, const uint8_t key[32]) {
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    schedule->cipher = cipher;
    return cipher != NULL && EVP_EncryptInit_ex(cipher, EVP_aes_256_ctr(), NULL, key, NULL) == 1;
}

static void release(fed_mask_schedule *schedule) {
    EVP_CIPHER_CTX_free(schedule->cipher);  // wipes
    schedule->cipher = NULL;
}

static uint64_t little_endian(uint64_t value) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return __builtin_bswap64(value);
#else
    return value;
#endif
}

static void add_tile(uint8_t *restrict lanes, const uint8_t *restrict stream, size_t bytes,
                     uint64_t sign) {
    for (size_t i = 0; i < bytes; i += 8) {
        uint64_t lane, mask;
        memcpy(&lane, lanes + i, 8);
        memcpy(&mask, stream + i, 8);
        lane += (little_endian(mask) ^ sign) - sign;
        memcpy(lanes + i, &lane, 8);
    }
}

static int add(void *lanes, size_t blocks, const fed_mask_schedule *schedule, uint64_t high,
               uint64_t low, int subtract) {
    static const uint8_t zeros[TILE];
    uint8_t stream[TILE], counter[16], *rest = lanes;
    for (int i = 0; i < 8; i++) {
        counter[i] = (uint8_t)(high >> (56 - 8 * i));
        counter[8 + i] = (uint8_t)(low >> (56 - 8 * i));
    }
    EVP_CIPHER_CTX *cipher = schedule->cipher;
    int done = EVP_EncryptInit_ex(cipher, NULL, NULL, NULL, counter) == 1;
    for (size_t left = 16 * blocks; done && left > 0;) {
        int bytes = left < TILE ? (int)left : TILE, written = 0;
        done = EVP_EncryptUpdate(cipher, stream, &written, zeros, bytes) == 1 && written == bytes;
        add_tile(rest, stream, (size_t)bytes, subtract ? UINT64_MAX : 0);
        rest += bytes;
        left -= (size_t)bytes;
    }
    OPENSSL_cleanse(stream, 16 * blocks < TILE ? 16 * blocks : TILE);
    return done;
}

const fed_mask_kernel fed_mask_portable = {1, available, expand, add, release};
