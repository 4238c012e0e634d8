// Winograd's filtering has nothing to gain here: transforming 32 channels takes longer than the products for a single
// one. So it is one product: a block of 2x2 input pixels has 4x4 outputs, which fill a row of the packed matrix, and
// they take a window of 4x4 input pixels. The sum over the window is the convolution's: output row 4 y + p takes row
// 2 y + s - 1 of the input, s = 0..3, times kernel row
//
//     a = p % 2 + 3 - 2 (s - p / 2)    if there is one, as winograd.c has it with d = s - p / 2.
#include "single.h"

#include "product.h"

enum {
    SIDE = 4,  // of a block of outputs, and of its window
    OUTPUTS = SIDE * SIDE,
};

static int window_floats(const single *s) { return SIDE * SIDE * s->inputs; }

void single_plan(single *s, arena *arena) { s->packed = take(arena, 2 * window_floats(s) * OUTPUTS); }

size_t single_scratch(const single *s, int threads) { return (size_t)threads * s->width / 2 * OUTPUTS; }

// The kernel's row, or column, between an output of a block and an input of its window; -1 if there is none.
static int tap(int output, int input) {
    int d = input - output / 2, a = output % 2 + 3 - 2 * d;
    return 0 <= d && d <= 2 && a < 5 ? a : -1;
}

void single_load(single *s, const float *kernel, float bias, float scale, float shift) {
    int depth = 2 * window_floats(s);
    for (int source = 0; source < 2; source++)
        for (int in = 0; in < SIDE * SIDE; in++)
            for (int channel = 0; channel < s->inputs; channel++)
                for (int out = 0; out < OUTPUTS; out++) {
                    int a = tap(out / SIDE, in / SIDE), b = tap(out % SIDE, in % SIDE);
                    int k = (source * SIDE * SIDE + in) * s->inputs + channel;
                    packed_at(s->packed, depth, OUTPUTS, out)[k * packed_step(OUTPUTS, out)] =
                        a < 0 || b < 0 ? 0 : kernel[(5 * a + b) * 2 * s->inputs + source * s->inputs + channel];
                }
    s->bias = bias;
    s->scale = scale;
    s->shift = shift;
}

typedef struct {
    const single *single;
    const image *sources[2];
    image *target;
    float *scratch;
} running;

static void row_item(void *task, int y, int thread) {
    const running *run = task;
    const single *s = run->single;
    const int blocks = s->width / 2;
    float *products = run->scratch + thread * single_scratch(s, 1);
    left_matrix left = {
        .sources = {pixel(run->sources[0], 2 * y - 1, -1), pixel(run->sources[1], 2 * y - 1, -1)},
        .row = 2 * s->inputs,
        .segment = row_step(run->sources[0]),
        .rows = blocks,
        .segments = SIDE,
        .length = SIDE * s->inputs,
    };
    multiply(left, s->packed, OUTPUTS, 0, OUTPUTS, products, OUTPUTS);
    const vec bias = splat(s->bias), scale = splat(s->scale), shift = splat(s->shift);
    for (int i = 0; i < blocks * OUTPUTS; i += LANES) {
        vec value = load(products + i) + bias;
        value = s->activation == ELU ? activate(value, ELU) : activate(value, RELU);
        store(products + i, scale * value + shift);
    }
    for (int p = 0; p < SIDE; p++) {
        float *to = pixel(run->target, SIDE * y + p, 0);
        for (int block = 0; block < blocks; block++)
            memcpy(to + block * SIDE, products + block * OUTPUTS + p * SIDE, SIDE * sizeof *to);
    }
}

void single_run(const single *s, crew *crew, const image *first, const image *second, image *target,
                float *scratch) {
    running running = {s, {first, second}, target, scratch};
    crew_run(crew, s->height / 2, row_item, &running);
}
