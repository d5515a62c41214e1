// Reading rows of plain numbers from CSV bytes into columns.
#pragma once
#include <stddef.h>
#include <stdint.h>

// What a field of the file is. A number >= 0 is a feature's index.
#define FED_CSV_ROW_NUMBER (-1)
#define FED_CSV_LABEL (-2)
#define FED_CSV_IGNORED (-3)

// Why fed_csv_parse_rows stopped.
#define FED_CSV_END 0   // every line is read
#define FED_CSV_ODD 1   // the next row needs the careful reader: nothing of it counts
#define FED_CSV_FULL 2  // row_limit rows are read

// Where rows go. Feature j of row i is at features[j * stride + i]; NaN for an empty field.
typedef struct {
    double *features;
    size_t stride;
    uint8_t *labels;
    int64_t *row_numbers;
    size_t row_limit;
} fed_csv_rows;

// Reads rows until the bytes end, a row is odd or row_limit rows are there.
//
// bytes must end in '\n'; lines end in "\n" or "\r\n". roles has one entry for each field of a
// line. A row is odd when it has another number of fields, a field that is no plain number (one in
// quotes is, and an empty field of a feature is NaN), a label other than 0 and 1, a row number that
// is not whole, or a value that is not finite. Returns the bytes consumed, whole lines always.
size_t fed_csv_parse_rows(const uint8_t *bytes, size_t byte_count, const int32_t *roles,
                          size_t field_count, const fed_csv_rows *rows, size_t *row_count,
                          int *state);

#define FED_CSV_NUMBER 0
#define FED_CSV_NOT_A_NUMBER 1
#define FED_CSV_NOT_FINITE 2  // spelt as NaN or infinity, or beyond the range of doubles

// Parses all of a field as a decimal number, [+-]digits[.digits][e[+-]digits], of at most 255
// bytes, without white space. The value is the nearest double, the same as strtod's.
int fed_csv_parse_number(const uint8_t *bytes, size_t byte_count, double *value);

// Figures of one column's slice.
typedef struct {
    double min;  // +infinity when all are missing
    double max;
    double sum;
    size_t missing_count;
    int is_whole;  // all values are whole numbers
} fed_csv_summary;

// Sums up values[0..<count] and sets flags[i] |= 1 where a value breaks the rules: outside of
// [low, high], not whole where whole_numbers is set, NaN where missing_allowed is not.
// Returns 1 when a flag was set.
int fed_csv_check_column(const double *values, size_t count, double low, double high,
                         int whole_numbers, int missing_allowed, uint8_t *flags,
                         fed_csv_summary *summary);
