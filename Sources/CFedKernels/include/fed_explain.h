// Shapley values of the trees of a model for one row.
#pragma once
#include <stddef.h>
#include <stdint.h>

#define FED_EXPLAIN_LEFT_IS_LEAF 1
#define FED_EXPLAIN_RIGHT_IS_LEAF 2

// A split of a tree; nodes are numbered within the tree, parents before children.
struct fed_explain_split {
    double share[2];     // of the node's rows, left and right
    double upper_share;  // what of the rows at the first split above on the same feature come here
    int32_t weight[2];   // of children that are leaves, in units of 2^-20
    uint16_t feature;
    uint16_t node, left;  // the right child is left + 1
    uint16_t upper;       // the node behind the last edge above on the same feature; 0 for none
    uint8_t low, width;   // left where bin - low <= width modulo 256
    uint8_t leaves;       // FED_EXPLAIN_..._IS_LEAF
};

// Adds the contribution of each feature to the sum of the trees' weights, in units of 2^-20, to
// sums[feature].
//
// splits holds the trees one after the other, that of tree t from starts[t] on, with
// starts[tree_count] at the end. scratch is of fed_explain_scratch_bytes(nodes_max, feature_count)
// bytes, aligned to 64, where no tree has more than nodes_max nodes.
void fed_explain_row(const struct fed_explain_split *splits, const uint32_t *starts,
                     size_t tree_count, size_t nodes_max, const uint8_t *bins, size_t feature_count,
                     void *scratch, double *sums);

size_t fed_explain_scratch_bytes(size_t nodes_max, size_t feature_count);
