// Transforms of 64 in two steps of 8, in place. The inverse is the same with real and imaginary parts exchanged.
#include "fourier.h"

INLINE cvec add(cvec a, cvec b) { return (cvec){a.re + b.re, a.im + b.im}; }
INLINE cvec subtract(cvec a, cvec b) { return (cvec){a.re - b.re, a.im - b.im}; }
INLINE cvec times_minus_i(cvec a) { return (cvec){a.im, -a.re}; }
INLINE cvec exchanged(cvec a) { return (cvec){a.im, a.re}; }
INLINE cvec turned(cvec a, float cosine, float sine) {
    return (cvec){a.re * splat(cosine) - a.im * splat(sine), a.re * splat(sine) + a.im * splat(cosine)};
}

INLINE void transform_4(cvec a, cvec b, cvec c, cvec d, cvec *x, int step) {
    cvec even = add(a, c), odd = subtract(a, c), sum = add(b, d), difference = times_minus_i(subtract(b, d));
    x[0] = add(even, sum);
    x[step] = add(odd, difference);
    x[2 * step] = subtract(even, sum);
    x[3 * step] = subtract(odd, difference);
}

INLINE void transform_8(cvec x[8]) {
    const vec half = splat(0.70710678118654752f);
    cvec sum[4], difference[4];
    for (int i = 0; i < 4; i++) {
        sum[i] = add(x[i], x[i + 4]);
        difference[i] = subtract(x[i], x[i + 4]);
    }
    cvec b = difference[1], d = difference[3];  // times e^(-i pi / 4), and e^(-3 i pi / 4)
    b = (cvec){(b.re + b.im) * half, (b.im - b.re) * half};
    d = (cvec){(d.im - d.re) * half, -(d.re + d.im) * half};
    transform_4(sum[0], sum[1], sum[2], sum[3], x, 2);
    transform_4(difference[0], b, times_minus_i(difference[2]), d, x + 1, 2);
}

INLINE cvec turned_by(cvec a, roots roots, int power) { return turned(a, roots[2 * power], roots[2 * power + 1]); }

static void transform_64(cvec x[SIDE], roots roots) {
    cvec y[SIDE];
    for (int b = 0; b < 8; b++) {
        cvec part[8];
        for (int a = 0; a < 8; a++)
            part[a] = x[8 * a + b];
        transform_8(part);
        y[b] = part[0];
        for (int c = 1; c < 8; c++)
            y[8 * c + b] = turned_by(part[c], roots, FRAME / SIDE * b * c);
    }
    for (int c = 0; c < 8; c++) {
        transform_8(y + 8 * c);
        for (int d = 0; d < 8; d++)
            x[c + 8 * d] = y[8 * c + d];
    }
}

void fourier_column(cvec x[SIDE], int column, cvec *places, roots roots) {
    transform_64(x, roots);
    for (int c = 0; c < SIDE; c++)
        places[c * ROW + column] = turned_by(x[c], roots, column * c);
}

void fourier_row(cvec *places, int row, roots roots) { transform_64(places + row * ROW, roots); }

void inverse_row(cvec *places, int row, roots roots) {
    cvec x[SIDE];
    for (int d = 0; d < SIDE; d++)
        x[d] = exchanged(places[row * ROW + d]);
    transform_64(x, roots);
    for (int b = 0; b < SIDE; b++)
        places[row * ROW + b] = exchanged(turned_by(x[b], roots, row * b));
}

void inverse_column(const cvec *places, int column, cvec x[SIDE], roots roots) {
    for (int c = 0; c < SIDE; c++)
        x[c] = exchanged(places[c * ROW + column]);
    transform_64(x, roots);
    for (int a = 0; a < SIDE; a++)
        x[a] = exchanged(x[a]);
}
