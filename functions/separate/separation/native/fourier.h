// The Fourier transform of 4096 complex numbers, of LANES signals side by side: no lane knows of another.
//
// In two passes of 64 transforms of 64 (J. Cooley, J. Tukey, "An algorithm for the machine calculation of complex
// Fourier series", 1965): with n = 64 a + b and k = c + 64 d,
//
//     X[k] = sum_b w^(b d 64) w^(b c) sum_a x[n] w^(a c 64),    w = e^(-2 pi i / 4096).
//
// Nothing is reordered: bin c + 64 d comes to the place of n = 64 c + d. The inverse begins there and ends in order.
#pragma once

#include <stddef.h>

#include "vector.h"

enum {
    FRAME = 4096,
    SIDE = 64,
    ROW = SIDE + 1,  // one more, or a column's numbers would be in the same set of the cache
    PLACES = SIDE * ROW,
};

typedef struct {
    vec re, im;
} cvec;

// Where number n is, and where bin k is.
INLINE size_t place_of_time(int n) { return (size_t)(n / SIDE) * ROW + n % SIDE; }
INLINE size_t place_of_bin(int k) { return (size_t)(k % SIDE) * ROW + k / SIDE; }

// w^0 to w^4095, cosine and sine in turns.
typedef const float *roots;

// Of column b: from x[64 a + b], in order of a, to the places of c.
void fourier_column(cvec x[SIDE], int column, cvec *places, roots);
// What is left, when all columns are done: of row c.
void fourier_row(cvec *places, int row, roots);
// The inverse, times 4096. Row by row, and then to x[64 a + b] of column b.
void inverse_row(cvec *places, int row, roots);
void inverse_column(const cvec *places, int column, cvec x[SIDE], roots);
