#include "fed_csv.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__) && defined(__linux__)
#define FED_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define FED_CLONES
#endif

static const double powers_of_ten[23] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                         1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                         1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
static const uint64_t whole_powers[9] = {1,      10,      100,      1000,     10000,
                                         100000, 1000000, 10000000, 100000000};

static inline int is_digit(uint8_t byte) { return (uint8_t)(byte - '0') < 10; }

// ---- one number, any spelling ------------------------------------------------------------------

// Spelt as NaN or infinity, with a sign or without.
static int is_not_finite_word(const uint8_t *bytes, size_t count) {
    static const char *const words[] = {"nan", "inf", "infinity"};
    if (count > 0 && (*bytes == '+' || *bytes == '-')) bytes++, count--;
    for (size_t word = 0; word < 3; word++) {
        size_t length = strlen(words[word]), same = 0;
        while (same < length && same < count && (bytes[same] | 0x20) == words[word][same]) same++;
        if (same == length && same == count) return 1;
    }
    return 0;
}

// The slow exact way, for a field of checked syntax.
static int number_by_library(const uint8_t *bytes, size_t count, double *value) {
    char text[256], *end;
    memcpy(text, bytes, count);
    text[count] = 0;
    *value = strtod(text, &end);
    if (end != text + count) return FED_CSV_NOT_A_NUMBER;  // the process has a foreign locale
    return isfinite(*value) ? FED_CSV_NUMBER : FED_CSV_NOT_FINITE;
}

// mantissa * 10^exponent where one rounding gives the nearest double (Clinger 1990), or, with the
// 64-bit mantissas of x87, where the second rounding provably agrees. Returns 0 where neither
// holds.
static int exact_product(uint64_t mantissa, int64_t exponent, double *value) {
    if (mantissa == 0) {
        *value = 0;
        return 1;
    }
    if (mantissa <= (1ull << 53) && exponent >= -22 && exponent <= 22) {
        double whole = (double)mantissa;
        *value = exponent < 0 ? whole / powers_of_ten[-exponent] : whole * powers_of_ten[exponent];
        return 1;
    }
#if LDBL_MANT_DIG == 64 && defined(__x86_64__)
    // 10^27 = 5^27 * 2^27 and 5^27 < 2^63: the powers up to it are exact here.
    if (exponent >= -27 && exponent <= 27) {
        long double power = 1, base = 10;
        for (int64_t rest = exponent < 0 ? -exponent : exponent; rest != 0; rest >>= 1) {
            if (rest & 1) power *= base;
            base *= base;
        }
        long double near =
            exponent < 0 ? (long double)mantissa / power : (long double)mantissa * power;
        uint64_t bits;
        memcpy(&bits, &near, sizeof bits);
        // The true value is within half a unit of the last of 64 bits. Unless that interval
        // touches the middle between two doubles, both round to the same double.
        uint64_t low = bits & 0x7FF;
        if (low >= 0x3FF && low <= 0x401) return 0;
        *value = (double)near;
        return 1;
    }
#endif
    return 0;
}

int fed_csv_parse_number(const uint8_t *bytes, size_t byte_count, double *value) {
    const uint8_t *p = bytes, *const end = bytes + byte_count;
    if (byte_count == 0 || byte_count > 255) return FED_CSV_NOT_A_NUMBER;
    int negative = *p == '-';
    if (*p == '-' || *p == '+') p++;
    uint64_t mantissa = 0;
    int64_t exponent = 0;
    size_t digits = 0, significant = 0;
    int in_fraction = 0, truncated = 0;
    for (; p < end; p++) {
        if (*p == '.' && !in_fraction) {
            in_fraction = 1;
            continue;
        }
        if (!is_digit(*p)) break;
        digits++;
        if (significant < 19) {
            mantissa = mantissa * 10 + (uint64_t)(*p - '0');
            significant += mantissa != 0;
            exponent -= in_fraction;
        } else {
            truncated |= *p != '0';
            exponent += !in_fraction;
        }
    }
    if (digits == 0) {
        return is_not_finite_word(bytes, byte_count) ? FED_CSV_NOT_FINITE : FED_CSV_NOT_A_NUMBER;
    }
    if (p < end && (*p | 0x20) == 'e') {
        p++;
        int below = p < end && *p == '-';
        if (p < end && (*p == '-' || *p == '+')) p++;
        if (p == end) return FED_CSV_NOT_A_NUMBER;
        int64_t power = 0;
        for (; p < end && is_digit(*p); p++) {
            if (power < 100000) power = power * 10 + (*p - '0');
        }
        exponent += below ? -power : power;
    }
    if (p != end) return FED_CSV_NOT_A_NUMBER;
    if (!truncated && exact_product(mantissa, exponent, value)) {
        if (negative) *value = -*value;
        return FED_CSV_NUMBER;
    }
    return number_by_library(bytes, byte_count, value);
}

