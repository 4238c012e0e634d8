// The U-Nets of `spleeter/model/functions/unet.py` (A. Jansson et al., "Singing voice separation with deep U-Net
// convolutional networks", ISMIR 2017), one after the other, a segment at a time. Nothing is allocated by an estimate.
#include "network.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "product.h"
#include "single.h"
#include "winograd.h"

enum {
    CHANNELS = 2,           // of the sound
    FIRST_CHANNELS = 16,    // of the first convolution's output; each level down doubles them
    FIRST_DEPTH = 5 * 10,   // a kernel's rows, of five pixels of two channels
    LAST_TAPS = 4,          // of the last convolution, a side
    LAST_DILATION = 2,
    HUGE_PAGE = 2 << 20,  // bytes
};

typedef struct {
    float *first, *first_bias, *first_scale, *first_shift;
    winograd down[LEVELS];  // but for the first
    winograd up[LEVELS - 1];
    single up_last;
    float last[LAST_TAPS * LAST_TAPS][CHANNELS], last_bias[CHANNELS];
} unet;

struct network {
    int stems, frames, bins, is_elu, is_softmax;
    crew *crew;
    arena arena;
    unet *unets;
    image input;
    image raw[LEVELS], next[LEVELS];  // of the way down: the convolution, and what the next one takes
    image back[LEVELS];               // of the way up
    float *scratch;
};

// ---- opening --------------------------------------------------------------------------------

// The deepest levels have few tiles and most of the weights, which are what they wait for. Small tiles have two fifths of
// the weights that larger ones would.
static void shape(winograd *w, const network *network, int up, int level, int inputs, int outputs) {
    int depth = up ? LEVELS - level : level + 1, scale = 1 << depth;  // of the smaller image
    *w = (winograd){
        .up = up,
        .tile = depth >= 5 ? 2 : 4,
        .by_steps = depth >= 4,
        .height = network->frames / scale,
        .width = network->bins / scale,
        .inputs = {inputs, up && level ? inputs : 0},
        .outputs = outputs,
        .activation = network->is_elu ? ELU : up ? RELU : LEAKY_RELU,
    };
}

static void plan_unet(unet *unet, const network *network, arena *arena) {
    unet->first = take(arena, FIRST_DEPTH * FIRST_CHANNELS);
    unet->first_bias = take(arena, FIRST_CHANNELS);
    unet->first_scale = take(arena, FIRST_CHANNELS);
    unet->first_shift = take(arena, FIRST_CHANNELS);
    for (int level = 1; level < LEVELS; level++) {
        int outputs = FIRST_CHANNELS << level;
        shape(&unet->down[level], network, 0, level, outputs / 2, outputs);
        winograd_plan(&unet->down[level], arena);
    }
    for (int level = 0; level < LEVELS - 1; level++) {
        int inputs = FIRST_CHANNELS << (LEVELS - 1 - level);  // of the skip, and of what comes up
        shape(&unet->up[level], network, 1, level, inputs, inputs / 2);
        winograd_plan(&unet->up[level], arena);
    }
    unet->up_last = (single){
        .height = network->frames / 2,
        .width = network->bins / 2,
        .inputs = FIRST_CHANNELS,
        .activation = network->is_elu ? ELU : RELU,
    };
    single_plan(&unet->up_last, arena);
}

static void plan(network *network, arena *arena) {
    int threads = crew_threads(network->crew);
    size_t scratch = (size_t)threads * network->bins / 2 * FIRST_CHANNELS;
    for (int stem = 0; stem < network->stems; stem++)
        plan_unet(&network->unets[stem], network, arena);
    for (int level = 0; level < LEVELS; level++) {
        size_t down = level ? winograd_scratch(&network->unets[0].down[level], threads) : 0;
        size_t up = level < LEVELS - 1 ? winograd_scratch(&network->unets[0].up[level], threads)
                                       : single_scratch(&network->unets[0].up_last, threads);
        scratch = down > scratch ? down : scratch;
        scratch = up > scratch ? up : scratch;
    }
    network->scratch = take(arena, scratch);
    network->input = take_image(arena, network->frames, network->bins, CHANNELS);
    for (int level = 0; level < LEVELS; level++) {
        int height = network->frames >> (level + 1), width = network->bins >> (level + 1);
        int channels = FIRST_CHANNELS << level;
        network->raw[level] = take_image(arena, height, width, channels);
        if (level < LEVELS - 1)
            network->next[level] = take_image(arena, height, width, channels);
        // What went down to a level has the shape of what comes up from it, and is not needed any more then.
        image back = level ? network->next[level - 1] : take_image(arena, 2 * height, 2 * width, 1);
        network->back[LEVELS - 1 - level] = back;
    }
}

