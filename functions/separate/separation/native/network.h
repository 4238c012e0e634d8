// Spleeter's networks: what the library offers.
#pragma once

#define LEVELS 6
// A stem's variables, in this order: of each level down kernel, bias, scale, shift (of the last one the norm is not
// used); of each level up the same; kernel and bias of the last convolution.
#define STEM_VARIABLES (4 * LEVELS + 4 * LEVELS + 2)

#define OFFERED __attribute__((visibility("default")))

typedef struct network network;

// Whether this processor has the instructions that this library was compiled for.
OFFERED int network_runs_here(void);

// Takes what it needs of the variables. `frames` and `bins` are multiples of 128. NULL if there is no memory or no
// thread to be had. The result is the same whatever the number of threads.
OFFERED network *network_open(int stems, int frames, int bins, int is_elu, int is_softmax, int threads,
                              const float *const *variables);

// From magnitudes [frames][bins][2] to those of each stem [stems][frames][bins][2]. One caller at a time.
OFFERED void network_estimate(network *, const float *magnitudes, float *estimates);

OFFERED void network_close(network *);
