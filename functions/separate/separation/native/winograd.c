// A 5x5 convolution of stride 2 is a 3x3 one of stride 1, and so is its transpose.
//
// Down (SAME padding: one before, two after), output y takes input row 2 y + a - 1 times kernel row a. With
// a = 2 d + r - 1, that is row y + d - 1 of the input rows of parity r, so a 3x3 convolution of four images of half the
// size, one for each parity of row and column:
//
//     r = 0:  taps d = 0, 1, 2 are kernel rows  -, 1, 3        r = 1:  kernel rows 0, 2, 4
//
// Up, output row 2 y + r takes input row y + d - 1 times kernel row r + 3 - 2 d, so four 3x3 convolutions of one image:
//
//     r = 0:  taps d = 0, 1, 2 are kernel rows  3, 1, -        r = 1:  kernel rows 4, 2, 0
//
// An even parity has a tap of zero, the first one down and the last one up, so that one of Winograd's products in each
// dimension falls away (transforms.h). With the parities in the order 00 01 11 10 those that remain are neighbours in
// the matrices: 121 of 144 products for tiles of 4 x 4, 49 of 64 for tiles of 2 x 2.
#include "winograd.h"

#include "product.h"

enum {
    // Tiles that a thread takes through all steps. What they fill stays in its cache, and products are of whole ROWS.
    BLOCK = 32 / ROWS * ROWS,
    STEP_COLUMNS = 64,  // columns of a product that a thread takes at once
};

static int tiles(const winograd *w) { return w->height * w->width / (w->tile * w->tile); }

// From one point's matrix to the next. A line more than it needs, or each of a tile's values would be in the same set
// of the cache.
static size_t apart(int rows, int columns) { return (size_t)rows * columns + 16; }

static size_t group_floats(const winograd *w, int tiles) {
    return winograd_points(w) * winograd_points(w) * (apart(tiles, w->depth) + apart(tiles, w->columns));
}

size_t winograd_scratch(const winograd *w, int threads) {
    return w->by_steps ? group_floats(w, tiles(w)) : threads * group_floats(w, BLOCK);
}

// ---- the three steps ------------------------------------------------------------------------

typedef struct {
    const winograd *w;
    const image *sources[2];
    image *raw, *target;
    float *scratch;
} running;

// Tiles that are in work together: `inputs` and `products` have a matrix for each point, a row for each tile.
typedef struct {
    int first, count;
    float *inputs, *products;
} group;

static group group_of(const winograd *w, int first, int count, float *scratch) {
    return (group){first, count, scratch, scratch + winograd_points(w) * winograd_points(w) * apart(count, w->depth)};
}

INLINE void tile_in(const int m, const float *from, size_t row, size_t column, float *to, size_t apart,
                    int begin_row, int begin_column) {
    const int n = m + 2;
    vec half[MOST_POINTS][MOST_POINTS];
    for (int j = 0; j < n; j++) {
        vec d[MOST_POINTS], v[MOST_POINTS];
        for (int i = 0; i < n; i++)
            d[i] = load(from + i * row + j * column);
        transform_inputs(m, d, v);
        for (int i = 0; i < n; i++)
            half[i][j] = v[i];
    }
    for (int i = begin_row; i < n; i++) {
        vec v[MOST_POINTS];
        transform_inputs(m, half[i], v);
        for (int j = begin_column; j < n; j++)
            store(to + (i * n + j) * apart, v[j]);
    }
}

static void transform_in(const running *run, group group, int begin, int end) {
    const winograd *w = run->w;
    int across = w->width / w->tile;
    size_t step = apart(group.count, w->depth);
    for (int t = begin; t < end; t++) {
        int y = (group.first + t) / across * w->tile - 1, x = (group.first + t) % across * w->tile - 1;
        for (int k = 0; k < w->depth; k += LANES) {
            int parity = w->up ? 0 : k / w->inputs[0], second = w->up && k >= w->inputs[0];
            int channel = w->up ? k - second * w->inputs[0] : k % w->inputs[0];
            int stride = w->up ? 1 : 2, r = ROW_PARITY[parity], c = COLUMN_PARITY[parity];
            const image *source = run->sources[second];
            const float *from = pixel(source, stride * y + r, stride * x + c) + channel;
            size_t row = stride * row_step(source), column = (size_t)stride * source->channels;
            float *to = group.inputs + (size_t)t * w->depth + k;
            // Down, of an even parity, the first products fall away.
            if (w->tile == 2)
                tile_in(2, from, row, column, to, step, !w->up && !r, !w->up && !c);
            else
                tile_in(4, from, row, column, to, step, !w->up && !r, !w->up && !c);
        }
    }
}

static void take_products(const winograd *w, group group, int point, int first, int last) {
    int begin = w->weights[point].begin, columns = w->up ? w->weights[point].end - begin : w->columns;
    if (last > columns)
        last = columns;
    if (first >= last)
        return;
    left_matrix left = {
        .sources = {group.inputs + point * apart(group.count, w->depth) + (w->up ? 0 : begin)},
        .row = w->depth,
        .rows = group.count,
        .segments = 1,
        .length = w->up ? w->depth : w->weights[point].end - begin,
    };
    float *to = group.products + point * apart(group.count, w->columns) + (w->up ? begin : 0);
    multiply(left, w->weights[point].packed, columns, first, last, to, w->columns);
}

