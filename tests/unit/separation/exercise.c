// Runs networks of both kinds and the transforms once, on arrays that are no longer than they must be, for sanitizers to watch.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "fourier.h"
#include "spectrum.h"

enum { FRAMES = 128, BINS = 128, STEMS = 2, SEGMENT = FRAMES * BINS * 2 };

static float *noise(size_t length, float size) {
    static unsigned long long state = 1;
    float *values = malloc(length * sizeof *values);
    for (size_t i = 0; values && i < length; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        values[i] = size * ((float)(state >> 40) / (1 << 23) - 1);
    }
    return values;
}

static int run(int is_elu, int is_softmax, int threads) {
    float *variables[STEMS * STEM_VARIABLES];
    int count = 0;
    for (int stem = 0; stem < STEMS; stem++) {
        for (int way = 0; way < 2; way++)
            for (int level = 0; level < LEVELS; level++) {
                int narrow = way ? (level < 5 ? 256 >> level : 1) : (level ? 8 << level : 2);
                int wide = way ? (level ? 1024 >> level : 512) : 16 << level;
                variables[count++] = noise((size_t)25 * narrow * wide, 0.05f);
                for (int i = 0; i < 3; i++)
                    variables[count++] = noise((size_t)(way ? narrow : wide), 1);
            }
        variables[count++] = noise(4 * 4 * 2, 1);
        variables[count++] = noise(2, 1);
    }
    network *network = network_open(STEMS, FRAMES, BINS, is_elu, is_softmax, threads, (const float *const *)variables);
    while (count)
        free(variables[--count]);
    if (!network)
        return 1;
    int wrong = 0;
    float *magnitudes = noise(SEGMENT, 5), *estimates = malloc(sizeof(float) * STEMS * SEGMENT);
    for (int i = 0; i < SEGMENT; i++)
        magnitudes[i] = fabsf(magnitudes[i]);
    for (int again = 0; again < 2; again++)
        network_estimate(network, magnitudes, estimates);
    for (int i = 0; i < STEMS * SEGMENT; i++)
        wrong |= !(0 <= estimates[i] && estimates[i] <= magnitudes[i % SEGMENT]);
    network_close(network);
    free(magnitudes);
    free(estimates);
    return wrong;
}

// A mask of one for each stem of one: what was transformed comes back, but for the beginning and the end.
static int there_and_back(int count) {
    enum { LENGTH = (FRAMES + 3) * 1024 };
    float *window = malloc(FRAME * sizeof *window), *twist = malloc(2 * FRAME * sizeof *twist);
    for (int n = 0; n < FRAME; n++) {
        window[n] = 0.5f - 0.5f * cosf(6.2831853f * n / FRAME);
        twist[2 * n] = cosf(6.2831853f * n / FRAME);
        twist[2 * n + 1] = -sinf(6.2831853f * n / FRAME);
    }
    spectrum_tools tools = {window, twist, aligned_alloc(64, (spectrum_scratch() * 4 + 63) / 64 * 64)};
    float *spectrum = aligned_alloc(64, spectrum_floats(FRAMES) * 4), *mask = malloc(SEGMENT * sizeof *mask);
    float *left = noise((size_t)(count + 3) * 1024, 1), *right = noise((size_t)(count + 3) * 1024, 1);
    float *back = calloc(2 * LENGTH, sizeof *back);
    spectrum_forward(&tools, left, right, count, FRAMES, BINS, spectrum, mask);
    spectrum_masks(1, SEGMENT, mask);
    spectrum_inverse(&tools, spectrum, mask, FRAMES, BINS, 1, back);
    int wrong = 0;
    for (int n = 3 * 1024; n < count * 1024; n++)
        wrong |= !(fabsf(back[n] / FRAME / 1.5f - left[n]) < 1e-3f) ||
                 !(fabsf(back[LENGTH + n] / FRAME / 1.5f - right[n]) < 1e-3f);
    float *all[] = {window, twist, tools.scratch, spectrum, mask, left, right, back};
    for (int i = 0; i < 8; i++)
        free(all[i]);
    return wrong;
}

int main(void) {
    if (run(0, 0, 3) || run(1, 1, 2) || there_and_back(FRAMES) || there_and_back(37))
        return 1;
    puts("all as it should be");
    return 0;
}