static void load_unet(unet *unet, crew *crew, const float *const *variables) {
    const float *const *of_level = variables;
    for (int k = 0; k < FIRST_DEPTH; k++)
        for (int o = 0; o < FIRST_CHANNELS; o++)
            packed_at(unet->first, FIRST_DEPTH, FIRST_CHANNELS, o)[k * packed_step(FIRST_CHANNELS, o)] =
                of_level[0][k * FIRST_CHANNELS + o];
    memcpy(unet->first_bias, of_level[1], FIRST_CHANNELS * sizeof(float));
    memcpy(unet->first_scale, of_level[2], FIRST_CHANNELS * sizeof(float));
    memcpy(unet->first_shift, of_level[3], FIRST_CHANNELS * sizeof(float));
    for (int level = 1; level < LEVELS; level++) {
        of_level = variables + 4 * level;
        layer_variables of = {of_level[0], of_level[1], of_level[2], of_level[3]};
        winograd_load(&unet->down[level], crew, of);
    }
    for (int level = 0; level < LEVELS - 1; level++) {
        of_level = variables + 4 * (LEVELS + level);
        layer_variables of = {of_level[0], of_level[1], of_level[2], of_level[3]};
        winograd_load(&unet->up[level], crew, of);
    }
    of_level = variables + 4 * (2 * LEVELS - 1);
    single_load(&unet->up_last, of_level[0], *of_level[1], *of_level[2], *of_level[3]);
    memcpy(unet->last, variables[8 * LEVELS], sizeof unet->last);
    memcpy(unet->last_bias, variables[8 * LEVELS + 1], sizeof unet->last_bias);
}

