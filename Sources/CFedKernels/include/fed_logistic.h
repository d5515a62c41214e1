#pragma once
#include <stddef.h>
#include <stdint.h>

/// Whether this processor and its system offer AVX2 with FMA.
int fed_cpu_has_avx2(void);

/// Whether this processor offers AVX-512 F, DQ, BW and VL, as OpenBLAS's SkylakeX kernels need.
int fed_cpu_has_avx512(void);

/// values[i] = sign(values[i])·log(1 + |values[i]|) for `count` values; the relative error is below
/// 1e-15. Infinities count as ±1e300.
void fed_signed_log(double *values, size_t count);

/// The terms of the logistic log-loss of `count` rows with log-odds eta[i] (finite).
///
/// With p = 1/(1 + exp(-eta)) and the row's class weight w:
/// residual[i] = w·(p - label), root[i] = sqrt(w·p·(1 - p)).
/// loss[i] = w·(-log of the probability of the row's label). Adds the sum of the losses to sums[0]
/// and that of the residuals to sums[1].
void fed_logistic_terms(const double *eta, const uint8_t *labels, size_t count,
                        double weight_normal, double weight_fraud, double *residual, double *root,
                        double *loss, double *sums);

/// scaled[j·stride + i] = root[i]·values[j·stride + i] for `columns` columns of `count` rows, and
/// one column more, scaled[columns·stride + i] = root[i].
void fed_logistic_scale(const double *values, const double *root, size_t columns, size_t stride,
                        size_t count, double *scaled);

/// values[i] = (values[i] - mean)·inverse_deviation.
void fed_standardise(double *values, size_t count, double mean, double inverse_deviation);

/// Adds the sum of values[i] - centre to sums[0] and that of its squares to sums[1].
void fed_centred_sums(const double *values, size_t count, double centre, double *sums);

/// The C library's log, exp and erfc.
double fed_erfc(double value);
