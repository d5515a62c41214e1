#include "fed_logistic.h"

#include <string.h>

// One source, compiled for each instruction set and picked when the program is loaded. The loops
// are written so that the compiler turns them into vector code: no branches, no calls.
#if defined(__x86_64__) && defined(__ELF__)
#define FED_CLONES \
    __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FED_CLONES
#endif

static inline double from_bits(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint64_t to_bits(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

// exp(x) for -700 <= x <= 0: x = n·log 2 + r with |r| <= 0.347, then the Taylor series of exp(r)
// to r^13, whose remainder is below 5e-18.
static inline __attribute__((always_inline)) double exp_negative(double x) {
    const double shifter = 0x1.8p52;
    double shifted = x * 0x1.71547652b82fep0 + shifter;
    double n = shifted - shifter;
    double r = (x - n * 0x1.62e42fee00000p-1) - n * 0x1.a39ef35793c76p-33;
    double series = 1.0 / 6227020800.0;
    series = series * r + 1.0 / 479001600.0;
    series = series * r + 1.0 / 39916800.0;
    series = series * r + 1.0 / 3628800.0;
    series = series * r + 1.0 / 362880.0;
    series = series * r + 1.0 / 40320.0;
    series = series * r + 1.0 / 5040.0;
    series = series * r + 1.0 / 720.0;
    series = series * r + 1.0 / 120.0;
    series = series * r + 1.0 / 24.0;
    series = series * r + 1.0 / 6.0;
    series = series * r + 0.5;
    series = series * r + 1.0;
    series = series * r + 1.0;
    // The low bits of the shifted sum hold n; adding it to the exponent field multiplies by 2^n.
    return from_bits(to_bits(series) + (to_bits(shifted) << 52));
}

// log(1 + e) for 0 <= e <= 1 as 2·artanh(s), s = e/(2 + e) <= 1/3; the remainder is below 1e-17.
static inline __attribute__((always_inline)) double log1p_unit(double e) {
    double s = e / (2.0 + e);
    double t = s * s;
    double series = 1.0 / 33.0;
    series = series * t + 1.0 / 31.0;
    series = series * t + 1.0 / 29.0;
    series = series * t + 1.0 / 27.0;
    series = series * t + 1.0 / 25.0;
    series = series * t + 1.0 / 23.0;
    series = series * t + 1.0 / 21.0;
    series = series * t + 1.0 / 19.0;
    series = series * t + 1.0 / 17.0;
    series = series * t + 1.0 / 15.0;
    series = series * t + 1.0 / 13.0;
    series = series * t + 1.0 / 11.0;
    series = series * t + 1.0 / 9.0;
    series = series * t + 1.0 / 7.0;
    series = series * t + 1.0 / 5.0;
    series = series * t + 1.0 / 3.0;
    return 2.0 * s + 2.0 * s * t * series;
}

FED_CLONES void fed_signed_log(double *restrict values, size_t count) {
    for (size_t i = 0; i < count; i++) {
        double x = values[i];
        double a = __builtin_fabs(x);
        a = a < 1e300 ? a : 1e300;
        double u = 1.0 + a;
        // What rounding u lost: a - (u - 1) where a is small, 1 - (u - a) where it is large.
        double lost = a < 1.0 ? a - (u - 1.0) : 1.0 - (u - a);
        uint64_t bits = to_bits(u);
        uint64_t k = (bits - 0x3fe6a09e667f3bcdULL) >> 52;
        double m = from_bits(bits - (k << 52));
        double exponent = from_bits(k | 0x4330000000000000ULL) - 0x1p52;
        double f = m - 1.0;
        double s = f / (2.0 + f);
        double t = s * s;
        double series = 1.0 / 23.0;
        series = series * t + 1.0 / 21.0;
        series = series * t + 1.0 / 19.0;
        series = series * t + 1.0 / 17.0;
        series = series * t + 1.0 / 15.0;
        series = series * t + 1.0 / 13.0;
        series = series * t + 1.0 / 11.0;
        series = series * t + 1.0 / 9.0;
        series = series * t + 1.0 / 7.0;
        series = series * t + 1.0 / 5.0;
        series = series * t + 1.0 / 3.0;
        double small = 2.0 * s * t * series + (lost / u + exponent * 0x1.a39ef35793c76p-33);
        double result = exponent * 0x1.62e42fee00000p-1 + (2.0 * s + small);
        values[i] = __builtin_copysign(result, x);
    }
}

// Eight partial sums in a fixed order: the same result for every width of vector.
static inline __attribute__((always_inline)) double sum_in_order(const double *values,
                                                                 size_t count) {
    double partial[8] = {0};
    size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        for (size_t k = 0; k < 8; k++) partial[k] += values[i + k];
    }
    for (; i < count; i++) partial[0] += values[i];
    return ((partial[0] + partial[1]) + (partial[2] + partial[3])) +
           ((partial[4] + partial[5]) + (partial[6] + partial[7]));
}

FED_CLONES void fed_logistic_terms(const double *restrict eta, const uint8_t *restrict labels,
                                 size_t count, double weight_normal, double weight_fraud,
                                   double *restrict residual, double *restrict root,
                                   double *restrict loss, double *restrict sums) {
    double weight_step = weight_fraud - weight_normal;
    double root_normal = __builtin_sqrt(weight_normal);
    double root_step = __builtin_sqrt(weight_fraud) - root_normal;
    for (size_t i = 0; i < count; i++) {
        double x = eta[i];
        double label = (double)(int32_t)labels[i];
        double weight = weight_normal + weight_step * label;
        double magnitude = __builtin_fabs(x);
        double held = magnitude < 700.0 ? magnitude : 700.0;
        // The root needs exp(-|x|/2); a call of sqrt would stop the vector code.
        double half = exp_negative(-0.5 * held);
        double e = half * half;
        double inverse = 1.0 / (1.0 + e);
        double probability = (x < 0.0 ? e : 1.0) * inverse;
        residual[i] = weight * (probability - label);
        root[i] = (root_normal + root_step * label) * half * inverse;
        // (1 - 2·label)·x is the log-odds of the class that the row does not have.
        double wrong = x - 2.0 * label * x;
        loss[i] = weight * (log1p_unit(e) + (wrong > 0.0 ? wrong : 0.0));
    }
    sums[0] += sum_in_order(loss, count);
    sums[1] += sum_in_order(residual, count);
}

FED_CLONES void fed_logistic_scale(const double *restrict values, const double *restrict root,
                                   size_t columns, size_t stride, size_t count,
                                   double *restrict scaled) {
    for (size_t j = 0; j < columns; j++) {
        const double *column = values + j * stride;
        double *target = scaled + j * stride;
        for (size_t i = 0; i < count; i++) target[i] = root[i] * column[i];
    }
    memcpy(scaled + columns * stride, root, count * sizeof(double));
}

FED_CLONES void fed_standardise(double *values, size_t count, double mean,
                                double inverse_deviation) {
    for (size_t i = 0; i < count; i++) values[i] = (values[i] - mean) * inverse_deviation;
}

FED_CLONES void fed_centred_sums(const double *restrict values, size_t count, double centre,
                                 double *restrict sums) {
    double first[8] = {0}, second[8] = {0};
    size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        for (size_t k = 0; k < 8; k++) {
            double difference = values[i + k] - centre;
            first[k] += difference;
            second[k] += difference * difference;
        }
    }
    for (; i < count; i++) {
        double difference = values[i] - centre;
        first[0] += difference;
        second[0] += difference * difference;
    }
    sums[0] += ((first[0] + first[1]) + (first[2] + first[3])) +
               ((first[4] + first[5]) + (first[6] + first[7]));
    sums[1] += ((second[0] + second[1]) + (second[2] + second[3])) +
               ((second[4] + second[5]) + (second[6] + second[7]));
}
