#include "fed_explain.h"

#include <string.h>

// Alike on every processor: no product is joined with a sum.
#pragma STDC FP_CONTRACT OFF

#if defined(__x86_64__) && defined(__linux__)
#define FED_CLONES __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define FED_CLONES
#endif

// One lane for each of Gauss's four points on 0...1.
typedef double points __attribute__((vector_size(32)));

static const points at_points = {0.06943184420297371, 0.33000947820757187, 0.6699905217924281,
                                 0.9305681557970262};
static const points rest = {0.9305681557970262, 0.6699905217924281, 0.33000947820757187,
                            0.06943184420297371};
static const points ones = {1, 1, 1, 1};
static const points gauss_weights = {0.17392742256872692, 0.32607257743127307, 0.32607257743127307,
                                     0.17392742256872692};
static const points gone = {-1 / 0.9305681557970262, -1 / 0.6699905217924281,
                            -1 / 0.33000947820757187, -1 / 0.06943184420297371};

// What is known of the way to a node whose last edge the row takes.
struct edge {
    points inverse;  // 1 / a, a being the factor of the edge's feature in the product of the way
    points gain;     // (1 - z) / a
};

static inline __attribute__((always_inline)) void explain_tree(
    const struct fed_explain_split *splits, size_t count, const uint8_t *bins, points *ways,
    struct edge *edges, uint8_t *is_hot, points *sums) {
    // No node's way ends in the root, so its place stands for no edge at all: a = 1, z = 1.
    ways[0] = ones;
    edges[0].inverse = ones;
    edges[0].gain = (points){0};
    is_hot[0] = 1;
    for (size_t i = 0; i < count; i++) {
        const struct fed_explain_split *s = splits + i;
        const points way = ways[s->node];
        const size_t left = s->left;
        if (!is_hot[s->upper]) {
            // The row has left the feature's way above: what is below goes by the shares alone.
            const points one = way * s->share[0], other = way * s->share[1];
            if (s->leaves == 3) {
                ways[s->node] = gauss_weights * way *
                                (s->share[0] * s->weight[0] + s->share[1] * s->weight[1]);
                continue;
            }
            is_hot[left] = is_hot[left + 1] = 0;
            ways[left] = s->leaves & 1 ? one * gauss_weights * (double)s->weight[0] : one;
            ways[left + 1] = s->leaves & 2 ? other * gauss_weights * (double)s->weight[1] : other;
            continue;
        }
        const size_t hot = (uint8_t)(bins[s->feature] - s->low) > s->width, cold = 1 - hot;
        const struct edge *upper = edges + s->upper;
        const double z = s->upper_share * s->share[hot];
        const points a = at_points + z * rest;
        const points inverse = ones / a;
        const points gain = (1 - z) * inverse;
        points one = way * (a * upper->inverse);
        points other = way * (s->upper_share * s->share[cold] * rest * upper->inverse);
        if (s->leaves >> hot & 1) one *= gauss_weights * (double)s->weight[hot];
        if (s->leaves >> cold & 1) other *= gauss_weights * (double)s->weight[cold];
        if (s->leaves == 3) {
            ways[s->node] = one + other;
            sums[s->feature] += one * (gain - upper->gain) + other * (gone - upper->gain);
            continue;
        }
        ways[left + hot] = one;
        ways[left + cold] = other;
        edges[left + hot].inverse = inverse;
        edges[left + hot].gain = gain;
        is_hot[left + hot] = 1;
        is_hot[left + cold] = 0;
    }
    for (size_t i = count; i-- > 0;) {
        const struct fed_explain_split *s = splits + i;
        if (s->leaves == 3) continue;
        const size_t left = s->left;
        const points one = ways[left], other = ways[left + 1];
        ways[s->node] = one + other;
        if (!is_hot[s->upper]) continue;
        const size_t hot = !is_hot[left];
        const points above = edges[s->upper].gain;
        sums[s->feature] += (hot ? other : one) * (edges[left + hot].gain - above) +
                            (hot ? one : other) * (gone - above);
    }
}

size_t fed_explain_scratch_bytes(size_t nodes_max, size_t feature_count) {
    return nodes_max * (sizeof(points) + sizeof(struct edge) + 1) + feature_count * sizeof(points);
}

FED_CLONES
void fed_explain_row(const struct fed_explain_split *splits, const uint32_t *starts,
                     size_t tree_count, size_t nodes_max, const uint8_t *bins, size_t feature_count,
                     void *scratch, double *sums) {
    points *vector_sums = scratch, *ways = vector_sums + feature_count;
    struct edge *edges = (struct edge *)(ways + nodes_max);
    uint8_t *is_hot = (uint8_t *)(edges + nodes_max);
    for (size_t f = 0; f < feature_count; f++) vector_sums[f] = (points){0};
    for (size_t t = 0; t < tree_count; t++) {
        explain_tree(splits + starts[t], starts[t + 1] - starts[t], bins, ways, edges, is_hot,
                     vector_sums);
    }
    for (size_t f = 0; f < feature_count; f++) {
        const points sum = vector_sums[f];
        sums[f] += (sum[0] + sum[1]) + (sum[2] + sum[3]);
    }
}
