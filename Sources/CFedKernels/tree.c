#include "fed_histogram.h"

#include <string.h>

#pragma STDC FP_CONTRACT OFF

#if defined(__x86_64__) && defined(__linux__)
#define FED_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FED_CLONES
#endif

// 1.5 · 2^52: adding it rounds a double below 2^51 to an integer, half to even, held in the low bits.
static const double rounder = 6755399441055744.0;

static inline int64_t bits_of(double x) {
    int64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline double double_of(int64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline int64_t round_to_integer(double x) {
    return bits_of(x + rounder) - bits_of(rounder);
}

// Cody-Waite reduction to |r| <= ln(2)/2 and Taylor's polynomial, of degree 13 (below 1e-16) or,
// where the result is rounded to 2^-22 anyway, of degree 7 (below 1e-8).
static inline double exponential(double x, int precise) {
    x = x < -700.0 ? -700.0 : x;
    x = x > 700.0 ? 700.0 : x;
    const double shifted = x * 1.4426950408889634 + rounder;
    const double n = shifted - rounder;
    double r = x - n * 0.693147180369123816490;
    r = r - n * 1.90821492927058770002e-10;
    double sum = 1.0 / 5040.0;
    if (precise) {
        sum = 1.0 / 6227020800.0;
        sum = sum * r + 1.0 / 479001600.0;
        sum = sum * r + 1.0 / 39916800.0;
        sum = sum * r + 1.0 / 3628800.0;
        sum = sum * r + 1.0 / 362880.0;
        sum = sum * r + 1.0 / 40320.0;
        sum = sum * r + 1.0 / 5040.0;
    }
    sum = sum * r + 1.0 / 720.0;
    sum = sum * r + 1.0 / 120.0;
    sum = sum * r + 1.0 / 24.0;
    sum = sum * r + 1.0 / 6.0;
    sum = sum * r + 0.5;
    sum = sum * r + 1.0;
    sum = sum * r + 1.0;
    return double_of(bits_of(sum) + ((bits_of(shifted) - bits_of(rounder)) << 52));
}

double fed_exp(double x) { return exponential(x, 1); }

double fed_log(double x) {
    // x = 2^e · m with m in [sqrt(1/2), sqrt(2)), ln m = 2 artanh((m - 1) / (m + 1)).
    const int64_t bits = bits_of(x);
    int64_t exponent = (bits >> 52) - 1023;
    double m = double_of((bits & INT64_C(0x000FFFFFFFFFFFFF)) | INT64_C(0x3FF0000000000000));
    if (m > 1.4142135623730951) {
        m = m * 0.5;
        exponent += 1;
    }
    const double t = (m - 1.0) / (m + 1.0), square = t * t;
    double sum = 0.0;
    for (int k = 25; k >= 3; k -= 2) sum = (sum + 1.0 / k) * square;
    return (double)exponent * 0.6931471805599453 + 2.0 * t * (1.0 + sum);
}

FED_CLONES
void fed_gradients(const int32_t *margins, const uint8_t *labels, size_t count, int scale_bits,
                   double fraud_weight, int64_t *packed) {
    const double scale = (double)(INT64_C(1) << scale_bits), fraud_scale = scale * fraud_weight;
    for (size_t i = 0; i < count; i++) {
        const double x = (double)margins[i] * (1.0 / 1048576.0);
        const double label = (double)labels[i];
        const double weight = labels[i] ? fraud_scale : scale;
        const double p = 1.0 / (1.0 + exponential(-x, 0));
        const int64_t gradient = round_to_integer((p - label) * weight);
        int64_t hessian = round_to_integer(p * (1.0 - p) * weight);
        hessian = hessian < 1 ? 1 : hessian;
        packed[i] = (int64_t)((uint64_t)gradient << FED_PACKED_SHIFT) + hessian;
    }
}

FED_CLONES
void fed_probabilities(const int64_t *margins, size_t count, double *probabilities) {
    for (size_t i = 0; i < count; i++) {
        const double x = (double)margins[i] * (1.0 / 1048576.0);
        probabilities[i] = 1.0 / (1.0 + exponential(-x, 1));
    }
}

// Branch-free search of several values at once in 2^k - 1 edges, filled up with +infinity.
void fed_bin_values(const double *values, size_t count, const double *edges, size_t edge_count,
                    uint8_t missing_bin, uint8_t *bins) {
    enum { lanes = 8 };
    double padded[256];
    uint32_t half = 1;
    while (half * 2 <= edge_count) half *= 2;
    for (size_t i = 0; i < 256; i++) padded[i] = i < edge_count ? edges[i] : __builtin_inf();
    for (size_t start = 0; start < count; start += lanes) {
        double value[lanes];
        uint32_t below[lanes] = {0};
        const size_t size = count - start < lanes ? count - start : lanes;
        for (size_t k = 0; k < lanes; k++) {
            // The largest finite number stands for +infinity, which the padding must exceed.
            const double x = values[start + (k < size ? k : 0)];
            value[k] = x > 1.7976931348623157e308 ? 1.7976931348623157e308 : x;
        }
        for (uint32_t step = half; step > 0; step >>= 1) {
            for (size_t k = 0; k < lanes; k++) {
                const uint32_t above = padded[below[k] + step - 1] <= value[k];
                below[k] += step & (0u - above);
            }
        }
        for (size_t k = 0; k < size; k++) {
            bins[start + k] = value[k] != value[k] ? missing_bin : (uint8_t)(below[k] + 1);
        }
    }
}

struct scan {
    double gradient[256], hessian[256], score[256];
};

FED_CLONES
static void score_all(struct scan *scan, size_t count, double gradient, double hessian,
                      double lambda, double hessian_min) {
    for (size_t i = 0; i < count; i++) {
        const double gl = scan->gradient[i], hl = scan->hessian[i];
        const double gr = gradient - gl, hr = hessian - hl;
        const double dl = hl + lambda, dr = hr + lambda;
        const double score = (gl * gl * dr + gr * gr * dl) / (dl * dr);
        scan->score[i] = ((hl >= hessian_min) & (hr >= hessian_min)) ? score : -1.0;
    }
}

void fed_find_split(const int64_t *cells, size_t bins, int categorical, const uint8_t *permitted,
                    int64_t gradient, int64_t hessian, const struct fed_split_rule *rule,
                    struct fed_split *best) {
    struct scan scan;
    const double unit = rule->unit;
    const double total_gradient = (double)gradient * unit, total_hessian = (double)hessian * unit;
    const double hessian_min = (double)rule->child_hessian_min * unit;
    best->score = -1.0;
    if (bins < 2) return;
    // A numeric scan puts bins ..< last to the left; a categorical one takes each bin alone.
    const size_t count = categorical ? bins : bins - 1;
    const int passes = categorical || cells[1] == 0 ? 1 : 2;
    for (int missing_left = 0; missing_left < passes; missing_left++) {
        int64_t gl = 0, hl = 0;
        for (size_t i = 0; i < count; i++) {
            if (categorical) {
                gl = cells[2 * i];
                hl = cells[2 * i + 1];
            } else if (i > 0 || missing_left) {
                gl += cells[2 * i];
                hl += cells[2 * i + 1];
            }
            scan.gradient[i] = (double)gl * unit;
            scan.hessian[i] = (double)hl * unit;
        }
        score_all(&scan, count, total_gradient, total_hessian, rule->lambda, hessian_min);
        const uint8_t *const flags = permitted ? permitted + 256 * missing_left : NULL;
        for (size_t i = 0; i < count; i++) {
            if (scan.score[i] <= best->score || (flags && !flags[i])) continue;
            best->score = scan.score[i];
            best->left_gradient = round_to_integer(scan.gradient[i] / unit);
            best->left_hessian = round_to_integer(scan.hessian[i] / unit);
            best->missing_left = categorical ? i == 0 : (uint8_t)missing_left;
            best->low = (uint8_t)(categorical ? i : (missing_left ? 0 : 1));
            best->width = (uint8_t)(categorical ? 0 : (missing_left ? i : i - 1));
        }
    }
}
