// Kernels of the tree trainer: gradients, histograms, row partition, split scan, scoring.
//
// Sums are integers, so no result depends on the order of rows or on the number of threads. Where
// doubles occur (sigmoid, gain), only IEEE 754 additions, multiplications and divisions in a fixed
// order are used and contraction is off: every machine gives the same bits.
#pragma once
#include <stddef.h>
#include <stdint.h>

// A row's gradient and hessian share one 64-bit word: gradient · 2^31 + hessian. Sums of words are
// words as long as |sum of gradients| < 2^32 and sum of hessians < 2^31.
#define FED_PACKED_SHIFT 31

// Fixed-point margins: units of 2^-20 log-odds.
#define FED_MARGIN_BITS 20

// exp(x) for |x| <= 700, relative error below 1e-14.
double fed_exp(double x);
// Natural logarithm of a positive normal number, relative error below 1e-14.
double fed_log(double x);

// Packs round(weight · (p - y) · 2^scale_bits) and max(1, round(weight · p · (1 - p) · 2^scale_bits))
// of `count` rows, p = sigmoid(margin · 2^-20), weight = 1 for labels 0 and `fraud_weight` for 1.
void fed_gradients(const int32_t *margins, const uint8_t *labels, size_t count, int scale_bits,
                   double fraud_weight, int64_t *packed);

// Probability of fraud of fixed-point margins.
void fed_probabilities(const int64_t *margins, size_t count, double *probabilities);

// One feature of a matrix column: bin = code / divisor % bins, sums go to lanes output + 2 · bin
// (gradient) and the lane after (hessian); `output` allows for the lowest bin of the column.
struct fed_histogram_member {
    uint32_t output, divisor, bins;
};

// A byte column of the matrix, holding one feature or several of few bins (mixed radix).
struct fed_histogram_column {
    uint32_t column, cells, first_member, member_count;
};

// Adds the histogram of the listed rows to `lanes`. `narrow` is scratch of 256 · column_count words.
void fed_histogram(const uint8_t *matrix, size_t stride, const uint32_t *rows, size_t count,
                   const int64_t *packed, const struct fed_histogram_column *columns,
                   size_t column_count, const struct fed_histogram_member *members,
                   int64_t *narrow, int64_t *lanes);

// lanes[i] += other[i], and out[i] = parent[i] - child[i].
void fed_histogram_lanes_add(int64_t *lanes, const int64_t *other, size_t count);
void fed_lanes_subtract(const int64_t *parent, const int64_t *child, int64_t *out, size_t count);

// lanes[i] = integers[i] & mask. Returns `count`, or the index of the first integer whose magnitude
// is above `limit`.
size_t fed_lanes_encode(const int64_t *integers, size_t count, int64_t limit, uint64_t mask,
                        uint64_t *lanes);

// Deals rows to `left` (bin - low <= width modulo 256) and `right`, keeping their order. Both
// outputs must have room for `count` rows. Returns the rows gone left.
size_t fed_partition(const uint8_t *column, const uint32_t *rows, size_t count, uint8_t low,
                     uint8_t width, uint32_t *left, uint32_t *right);

// Deals rows first ..< first + count to `sampled` where the hash mixed with the key is at
// most `threshold`, else to `rest`.
size_t fed_sample(const uint64_t *hashes, size_t first, size_t count, uint64_t key,
                  uint64_t threshold, uint32_t *sampled, uint32_t *rest);

// Folds columns of bins (column f at bins + f · feature_stride) into one 64-bit hash a row.
void fed_hash_rows(const uint8_t *bins, size_t feature_stride, size_t feature_count,
                   const uint8_t *labels, size_t count, uint64_t *hashes);

// Bins of raw values: missing_bin for NaN, else 1 + number of edges <= value.
void fed_bin_values(const double *values, size_t count, const double *edges, size_t edge_count,
                    uint8_t missing_bin, uint8_t *bins);

// matrix[row · stride] += (codes[row] - low) · divisor.
void fed_matrix_add(const uint8_t *codes, size_t count, uint8_t low, uint8_t divisor,
                    uint8_t *matrix, size_t stride);

// Regularisation of the split scan. Hessians and gradients are integers in units of `unit`.
struct fed_split_rule {
    double unit, lambda;
    int64_t child_hessian_min;
};

// The best split of one feature: bins low ... low + width go left.
struct fed_split {
    double score;  // GL²/(HL + lambda) + GR²/(HR + lambda), or -1 when there is none
    int64_t left_gradient, left_hessian;
    uint8_t low, width, missing_left;
};

// Scans the (gradient, hessian) pairs of `bins` bins, bin 0 being the missing one. `permitted` is
// NULL or has a flag for each bin that can end the left child's values, or go left alone: 256 for
// missing values on the right, then 256 for missing values on the left.
void fed_find_split(const int64_t *cells, size_t bins, int categorical, const uint8_t *permitted,
                    int64_t gradient, int64_t hessian, const struct fed_split_rule *rule,
                    struct fed_split *best);

// A node of a tree on bins: go to `left` when bin - low <= width modulo 256, else to left + 1.
// A leaf has width 255 and itself as `left`.
struct fed_tree_node {
    uint16_t feature;
    uint8_t low, width;
    uint32_t left;
};

// margins[i] += weight of the leaf that row i reaches, i from first to first + count - 1. Bins lie in
// columns: that of feature f begins at bins + f · feature_stride.
void fed_tree_add(const struct fed_tree_node *nodes, const int32_t *weights, int depth,
                  const uint8_t *bins, size_t feature_stride, size_t first, size_t count,
                  int32_t *margins);

// margins[row] += weight for each listed row.
void fed_margins_add(const uint32_t *rows, size_t count, int32_t weight, int32_t *margins);

// margins[row] += left where bin - low <= width modulo 256, else right, for each listed row.
void fed_margins_split(const uint8_t *column, const uint32_t *rows, size_t count, uint8_t low,
                       uint8_t width, int32_t left, int32_t right, int32_t *margins);

// Margins of `count` binned rows through all trees; roots[t] is the root of tree t.
void fed_forest_margins(const struct fed_tree_node *nodes, const int32_t *weights,
                        const uint32_t *roots, const uint8_t *depths, size_t tree_count,
                        const uint8_t *bins, size_t row_stride, size_t count, int64_t base,
                        int64_t *margins);
