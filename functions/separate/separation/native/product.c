// The product of a matrix and a packed one, in blocks whose sums stay in registers.
//
// See K. Goto, R. van de Geijn, "Anatomy of high-performance matrix multiplication", ACM TOMS 34 (2008). Here the
// matrices are small enough for one loop around the kernel: a panel is read from memory once, and then from the cache.
// Each sum is taken in order of the depth, whichever kernel takes it, so that it does not depend on the blocks.
#include "product.h"

static int width(int columns, int column) {
    return columns - column / PANEL * PANEL >= PANEL ? PANEL : LANES;
}

float *packed_at(float *packed, int depth, int columns, int column) {
    int wide = width(columns, column), begin = column / wide * wide;
    return packed + (size_t)begin * depth + (column - begin);
}

size_t packed_step(int columns, int column) { return (size_t)width(columns, column); }

// `rows` x `vectors` sums. The next panel is fetched into the second cache meanwhile, a line or two for each row.
//
// A factor's address is that of the middle one of five rows, and a row's length once or twice, up or down: what the
// processor adds by itself. The compiler, which is kept from seeing it, would have a register for each row, of which
// there are not enough.
INLINE void kernel(const int rows, const int vectors, left_matrix left, const float *panel, const float *ahead,
                   const int lines, float *to, size_t step) {
    ptrdiff_t down = (ptrdiff_t)left.row, up = -down;
    __asm__("" : "+r"(up));
    vec sum[ROWS][2];
#pragma GCC unroll 14
    for (int i = 0; i < rows; i++)
        for (int v = 0; v < vectors; v++)
            sum[i][v] = (vec){0};
    const int segments = left.sources[1] ? 2 * left.segments : left.segments;
    for (int s = 0; s < segments; s++) {
        const float *first = s < left.segments ? left.sources[0] + s * left.segment
                                               : left.sources[1] + (s - left.segments) * left.segment;
        const float *middle[3] = {first + 2 * down, first + 7 * down, first + 12 * down};
        __asm__("" : "+r"(middle[0]), "+r"(middle[1]), "+r"(middle[2]));
        for (int k = 0; k < left.length; k++) {
            vec first = load(panel), second = vectors > 1 ? load(panel + LANES) : first;
            panel += vectors * LANES;
            __builtin_prefetch(ahead, 0, 2);
            ahead += lines * 16;
#pragma GCC unroll 14
            for (int i = 0; i < rows; i++) {
                const float *near = middle[i / 5];
                vec x = splat(i % 5 < 2 ? near[(2 - i % 5) * up] : near[(i % 5 - 2) * down]);
                sum[i][0] += x * first;
                if (vectors > 1)
                    sum[i][1] += x * second;
            }
            middle[0]++, middle[1]++, middle[2]++;
        }
    }
#pragma GCC unroll 14
    for (int i = 0; i < rows; i++)
        for (int v = 0; v < vectors; v++)
            store(to + i * step + v * LANES, sum[i][v]);
}

static void block(int rows, int vectors, left_matrix left, const float *panel, const float *ahead, int lines,
                  float *to, size_t step) {
    switch (rows) {
#define CASE(n)                                                        \
    case n:                                                            \
        if (vectors == 2)                                              \
            kernel(n, 2, left, panel, ahead, lines, to, step);         \
        else                                                           \
            kernel(n, 1, left, panel, ahead, lines, to, step);         \
        break;
        CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6)
#if LANES == 16
        CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12) CASE(13) CASE(14)
#endif
#undef CASE
    }
}

void multiply(left_matrix left, const float *packed, int columns, int first, int last, float *to, size_t step) {
    int depth = left.segments * left.length * (left.sources[1] ? 2 : 1), blocks = (left.rows + ROWS - 1) / ROWS;
    const left_matrix whole = left;
    for (int column = first, wide; column < last; column += wide) {
        wide = width(columns, column);
        const float *panel = packed + (size_t)column * depth, *next = panel + (size_t)wide * depth;
        for (int b = 0; b < blocks; b++) {
            int begin = left.rows * b / blocks, end = left.rows * (b + 1) / blocks;
            // A line is 16 floats. The first blocks fetch one of each of the next panel's rows, or more if there are
            // too few blocks; the others fetch what is there.
            const int lines = wide / 16 > 0 ? wide / 16 : 1;
            int fetches = b < lines && column + wide < columns;
            left.sources[0] = whole.sources[0] + begin * whole.row;
            if (whole.sources[1])
                left.sources[1] = whole.sources[1] + begin * whole.row;
            block(end - begin, wide / LANES, left, panel, fetches ? next + 16 * b : panel, fetches ? lines : 0,
                  to + begin * step + column, step);
        }
    }
}
