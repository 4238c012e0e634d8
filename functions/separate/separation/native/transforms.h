// Winograd's minimal filtering in one dimension: F(m, 3) makes m outputs of a filter of three taps by m + 2 products,
//
//     y = A^T [(G g) * (B^T d)],    d the m + 2 inputs, g the taps.
//
// The matrices are those of A. Lavin, S. Gray, "Fast Algorithms for Convolutional Neural Networks" (CVPR 2016). In two
// dimensions they are applied to the columns and then to the rows. The first product has the first tap alone in it,
// the last one the last tap: where such a tap is zero there is nothing to multiply.
#pragma once

#include "vector.h"

#define MOST_POINTS 6

static const double TAPS_2[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};  // G
static const double TAPS_4[6][3] = {{1. / 4, 0, 0},           {-1. / 6, -1. / 6, -1. / 6}, {-1. / 6, 1. / 6, -1. / 6},
                                    {1. / 24, 1. / 12, 1. / 6}, {1. / 24, -1. / 12, 1. / 6}, {0, 0, 1}};

// B^T d
INLINE void transform_inputs(const int m, const vec d[], vec v[]) {
    if (m == 2) {
        v[0] = d[0] - d[2];
        v[1] = d[1] + d[2];
        v[2] = d[2] - d[1];
        v[3] = d[1] - d[3];
    } else {
        const vec four = splat(4), five = splat(5);
        vec a = d[4] - four * d[2], b = d[3] - four * d[1], c = d[4] - d[2], e = (d[3] - d[1]) + (d[3] - d[1]);
        v[0] = four * d[0] + (d[4] - five * d[2]);
        v[1] = a + b;
        v[2] = a - b;
        v[3] = c + e;
        v[4] = c - e;
        v[5] = four * d[1] + (d[5] - five * d[3]);
    }
}

// A^T v; `with_last` is false if the last product was left out.
INLINE void transform_products(const int m, const int with_last, const vec v[], vec y[]) {
    if (m == 2) {
        y[0] = v[0] + (v[1] + v[2]);
        y[1] = with_last ? (v[1] - v[2]) - v[3] : v[1] - v[2];
    } else {
        vec a = v[1] + v[2], b = v[1] - v[2], c = v[3] + v[4], d = v[3] - v[4];
        y[0] = v[0] + (a + c);
        y[1] = b + splat(2) * d;
        y[2] = a + splat(4) * c;
        y[3] = b + splat(8) * d;
        if (with_last)
            y[3] += v[5];
    }
}
