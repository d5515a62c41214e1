#include "fed_histogram.h"

#include <string.h>

#if defined(__x86_64__) && defined(__linux__)
#define FED_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FED_CLONES
#endif

// Rows at a time, and cells at a time: 24 KiB of narrow sums stay in the first-level cache.
enum { chunk_rows = 2048, group_cells = 3072 };
static const int64_t gradient_limit = INT64_C(1) << 32, hessian_limit = INT64_C(1) << 31;
static const int64_t hessian_mask = (INT64_C(1) << FED_PACKED_SHIFT) - 1;

// Adds the narrow sums to the wide lanes and clears them.
static void flush(const struct fed_histogram_column *columns, size_t column_count,
                  const struct fed_histogram_member *members, int64_t *narrow, int64_t *lanes) {
    for (size_t k = 0; k < column_count; k++) {
        const struct fed_histogram_column column = columns[k];
        const struct fed_histogram_member *member = members + column.first_member;
        int64_t *cells = narrow + 256 * k;
        if (column.member_count == 1 && member->divisor == 1 && member->bins == column.cells) {
            int64_t *out = lanes + member->output;
            for (size_t cell = 0; cell < column.cells; cell++) {
                out[2 * cell] += cells[cell] >> FED_PACKED_SHIFT;
                out[2 * cell + 1] += cells[cell] & hessian_mask;
            }
        } else {
            for (uint32_t cell = 0; cell < column.cells; cell++) {
                if (cells[cell] == 0) continue;
                const int64_t gradient = cells[cell] >> FED_PACKED_SHIFT;
                const int64_t hessian = cells[cell] & hessian_mask;
                for (size_t m = 0; m < column.member_count; m++) {
                    const uint32_t bin = cell / member[m].divisor % member[m].bins;
                    lanes[member[m].output + 2 * bin] += gradient;
                    lanes[member[m].output + 2 * bin + 1] += hessian;
                }
            }
        }
        memset(cells, 0, column.cells * sizeof *cells);
    }
}

static inline void add_row(const uint8_t *row, int64_t word, const uint32_t *column_index,
                           size_t column_count, int64_t *narrow) {
    size_t k = 0;
    for (; k + 4 <= column_count; k += 4) {
        int64_t *cells = narrow + 256 * k;
        const size_t a = row[column_index[k]], b = row[column_index[k + 1]];
        const size_t c = row[column_index[k + 2]], d = row[column_index[k + 3]];
        cells[a] += word;
        cells[256 + b] += word;
        cells[512 + c] += word;
        cells[768 + d] += word;
    }
    for (; k < column_count; k++) narrow[256 * k + row[column_index[k]]] += word;
}

void fed_histogram(const uint8_t *matrix, size_t stride, const uint32_t *rows, size_t count,
                   const int64_t *packed, const struct fed_histogram_column *columns,
                   size_t column_count, const struct fed_histogram_member *members,
                   int64_t *narrow, int64_t *lanes) {
    uint32_t column_index[4096];
    if (column_count > 4096) return;
    for (size_t k = 0; k < column_count; k++) {
        column_index[k] = columns[k].column;
        memset(narrow + 256 * k, 0, columns[k].cells * sizeof *narrow);
    }
    int64_t gradient_room = gradient_limit, hessian_room = hessian_limit;
    int64_t words[chunk_rows];
    size_t done = 0, limit = chunk_rows;
    while (done < count) {
        const size_t size = count - done < limit ? count - done : limit;
        const uint32_t *chunk = rows + done;
        int64_t gradients = 0, hessians = 0;
        for (size_t i = 0; i < size; i++) {
            words[i] = packed[chunk[i]];
            const int64_t gradient = words[i] >> FED_PACKED_SHIFT;
            gradients += gradient < 0 ? -gradient : gradient;
            hessians += words[i] & hessian_mask;
        }
        if (gradients >= gradient_room || hessians >= hessian_room) {
            // Empty accumulators take any single row; shrink the chunk until they take all of it.
            if (gradient_room == gradient_limit && hessian_room == hessian_limit) {
                limit = (size + 1) / 2;
            } else {
                flush(columns, column_count, members, narrow, lanes);
                gradient_room = gradient_limit;
                hessian_room = hessian_limit;
            }
            continue;
        }
        gradient_room -= gradients;
        hessian_room -= hessians;
        for (size_t first = 0; first < column_count;) {
            size_t last = first, cells = 0;
            while (last < column_count && (cells += columns[last].cells) <= group_cells) last++;
            for (size_t i = 0; i < size; i++) {
                const size_t ahead = done + i + 24 < count ? rows[done + i + 24] : rows[count - 1];
                if (first == 0) __builtin_prefetch(matrix + ahead * stride);
                add_row(matrix + chunk[i] * stride, words[i], column_index + first, last - first,
                        narrow + 256 * first);
            }
            first = last;
        }
        done += size;
        limit = chunk_rows;
    }
    flush(columns, column_count, members, narrow, lanes);
}