// ---- one number, the usual spelling ------------------------------------------------------------

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FED_CSV_WORDS 1
#endif

#ifdef FED_CSV_WORDS
// Reads the digits that eight bytes begin with; returns how many, 0 to 8.
static inline unsigned leading_digits(const uint8_t *p, uint64_t *number) {
    uint64_t word;
    memcpy(&word, p, 8);
    word ^= 0x3030303030303030ull;
    // A byte's high bit is set when it is no digit; bytes above the first such one do not count.
    uint64_t other = ((word + 0x7676767676767676ull) | word) & 0x8080808080808080ull;
    unsigned count = other == 0 ? 8 : (unsigned)__builtin_ctzll(other) >> 3;
    // Digits go to the high end, zeros before them; then pairs, fours and eights are joined.
    word = count == 0 ? 0 : word << (64 - 8 * count);
    word = word * 10 + (word >> 8);
    const uint64_t mask = 0x000000FF000000FFull;
    *number = ((word & mask) * 0x000F424000000064ull +
               ((word >> 16) & mask) * 0x0000271000000001ull) >> 32;
    return count;
}
#endif

typedef struct {
    double value;
    int64_t whole;     // the value where is_whole is set
    int is_whole;      // it is known to be a whole number within 2^53
} field_number;

// Reads up to eight digits, or eight, a point and eight, with at least 24 readable bytes from p.
// Returns the byte behind them, or NULL for any other spelling; where that byte is no delimiter the
// field is of another spelling, too.
static inline const uint8_t *usual_number(const uint8_t *p, field_number *field) {
#ifdef FED_CSV_WORDS
    // Tables are full of 0 and 1, and this test is well predicted: half as fast again in all.
    if ((p[1] == ',' || p[1] == '\n') && is_digit(*p)) {
        field->is_whole = 1;
        field->whole = *p - '0';
        field->value = (double)(*p - '0');
        return p + 1;
    }
    int negative = *p == '-';
    p += negative;
    uint64_t whole;
    unsigned count = leading_digits(p, &whole);
    p += count;
    field->is_whole = *p != '.';
    if (field->is_whole) {
        if (count == 0) return NULL;
        field->whole = negative ? -(int64_t)whole : (int64_t)whole;
        double value = (double)(int64_t)whole;
        field->value = negative ? -value : value;
    } else {
        uint64_t fraction;
        unsigned places = leading_digits(p + 1, &fraction);
        p += 1 + places;
        uint64_t mantissa = whole * whole_powers[places] + fraction;
        if (count + places == 0 || mantissa > (1ull << 53)) return NULL;
        double value = (double)(int64_t)mantissa / powers_of_ten[places];
        field->value = negative ? -value : value;
    }
    return p;
#else
    (void)p;
    (void)field;
    return NULL;
#endif
}

// Any other field: up to the next delimiter, in quotes or empty. Returns the delimiter or NULL.
static const uint8_t *other_number(const uint8_t *p, const uint8_t *end, field_number *field,
                                   int empty_allowed) {
    int quoted = *p == '"';
    const uint8_t *start = p + quoted, *q = start;
    while (q < end && *q != ',' && *q != '\n' && *q != '\r' && *q != '"') q++;
    const uint8_t *stop = q;
    if (quoted) {
        if (q == end || *q != '"') return NULL;
        q++;
    }
    if (q == end) return NULL;
    field->is_whole = 0;
    if (stop == start) {
        field->value = NAN;
        return empty_allowed ? q : NULL;
    }
    if (fed_csv_parse_number(start, (size_t)(stop - start), &field->value) != FED_CSV_NUMBER) {
        return NULL;
    }
    if (fabs(field->value) <= 9007199254740991.0 && field->value == trunc(field->value)) {
        field->is_whole = 1;
        field->whole = (int64_t)field->value;
    }
    return q;
}

// ---- rows --------------------------------------------------------------------------------------

