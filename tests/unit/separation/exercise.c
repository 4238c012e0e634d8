// Runs every kind of network once, on arrays that are no longer than they must be, for sanitizers to watch.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "network.h"

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
                int wide = way ? 512 >> level : 16 << level;
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

int main(void) {
    if (run(0, 0, 3) || run(1, 1, 2))
        return 1;
    puts("every estimate is a share of the magnitude");
    return 0;
}
