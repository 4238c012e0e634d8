// From samples to magnitudes and back, with Spleeter's framing: what the library offers besides the networks.
#pragma once

#include <stddef.h>

#include "network.h"

// Of a segment's spectrum, and of what a caller lends to each of these functions, in floats.
OFFERED size_t spectrum_floats(int frames);
OFFERED size_t spectrum_scratch(void);

typedef struct {
    const float *window;  // of FRAME samples
    const float *roots;   // of unity: FRAME cosines and sines, in turns
    float *scratch;
} spectrum_tools;

// Transform `count` frames, each HOP samples after the one before, of both channels. The spectrum's remaining `frames`
// are zero. Magnitudes are [frames][bins][2]. `frames` is a multiple of 16.
OFFERED void spectrum_forward(const spectrum_tools *, const float *left, const float *right, int count, int frames,
                              int bins, float *spectrum, float *magnitudes);

// Turn estimates [stems][length] into masks: (o_i^2 + eps / N) / (sum of o_j^2 + eps).
OFFERED void spectrum_masks(int stems, size_t length, float *estimates);

// Multiply by a mask [frames][bins][2], transform back, and add the frames to the samples of [2][(frames + 3) * HOP].
// Above those bins a frame's mean mask holds, or else silence. The window has what scales the transform.
OFFERED void spectrum_inverse(const spectrum_tools *, const float *spectrum, const float *mask, int frames, int bins,
                              int is_average, float *samples);
