// Images as the layers keep them, and the memory that they and the weights are in.
#pragma once

#include <stddef.h>

#include "vector.h"

// Rows of pixels, the channels of a pixel side by side. Around them are HALO pixels of zeros, which stand for the
// padding of all convolutions: no more than 3 are ever read.
#define HALO 3
typedef struct {
    float *data;
    int height, width, channels;
} image;

INLINE size_t row_step(const image *image) { return (size_t)(image->width + 2 * HALO) * image->channels; }

INLINE float *pixel(const image *image, int y, int x) {
    return image->data + (y + HALO) * row_step(image) + (size_t)(x + HALO) * image->channels;
}

// One piece of memory that is handed out from its beginning. Without memory it counts what is asked for.
typedef struct {
    float *memory;
    size_t used;  // floats
} arena;

INLINE float *take(arena *arena, size_t floats) {
    size_t begin = arena->used;
    arena->used += (floats + 15) / 16 * 16;  // each part begins a line of the cache
    return arena->memory ? arena->memory + begin : NULL;
}

INLINE image take_image(arena *arena, int height, int width, int channels) {
    image image = {NULL, height, width, channels};
    image.data = take(arena, (size_t)(height + 2 * HALO) * row_step(&image));
    return image;
}
