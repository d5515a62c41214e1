#include "fed_histogram.h"

// Eight walks at a time hide the latency of the loads that depend on each other.
enum { lanes = 8 };

static inline uint32_t step(const struct fed_tree_node *nodes, uint32_t at, const uint8_t *row,
                            size_t feature_stride) {
    const struct fed_tree_node node = nodes[at];
    const uint8_t bin = row[node.feature * feature_stride];
    return node.left + ((uint8_t)(bin - node.low) > node.width);
}

void fed_tree_add(const struct fed_tree_node *nodes, const int32_t *weights, int depth,
                  const uint8_t *bins, size_t feature_stride, size_t first, size_t count,
                  int32_t *margins) {
    size_t i = first;
    const size_t end = first + count;
    for (; i + lanes <= end; i += lanes) {
        uint32_t at[lanes] = {0};
        for (int level = 0; level < depth; level++) {
            for (int k = 0; k < lanes; k++) at[k] = step(nodes, at[k], bins + i + k, feature_stride);
        }
        for (int k = 0; k < lanes; k++) margins[i + k] += weights[at[k]];
    }
    for (; i < end; i++) {
        uint32_t at = 0;
        for (int level = 0; level < depth; level++) at = step(nodes, at, bins + i, feature_stride);
        margins[i] += weights[at];
    }
}

void fed_margins_add(const uint32_t *rows, size_t count, int32_t weight, int32_t *margins) {
    for (size_t i = 0; i < count; i++) margins[rows[i]] += weight;
}

void fed_margins_split(const uint8_t *column, const uint32_t *rows, size_t count, uint8_t low,
                       uint8_t width, int32_t left, int32_t right, int32_t *margins) {
    const int32_t weights[2] = {right, left};
    for (size_t i = 0; i < count; i++) {
        const uint32_t row = rows[i];
        margins[row] += weights[(uint8_t)(column[row] - low) <= width];
    }
}

static int64_t one_row(const struct fed_tree_node *nodes, const int32_t *weights,
                       const uint32_t *roots, const uint8_t *depths, size_t tree_count,
                       const uint8_t *row) {
    int64_t sum = 0;
    size_t t = 0;
    for (; t + lanes <= tree_count; t += lanes) {
        uint32_t at[lanes];
        int depth = 0;
        for (int k = 0; k < lanes; k++) {
            at[k] = roots[t + k];
            depth = depths[t + k] > depth ? depths[t + k] : depth;
        }
        for (int level = 0; level < depth; level++) {
            for (int k = 0; k < lanes; k++) at[k] = step(nodes, at[k], row, 1);
        }
        for (int k = 0; k < lanes; k++) sum += weights[at[k]];
    }
    for (; t < tree_count; t++) {
        uint32_t at = roots[t];
        for (int level = 0; level < depths[t]; level++) at = step(nodes, at, row, 1);
        sum += weights[at];
    }
    return sum;
}

void fed_forest_margins(const struct fed_tree_node *nodes, const int32_t *weights,
                        const uint32_t *roots, const uint8_t *depths, size_t tree_count,
                        const uint8_t *bins, size_t row_stride, size_t count, int64_t base,
                        int64_t *margins) {
    size_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        int64_t sum[lanes];
        const uint8_t *row[lanes];
        for (int k = 0; k < lanes; k++) {
            sum[k] = base;
            row[k] = bins + (i + k) * row_stride;
        }
        for (size_t t = 0; t < tree_count; t++) {
            uint32_t at[lanes];
            for (int k = 0; k < lanes; k++) at[k] = roots[t];
            for (int level = 0; level < depths[t]; level++) {
                for (int k = 0; k < lanes; k++) at[k] = step(nodes, at[k], row[k], 1);
            }
            for (int k = 0; k < lanes; k++) sum[k] += weights[at[k]];
        }
        for (int k = 0; k < lanes; k++) margins[i + k] = sum[k];
    }
    for (; i < count; i++) {
        margins[i] = base + one_row(nodes, weights, roots, depths, tree_count,
                                    bins + i * row_stride);
    }
}
