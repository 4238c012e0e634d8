// A 5x5 convolution of stride 2, or its transpose, by Winograd's minimal filtering.
#pragma once

#include "activation.h"
#include "crew.h"
#include "image.h"
#include "transforms.h"

typedef struct {
    // What it is.
    int up;             // transposed: the output is twice the size, not half
    int tile;           // so many outputs of the plain convolution a side: 2 or 4
    int by_steps;       // the whole image step by step, or block by block
    int height, width;  // of the smaller of input and output
    int inputs[2];      // channels of the first source, and of the second; only a transposed one has two
    int outputs;        // channels; a multiple of 16
    activation activation;
    // What follows from it, by `winograd_plan`.
    int depth, columns;  // of the products' matrices
    struct {
        int begin, end;  // the rows, or if transposed the columns, that are not zero
        float *packed;
    } weights[MOST_POINTS * MOST_POINTS];
    float *bias, *scale, *shift;  // of each output channel
} winograd;

typedef struct {
    const float *kernel;         // as TensorFlow keeps it
    const float *bias;           // of each output channel
    const float *scale, *shift;  // of the norm
} layer_variables;

void winograd_plan(winograd *, arena *);
void winograd_load(winograd *, crew *, layer_variables);
size_t winograd_scratch(const winograd *, int threads);  // floats that a run needs

// One way down: raw = conv(x) + bias; next, unless it is NULL, = activation(scale * raw + shift).
void winograd_down(const winograd *, crew *, const image *source, image *raw, image *next, float *scratch);
// One way up: target = scale * activation(conv(x) + bias) + shift.
void winograd_up(const winograd *, crew *, const image *first, const image *second, image *target, float *scratch);

// ---- what both files of it know ---------------------------------------------------------------

// In this order, in which the parities that a product is taken of are neighbours.
static const int ROW_PARITY[4] = {0, 0, 1, 1}, COLUMN_PARITY[4] = {0, 1, 1, 0};

INLINE int winograd_points(const winograd *w) { return w->tile + 2; }  // a side
