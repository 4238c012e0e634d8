// The product of two matrices, of which one is packed.
#pragma once

#include <stddef.h>

#include "vector.h"

#define PANEL (2 * LANES)

// Rows whose sums are taken together: they, the packed matrix's row and a factor fill the registers, 32 or 16 of them.
#define ROWS (LANES == 16 ? 14 : 6)

// The matrix on the left. Row i is `segments` runs of `length` floats from each source, of which the second may be
// NULL: run s begins at source + i * row + s * segment.
typedef struct {
    const float *sources[2];
    size_t row, segment;
    int rows, segments, length;
} left_matrix;

// Columns of the packed matrix come in panels of PANEL, and what remains of them in panels of LANES. A panel holds
// its columns of the first row, then of the second, and so on.
float *packed_at(float *packed, int depth, int columns, int column);  // where a column's first row is
size_t packed_step(int columns, int column);                          // from there to its next row

// Columns `first` to `last` of the product, both of which begin a panel: to[i * step + column].
void multiply(left_matrix, const float *packed, int columns, int first, int last, float *to, size_t step);
