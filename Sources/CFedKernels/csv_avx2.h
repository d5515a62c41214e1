// The row reader for processors with AVX2, a part of csv.c: first the delimiters of some kilobytes are
// found, 64 bytes at a time; then every field's bounds are known and it is converted without a branch
// on its length, sign or point (the way of simdjson, Langdale and Lemire 2019). Short fields of
// changing length cost a branchy reader two mispredictions each.
#include <immintrin.h>

#define FED_AVX2 __attribute__((target("avx2,bmi,popcnt")))

// Bytes looked at in one go; positions fit 16 bits and the table stays in the first-level cache.
#define SEGMENT_BYTES 8192

// Moves the digits before a decimal point at byte `row` over it; row 16 is for none.
static const int8_t close_point[17][16] = {
    {-1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {-1, 0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {-1, 0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {-1, 0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {-1, 0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {-1, 0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {-1, 0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {-1, 0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15},
    {-1, 0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15},
    {-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15},
    {-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15},
    {-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15},
    {-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15},
    {-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15},
    {-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15},
    {-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14},
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
};

// The divisor for a decimal point at that byte of sixteen.
static const double point_divisor[17] = {1e15, 1e14, 1e13, 1e12, 1e11, 1e10, 1e9, 1e8, 1e7,
                                         1e6,  1e5,  1e4,  1e3,  1e2,  1e1,  1e0, 1e0};

// Loaded at offset n: ones in the last n bytes of sixteen.
static const uint8_t last_bytes[32] = {[16] = 255, 255, 255, 255, 255, 255, 255, 255,
                                       255, 255, 255, 255, 255, 255, 255, 255};

// Finds ',' and '\n' in bytes[0..<count]; writes up to eight positions too many.
FED_AVX2 static inline size_t find_delimiters(const uint8_t *bytes, size_t count,
                                              uint16_t *positions) {
    const __m256i comma = _mm256_set1_epi8(','), line = _mm256_set1_epi8('\n');
    size_t found = 0, at = 0;
    for (; at + 64 <= count; at += 64) {
        const __m256i low = _mm256_loadu_si256((const __m256i *)(bytes + at));
        const __m256i high = _mm256_loadu_si256((const __m256i *)(bytes + at + 32));
        const __m256i low_hits =
            _mm256_or_si256(_mm256_cmpeq_epi8(low, comma), _mm256_cmpeq_epi8(low, line));
        const __m256i high_hits =
            _mm256_or_si256(_mm256_cmpeq_epi8(high, comma), _mm256_cmpeq_epi8(high, line));
        uint64_t bits = (uint32_t)_mm256_movemask_epi8(low_hits) |
                        (uint64_t)(uint32_t)_mm256_movemask_epi8(high_hits) << 32;
        const size_t hits = (size_t)__builtin_popcountll(bits);
        for (size_t written = 0; written < hits; written += 8) {
            for (size_t next = 0; next < 8; next++) {
                // Past the last hit a 64 is written, and then overwritten.
                positions[found + written + next] = (uint16_t)(at + _tzcnt_u64(bits));
                bits = _blsr_u64(bits);
            }
        }
        found += hits;
    }
    for (; at < count; at++) {
        if (bytes[at] == ',' || bytes[at] == '\n') positions[found++] = (uint16_t)at;
    }
    return found;
}

// Converts the field [start, stop), with sixteen readable bytes before stop. Returns 0 for one that is
// not [-]digits[.digits] of at most sixteen bytes and 2^53, a decimal point left out.
FED_AVX2 static inline int convert_field(const uint8_t *start, const uint8_t *stop, double *value) {
    const size_t length = (size_t)(stop - start);
    const size_t seen = length < 16 ? length : 16;
    const __m128i text = _mm_loadu_si128((const __m128i *)(stop - 16));
    const __m128i inside = _mm_loadu_si128((const __m128i *)(last_bytes + seen));
    __m128i digits = _mm_sub_epi8(text, _mm_set1_epi8('0'));
    const __m128i is_digit =
        _mm_and_si128(_mm_cmpeq_epi8(_mm_min_epu8(digits, _mm_set1_epi8(9)), digits), inside);
    const __m128i is_point = _mm_and_si128(_mm_cmpeq_epi8(text, _mm_set1_epi8('.')), inside);
    const uint32_t field_bits = 0xFFFFu & (0xFFFFu << (16 - seen));
    const uint32_t digit_bits = (uint32_t)_mm_movemask_epi8(is_digit);
    const uint32_t point_bits = (uint32_t)_mm_movemask_epi8(is_point);
    const uint32_t negative = *start == '-';
    const uint32_t sign_bit = negative << (16 - seen);
    const uint32_t point = _tzcnt_u32(point_bits | 0x10000u);
    digits = _mm_and_si128(digits, is_digit);
    digits = _mm_shuffle_epi8(digits, _mm_loadu_si128((const __m128i *)close_point[point]));
    // Pairs, fours, eights.
    const __m128i pairs = _mm_maddubs_epi16(digits, _mm_set1_epi16(0x010A));
    const __m128i fours = _mm_madd_epi16(pairs, _mm_set1_epi32(0x00010064));
    const __m128i eights =
        _mm_madd_epi16(_mm_packus_epi32(fours, fours), _mm_set1_epi32(0x00012710));
    const uint64_t both = (uint64_t)_mm_cvtsi128_si64(eights);
    const uint64_t mantissa = (both & 0xFFFFFFFFu) * 100000000u + (both >> 32);
    const double magnitude = (double)(int64_t)mantissa / point_divisor[point];
    uint64_t bits;
    memcpy(&bits, &magnitude, 8);
    bits |= (uint64_t)negative << 63;
    memcpy(value, &bits, 8);
    const uint32_t strange = (field_bits ^ (digit_bits | point_bits | sign_bit)) |
                             (point_bits & (point_bits - 1)) | (digit_bits == 0) |
                             (length > 16) | (mantissa > (1ull << 53));
    return strange == 0;
}

// Reads the row whose delimiters are at positions[0..<field_count] of segment. Returns 0 for an odd
// row.
FED_AVX2 static inline int convert_row(const uint8_t *row_start, const uint8_t *segment,
                                       const uint16_t *positions, const int32_t *roles,
                                       size_t field_count, const fed_csv_rows *rows, size_t row) {
    double special[3] = {0, 0, 0};  // at -role
    const uint8_t *start = row_start;
    uint32_t wrong = 0;
    for (size_t index = 0; index < field_count; index++) {
        const uint8_t *const delimiter = segment + positions[index];
        const int last = index + 1 == field_count;
        wrong |= *delimiter != (last ? '\n' : ',');
        const uint8_t *const stop = delimiter - (last && delimiter[-1] == '\r');
        const int32_t role = roles[index];
        double *const cell = role >= 0 ? rows->features + (size_t)role * rows->stride + row
                                       : &special[-role];
        if (__builtin_expect(!convert_field(start, stop, cell), 0)) {
            field_number field;
            if (wrong || other_number(start, delimiter + 1, &field, role >= 0) != stop) return 0;
            *cell = field.value;
        }
        start = delimiter + 1;
    }
    const double label = special[-FED_CSV_LABEL], number = special[-FED_CSV_ROW_NUMBER];
    if (wrong || !(label == 0 || label == 1)) return 0;
    if (!(fabs(number) <= 9007199254740991.0) || number != trunc(number)) return 0;
    rows->labels[row] = label != 0;
    rows->row_numbers[row] = (int64_t)number;
    return 1;
}

FED_AVX2
static size_t parse_rows_avx2(const uint8_t *bytes, const uint8_t *end, const int32_t *roles,
                              size_t field_count, const fed_csv_rows *rows, size_t *row_count,
                              int *state) {
    uint16_t positions[SEGMENT_BYTES + 64];
    const uint8_t *p = bytes;
    size_t row = 0;
    *state = FED_CSV_END;
    while (p < end) {
        const size_t left = (size_t)(end - p);
        const uint8_t *const segment = p;
        const size_t found =
            find_delimiters(segment, left < SEGMENT_BYTES ? left : SEGMENT_BYTES, positions);
        size_t used = 0;
        for (; used + field_count <= found; used += field_count) {
            // Fields are loaded by their last sixteen bytes, which the first row may not have.
            if (p - bytes < 16) break;
            if (row == rows->row_limit) {
                *state = FED_CSV_FULL;
                break;
            }
            if (!convert_row(p, segment, positions + used, roles, field_count, rows, row)) {
                *state = FED_CSV_ODD;
                break;
            }
            p = segment + positions[used + field_count - 1] + 1;
            row++;
        }
        if (*state != FED_CSV_END) break;
        if (used == 0) {
            // The first row, one longer than a segment, or too few fields before the end.
            const uint8_t *const line = memchr(p, '\n', (size_t)(end - p));
            *row_count = row;
            p += parse_rows_portable(p, line + 1, roles, field_count, rows, row_count, state);
            row = *row_count;
            if (*state != FED_CSV_END) break;
        }
    }
    *row_count = row;
    return (size_t)(p - bytes);
}