// Reads one line into row `row`. Returns the start of the next line, or NULL for an odd one.
static inline const uint8_t *parse_row(const uint8_t *p, const uint8_t *end, const int32_t *roles,
                                       size_t field_count, const fed_csv_rows *rows, size_t row) {
    for (size_t index = 0; index < field_count; index++) {
        const int32_t role = roles[index];
        const uint8_t *q = NULL;
        field_number field;
        if (role == FED_CSV_IGNORED) {
            for (q = p; *q != ',' && *q != '\n' && *q != '\r'; q++) {
                if (*q == '"') return NULL;
            }
        } else {
            if (end - p >= 32) q = usual_number(p, &field);
            if (q == NULL || (*q != ',' && *q != '\n' && *q != '\r')) {
                q = other_number(p, end, &field, role >= 0);
            }
            if (q == NULL) return NULL;
            if (role >= 0) {
                rows->features[(size_t)role * rows->stride + row] = field.value;
            } else if (role == FED_CSV_LABEL) {
                if (field.value != 0 && field.value != 1) return NULL;
                rows->labels[row] = field.value != 0;
            } else {
                if (!field.is_whole) return NULL;
                rows->row_numbers[row] = field.whole;
            }
        }
        if (index + 1 < field_count) {
            if (*q != ',') return NULL;
            p = q + 1;
        } else {
            q += *q == '\r';
            return *q == '\n' ? q + 1 : NULL;
        }
    }
    return NULL;
}

size_t fed_csv_parse_rows(const uint8_t *bytes, size_t byte_count, const int32_t *roles,
                          size_t field_count, const fed_csv_rows *rows, size_t *row_count,
                          int *state) {
    const uint8_t *p = bytes, *const end = bytes + byte_count;
    size_t row = 0;
    *state = FED_CSV_END;
    while (p < end) {
        if (row == rows->row_limit) {
            *state = FED_CSV_FULL;
            break;
        }
        const uint8_t *next = parse_row(p, end, roles, field_count, rows, row);
        if (next == NULL) {
            *state = FED_CSV_ODD;
            break;
        }
        p = next;
        row++;
    }
    *row_count = row;
    return (size_t)(p - bytes);
}

// ---- columns -----------------------------------------------------------------------------------

#define LANES 8

FED_CLONES
int fed_csv_check_column(const double *values, size_t count, double low, double high,
                         int whole_numbers, int missing_allowed, uint8_t *flags,
                         fed_csv_summary *summary) {
    double least[LANES], most[LANES], sum[LANES];
    uint64_t missing[LANES], bad[LANES];
    for (int lane = 0; lane < LANES; lane++) {
        least[lane] = INFINITY;
        most[lane] = -INFINITY;
        sum[lane] = 0;
        missing[lane] = bad[lane] = 0;
    }
    const uint64_t missing_is_bad = missing_allowed ? 0 : 1;
    size_t index = 0;
    for (; index + LANES <= count; index += LANES) {
        for (int lane = 0; lane < LANES; lane++) {
            const double value = values[index + (size_t)lane];
            const uint64_t is_missing = value != value;
            least[lane] = value < least[lane] ? value : least[lane];
            most[lane] = value > most[lane] ? value : most[lane];
            sum[lane] += is_missing ? 0.0 : value;
            missing[lane] += is_missing;
            bad[lane] |= (uint64_t)(value < low) | (uint64_t)(value > high) |
                         (is_missing & missing_is_bad);
        }
    }
    for (; index < count; index++) {
        const double value = values[index];
        const uint64_t is_missing = value != value;
        least[0] = value < least[0] ? value : least[0];
        most[0] = value > most[0] ? value : most[0];
        sum[0] += is_missing ? 0.0 : value;
        missing[0] += is_missing;
        bad[0] |=
            (uint64_t)(value < low) | (uint64_t)(value > high) | (is_missing & missing_is_bad);
    }
    uint64_t fractions = 0;
    for (size_t at = 0; at < count; at++) {
        const double value = values[at];
        fractions |= (uint64_t)(value == value) & (uint64_t)(value != trunc(value));
    }
    for (int lane = 1; lane < LANES; lane++) {
        least[0] = least[lane] < least[0] ? least[lane] : least[0];
        most[0] = most[lane] > most[0] ? most[lane] : most[0];
        sum[0] += sum[lane];
        missing[0] += missing[lane];
        bad[0] |= bad[lane];
    }
    *summary =
        (fed_csv_summary){least[0], most[0], sum[0], (size_t)missing[0], fractions == 0};
    if (bad[0] == 0 && (fractions == 0 || !whole_numbers)) return 0;
    for (size_t at = 0; at < count; at++) {
        const double value = values[at];
        const int is_missing = value != value;
        flags[at] |= (uint8_t)((is_missing && !missing_allowed) || value < low || value > high ||
                               (whole_numbers && !is_missing && value != trunc(value)));
    }
    return 1;
}