INLINE void tile_out(const int size, const int last_row, const int last_column, const float *from, size_t apart,
                     vec y[4][4]) {
    const int n = size + 2;
    vec half[4][MOST_POINTS];
    for (int j = 0; j < n - !last_column; j++) {
        vec v[MOST_POINTS], to[4];
        for (int i = 0; i < n - !last_row; i++)
            v[i] = load(from + (i * n + j) * apart);
        transform_products(size, last_row, v, to);
        for (int i = 0; i < size; i++)
            half[i][j] = to[i];
    }
    for (int i = 0; i < size; i++)
        transform_products(size, last_column, half[i], y[i]);
}

static void tile_products(int size, int last_row, int last_column, const float *from, size_t apart, vec y[4][4]) {
    switch (4 * (size == 4) + 2 * last_row + last_column) {
    case 0: tile_out(2, 0, 0, from, apart, y); break;
    case 1: tile_out(2, 0, 1, from, apart, y); break;
    case 2: tile_out(2, 1, 0, from, apart, y); break;
    case 3: tile_out(2, 1, 1, from, apart, y); break;
    case 4: tile_out(4, 0, 0, from, apart, y); break;
    case 5: tile_out(4, 0, 1, from, apart, y); break;
    case 6: tile_out(4, 1, 0, from, apart, y); break;
    case 7: tile_out(4, 1, 1, from, apart, y); break;
    }
}

INLINE void write_down(const running *run, vec y[4][4], int row, int column, int channel, const activation kind) {
    const winograd *w = run->w;
    vec bias = load(w->bias + channel), scale = load(w->scale + channel), shift = load(w->shift + channel);
    for (int i = 0; i < w->tile; i++)
        for (int j = 0; j < w->tile; j++) {
            vec value = y[i][j] + bias;
            store(pixel(run->raw, row + i, column + j) + channel, value);
            if (run->target)
                store(pixel(run->target, row + i, column + j) + channel, activate(scale * value + shift, kind));
        }
}

INLINE void write_up(const running *run, vec y[4][4], int row, int column, int r, int c, int channel,
                     const activation kind) {
    const winograd *w = run->w;
    vec bias = load(w->bias + channel), scale = load(w->scale + channel), shift = load(w->shift + channel);
    for (int i = 0; i < w->tile; i++)
        for (int j = 0; j < w->tile; j++) {
            vec value = scale * activate(y[i][j] + bias, kind) + shift;
            store(pixel(run->target, 2 * (row + i) + r, 2 * (column + j) + c) + channel, value);
        }
}

static void transform_out(const running *run, group group, int begin, int end) {
    const winograd *w = run->w;
    int across = w->width / w->tile;
    size_t step = apart(group.count, w->columns);
    for (int t = begin; t < end; t++) {
        int row = (group.first + t) / across * w->tile, column = (group.first + t) % across * w->tile;
        for (int n = 0; n < w->columns; n += LANES) {
            int parity = n / w->outputs, channel = n % w->outputs;
            int r = ROW_PARITY[parity], c = COLUMN_PARITY[parity];
            // Up, of an even parity, the last products fell away.
            vec y[4][4];
            tile_products(w->tile, !w->up || r, !w->up || c, group.products + (size_t)t * w->columns + n, step, y);
            if (w->up && w->activation == ELU)
                write_up(run, y, row, column, r, c, channel, ELU);
            else if (w->up)
                write_up(run, y, row, column, r, c, channel, RELU);
            else if (w->activation == ELU)
                write_down(run, y, row, column, channel, ELU);
            else
                write_down(run, y, row, column, channel, LEAKY_RELU);
        }
    }
}

// ---- on the whole image ---------------------------------------------------------------------

static void block_item(void *task, int item, int thread) {
    const running *run = task;
    const winograd *w = run->w;
    int first = item * BLOCK, count = tiles(w) - first < BLOCK ? tiles(w) - first : BLOCK;
    float *scratch = run->scratch + thread * winograd_scratch(w, 1);
    group group = group_of(w, first, count, scratch);
    transform_in(run, group, 0, count);
    for (int point = 0; point < winograd_points(w) * winograd_points(w); point++)
        take_products(w, group, point, 0, w->columns);
    transform_out(run, group, 0, count);
}

static void in_item(void *task, int item, int thread) {
    (void)thread;
    const running *run = task;
    transform_in(run, group_of(run->w, 0, tiles(run->w), run->scratch), item, item + 1);
}

static void product_item(void *task, int item, int thread) {
    (void)thread;
    const running *run = task;
    int steps = (run->w->columns + STEP_COLUMNS - 1) / STEP_COLUMNS, first = item % steps * STEP_COLUMNS;
    group group = group_of(run->w, 0, tiles(run->w), run->scratch);
    take_products(run->w, group, item / steps, first, first + STEP_COLUMNS);
}

static void out_item(void *task, int item, int thread) {
    (void)thread;
    const running *run = task;
    transform_out(run, group_of(run->w, 0, tiles(run->w), run->scratch), item, item + 1);
}

static void run(running *run, crew *crew) {
    const winograd *w = run->w;
    if (!w->by_steps) {
        crew_run(crew, (tiles(w) + BLOCK - 1) / BLOCK, block_item, run);
        return;
    }
    int steps = (w->columns + STEP_COLUMNS - 1) / STEP_COLUMNS;
    crew_run(crew, tiles(w), in_item, run);
    crew_run(crew, winograd_points(w) * winograd_points(w) * steps, product_item, run);
    crew_run(crew, tiles(w), out_item, run);
}

void winograd_down(const winograd *w, crew *crew, const image *source, image *raw, image *next, float *scratch) {
    running running = {w, {source, NULL}, raw, next, scratch};
    run(&running, crew);
}

void winograd_up(const winograd *w, crew *crew, const image *first, const image *second, image *target,
                 float *scratch) {
    running running = {w, {first, second}, NULL, target, scratch};
    run(&running, crew);
}