FED_CLONES
void fed_histogram_lanes_add(int64_t *lanes, const int64_t *other, size_t count) {
    for (size_t i = 0; i < count; i++) lanes[i] += other[i];
}

FED_CLONES
void fed_lanes_subtract(const int64_t *parent, const int64_t *child, int64_t *out, size_t count) {
    for (size_t i = 0; i < count; i++) out[i] = parent[i] - child[i];
}

FED_CLONES
static uint64_t encode(const int64_t *integers, size_t count, int64_t limit, uint64_t mask,
                       uint64_t *lanes) {
    uint64_t excess = 0;
    for (size_t i = 0; i < count; i++) {
        // One of the two differences is negative, and does not wrap, when the magnitude is above.
        const uint64_t value = (uint64_t)integers[i], bound = (uint64_t)limit;
        excess |= (bound - value) | (bound + value);
        lanes[i] = value & mask;
    }
    return excess >> 63;
}

size_t fed_lanes_encode(const int64_t *integers, size_t count, int64_t limit, uint64_t mask,
                        uint64_t *lanes) {
    if (!encode(integers, count, limit, mask, lanes)) return count;
    for (size_t i = 0; i < count; i++) {
        if (integers[i] > limit || integers[i] < -limit) return i;
    }
    return count;
}

size_t fed_partition(const uint8_t *column, const uint32_t *rows, size_t count, uint8_t low,
                     uint8_t width, uint32_t *left, uint32_t *right) {
    size_t left_count = 0;
    for (size_t i = 0; i < count; i++) {
        const uint32_t row = rows[i];
        left[left_count] = row;
        right[i - left_count] = row;
        left_count += (uint8_t)(column[row] - low) <= width;
    }
    return left_count;
}

static inline uint64_t mix(uint64_t z) {
    z += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

size_t fed_sample(const uint64_t *hashes, size_t first, size_t count, uint64_t key,
                  uint64_t threshold, uint32_t *sampled, uint32_t *rest) {
    size_t taken = 0;
    for (size_t i = 0; i < count; i++) {
        sampled[taken] = (uint32_t)(first + i);
        rest[i - taken] = (uint32_t)(first + i);
        uint64_t z = (hashes[first + i] ^ key) * UINT64_C(0xBF58476D1CE4E5B9);
        z = (z ^ (z >> 32)) * UINT64_C(0x94D049BB133111EB);
        taken += z <= threshold;
    }
    return taken;
}

void fed_hash_rows(const uint8_t *bins, size_t feature_stride, size_t feature_count,
                   const uint8_t *labels, size_t count, uint64_t *hashes) {
    enum { block = 1024 };
    for (size_t start = 0; start < count; start += block) {
        const size_t size = count - start < block ? count - start : block;
        uint64_t *out = hashes + start;
        for (size_t i = 0; i < size; i++) out[i] = labels[start + i];
        for (size_t f = 0; f < feature_count; f++) {
            const uint8_t *column = bins + f * feature_stride + start;
            for (size_t i = 0; i < size; i++) {
                out[i] = (out[i] ^ (out[i] >> 29)) * UINT64_C(0x9E3779B97F4A7C15) + column[i];
            }
        }
        for (size_t i = 0; i < size; i++) out[i] = mix(out[i]);
    }
}

void fed_matrix_add(const uint8_t *codes, size_t count, uint8_t low, uint8_t divisor,
                    uint8_t *matrix, size_t stride) {
    for (size_t i = 0; i < count; i++) {
        matrix[i * stride] += (uint8_t)((uint8_t)(codes[i] - low) * divisor);
    }
}
