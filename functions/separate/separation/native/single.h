// The last way up: a transposed 5x5 convolution of stride 2 whose output is a single channel.
#pragma once

#include "activation.h"
#include "crew.h"
#include "image.h"

typedef struct {
    int height, width;  // of the input
    int inputs;         // channels of each of its two sources
    activation activation;
    // By `single_plan` and `single_load`.
    float *packed;
    float bias, scale, shift;
} single;

void single_plan(single *, arena *);
void single_load(single *, const float *kernel, float bias, float scale, float shift);
size_t single_scratch(const single *, int threads);  // floats that a run needs

// target = scale * activation(conv(x) + bias) + shift.
void single_run(const single *, crew *, const image *first, const image *second, image *target, float *scratch);