network *network_open(int stems, int frames, int bins, int is_elu, int is_softmax, int threads,
                      const float *const *variables) {
    network *network = calloc(1, sizeof *network);
    if (!network)
        return NULL;
    network->stems = stems;
    network->frames = frames;
    network->bins = bins;
    network->is_elu = is_elu;
    network->is_softmax = is_softmax;
    network->unets = calloc((size_t)stems, sizeof *network->unets);
    network->crew = crew_start(threads);
    if (network->unets && network->crew) {
        arena counted = {0};
        plan(network, &counted);
        size_t size = (counted.used * sizeof(float) + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
        network->arena.memory = aligned_alloc(HUGE_PAGE, size);
        if (network->arena.memory)  // weights are read once a segment: else each page would be looked up anew
            madvise(network->arena.memory, size, MADV_HUGEPAGE);
        if (network->arena.memory)  // what surrounds the images stays zero
            memset(network->arena.memory, 0, counted.used * sizeof(float));
    }
    if (!network->arena.memory) {
        network_close(network);
        return NULL;
    }
    plan(network, &network->arena);
    for (int stem = 0; stem < stems; stem++)
        load_unet(&network->unets[stem], network->crew, variables + stem * STEM_VARIABLES);
    return network;
}

void network_close(network *network) {
    if (network->crew)
        crew_stop(network->crew);
    free(network->arena.memory);
    free(network->unets);
    free(network);
}

// ---- an estimate ----------------------------------------------------------------------------

typedef struct {
    network *network;
    const unet *unet;
    const float *magnitudes;
    float *estimates;  // of one stem, or of all
} estimating;

static void input_item(void *task, int y, int thread) {
    (void)thread;
    const estimating *e = task;
    size_t row = (size_t)e->network->bins * CHANNELS;
    memcpy(pixel(&e->network->input, y, 0), e->magnitudes + y * row, row * sizeof(float));
}

static void first_item(void *task, int y, int thread) {
    const estimating *e = task;
    network *n = e->network;
    int width = n->bins / 2;
    float *products = n->scratch + (size_t)thread * width * FIRST_CHANNELS;
    left_matrix left = {
        .sources = {pixel(&n->input, 2 * y - 1, -1), NULL},
        .row = 2 * CHANNELS,
        .segment = row_step(&n->input),
        .rows = width,
        .segments = 5,
        .length = 5 * CHANNELS,
    };
    multiply(left, e->unet->first, FIRST_CHANNELS, 0, FIRST_CHANNELS, products, FIRST_CHANNELS);
    for (int c = 0; c < FIRST_CHANNELS; c += LANES) {
        vec bias = load(e->unet->first_bias + c), scale = load(e->unet->first_scale + c);
        vec shift = load(e->unet->first_shift + c);
        for (int x = 0; x < width; x++) {
            vec value = load(products + x * FIRST_CHANNELS + c) + bias;
            store(pixel(&n->raw[0], y, x) + c, value);
            vec norm = scale * value + shift;
            store(pixel(&n->next[0], y, x) + c, n->is_elu ? activate(norm, ELU) : activate(norm, LEAKY_RELU));
        }
    }
}

// The last convolution, and for a sigmoid what it multiplies.
static void last_item(void *task, int y, int thread) {
    (void)thread;
    const estimating *e = task;
    const network *n = e->network;
    const image *back = &n->back[LEVELS - 1];
    const float *magnitudes = e->magnitudes + (size_t)y * n->bins * CHANNELS;
    float *estimates = e->estimates + (size_t)y * n->bins * CHANNELS;
    for (int x = 0; x < n->bins; x += LANES) {
        vec left = splat(e->unet->last_bias[0]), right = splat(e->unet->last_bias[1]);
        for (int a = 0; a < LAST_TAPS; a++)
            for (int b = 0; b < LAST_TAPS; b++) {
                vec value = load(pixel(back, y + LAST_DILATION * a - 3, x + LAST_DILATION * b - 3));
                const float *kernel = e->unet->last[a * LAST_TAPS + b];
                left += value * splat(kernel[0]);
                right += value * splat(kernel[1]);
            }
        float *to = estimates + CHANNELS * x;
        interleave(to, left, right);
        for (int i = 0; i < CHANNELS * LANES && !n->is_softmax; i += LANES)
            store(to + i, load(magnitudes + CHANNELS * x + i) / (splat(1) + exponential(-load(to + i))));
    }
}

static void softmax_item(void *task, int y, int thread) {
    (void)thread;
    const estimating *e = task;
    const network *n = e->network;
    size_t stem_step = (size_t)n->frames * n->bins * CHANNELS, row = (size_t)y * n->bins * CHANNELS;
    for (int x = 0; x < n->bins * CHANNELS; x += LANES) {
        float *first = e->estimates + row + x;
        vec most = load(first), sum = {0};
        for (int stem = 1; stem < n->stems; stem++)
            most = greater(most, load(first + stem * stem_step));
        for (int stem = 0; stem < n->stems; stem++) {
            vec power = exponential(load(first + stem * stem_step) - most);
            store(first + stem * stem_step, power);
            sum += power;
        }
        vec share = load(e->magnitudes + row + x) / sum;
        for (int stem = 0; stem < n->stems; stem++)
            store(first + stem * stem_step, load(first + stem * stem_step) * share);
    }
}

void network_estimate(network *n, const float *magnitudes, float *estimates) {
    estimating task = {n, NULL, magnitudes, estimates};
    crew_run(n->crew, n->frames, input_item, &task);
    for (int stem = 0; stem < n->stems; stem++) {
        unet *unet = &n->unets[stem];
        task.unet = unet;
        task.estimates = estimates + (size_t)stem * n->frames * n->bins * CHANNELS;
        crew_run(n->crew, n->frames / 2, first_item, &task);
        for (int level = 1; level < LEVELS; level++)
            winograd_down(&unet->down[level], n->crew, &n->next[level - 1], &n->raw[level],
                          level < LEVELS - 1 ? &n->next[level] : NULL, n->scratch);
        for (int level = 0; level < LEVELS - 1; level++)
            winograd_up(&unet->up[level], n->crew, &n->raw[LEVELS - 1 - level], level ? &n->back[level - 1] : NULL,
                        &n->back[level], n->scratch);
        single_run(&unet->up_last, n->crew, &n->raw[0], &n->back[LEVELS - 2], &n->back[LEVELS - 1], n->scratch);
        crew_run(n->crew, n->frames, last_item, &task);
    }
    task.estimates = estimates;
    if (n->is_softmax)
        crew_run(n->crew, n->frames, softmax_item, &task);
}
