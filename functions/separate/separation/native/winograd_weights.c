// The matrices of Winograd's filtering: their sizes, and what is in them.
#include "product.h"
#include "winograd.h"

void winograd_plan(winograd *w, arena *arena) {
    int inputs = w->inputs[0] + w->inputs[1], n = winograd_points(w);
    w->depth = w->up ? inputs : 4 * inputs;
    w->columns = w->up ? 4 * w->outputs : w->outputs;
    int part = w->up ? w->outputs : inputs, zero = w->up ? n - 1 : 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            int begin = i == zero ? 2 : j == zero ? 1 : 0;
            int end = j == zero ? 3 : 4;
            int at = i * n + j;
            w->weights[at].begin = begin * part;
            w->weights[at].end = end * part;
            size_t length = w->weights[at].end - w->weights[at].begin;
            w->weights[at].packed = take(arena, length * (w->up ? w->depth : w->columns));
        }
    w->bias = take(arena, w->outputs);
    w->scale = take(arena, w->outputs);
    w->shift = take(arena, w->outputs);
}

typedef struct {
    winograd *w;
    const float *kernel;
} loading;

// The taps of the 3x3 convolution from row k of the matrix to its column n.
static void taps(const winograd *w, const float *kernel, int k, int n, double to[3][3]) {
    int inputs = w->inputs[0] + w->inputs[1], outputs = w->outputs;
    int parity = w->up ? n / outputs : k / inputs;
    int channel = k % inputs, output = n % outputs;
    for (int d = 0; d < 3; d++)
        for (int e = 0; e < 3; e++) {
            int a = w->up ? ROW_PARITY[parity] + 3 - 2 * d : 2 * d + ROW_PARITY[parity] - 1;
            int b = w->up ? COLUMN_PARITY[parity] + 3 - 2 * e : 2 * e + COLUMN_PARITY[parity] - 1;
            size_t at = (size_t)5 * a + b;  // TensorFlow's order: row, column, input, output; up: output, input
            int is_there = 0 <= a && a < 5 && 0 <= b && b < 5;
            to[d][e] = !is_there ? 0
                       : w->up   ? kernel[(at * outputs + output) * inputs + channel]
                                 : kernel[(at * inputs + channel) * outputs + output];
        }
}

// G g G^T for LANES columns, in double, because it is done once.
static void load_columns(void *task, int item, int thread) {
    (void)thread;
    const loading *loading = task;
    winograd *w = loading->w;
    int n = winograd_points(w), first = item * LANES;
    const double(*g)[3] = w->tile == 2 ? TAPS_2 : TAPS_4;
    for (int k = 0; k < w->depth; k++) {
        double tap[3][3][LANES] = {0}, half[MOST_POINTS][3][LANES];
        for (int lane = 0; lane < LANES; lane++) {
            double of_lane[3][3];
            taps(w, loading->kernel, k, first + lane, of_lane);
            for (int d = 0; d < 3; d++)
                for (int e = 0; e < 3; e++)
                    tap[d][e][lane] = of_lane[d][e];
        }
        for (int i = 0; i < n; i++)
            for (int e = 0; e < 3; e++)
                for (int lane = 0; lane < LANES; lane++)
                    half[i][e][lane] =
                        g[i][0] * tap[0][e][lane] + g[i][1] * tap[1][e][lane] + g[i][2] * tap[2][e][lane];
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) {
                int begin = w->weights[i * n + j].begin, end = w->weights[i * n + j].end;
                int at = w->up ? first : k;
                if (at < begin || at >= end)
                    continue;
                int columns = w->up ? end - begin : w->columns, column = w->up ? first - begin : first;
                int row = w->up ? k : k - begin, rows = w->up ? w->depth : end - begin;
                float *to = packed_at(w->weights[i * n + j].packed, rows, columns, column) +
                            row * packed_step(columns, column);
                for (int lane = 0; lane < LANES; lane++)
                    to[lane] = (float)(half[i][0][lane] * g[j][0] + half[i][1][lane] * g[j][1] +
                                       half[i][2][lane] * g[j][2]);
            }
    }
}

void winograd_load(winograd *w, crew *crew, layer_variables variables) {
    loading loading = {w, variables.kernel};
    crew_run(crew, w->columns / LANES, load_columns, &loading);
    for (int o = 0; o < w->outputs; o++) {
        w->bias[o] = variables.bias[o];
        w->scale[o] = variables.scale ? variables.scale[o] : 1;
        w->shift[o] = variables.shift ? variables.shift[o] : 0;
    }
}
