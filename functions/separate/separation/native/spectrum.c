// LANES frames are in work at a time, one in each lane, and both channels as one complex signal: left + i right. Of its
// transform Z the channels' are
//
//     L[k] = (Z[k] + conj(Z[-k])) / 2,    R[k] = (Z[k] - conj(Z[-k])) / 2 i.
//
// A frame reaches over four hops. With the hops side by side, sample m of hop h at [m][h], sample 1024 q + m of LANES
// frames is one vector, from hop q on: nothing is transposed but the hops themselves.
#include "spectrum.h"

#include "fourier.h"

enum {
    HOP = 1024,
    OVERLAP = FRAME / HOP,
    HOPS = LANES + OVERLAP - 1,  // that LANES frames reach over
    CHANNELS = 2,
    COMPLEX = 2 * LANES,  // floats of a cvec
};

size_t spectrum_floats(int frames) { return (size_t)frames / LANES * PLACES * COMPLEX; }

// Numbers of LANES frames, their hops, their mask, and a line to begin on one.
size_t spectrum_scratch(void) {
    return (size_t)PLACES * COMPLEX + CHANNELS * HOP * HOPS + (size_t)CHANNELS * FRAME * LANES + 16;
}

typedef struct {
    cvec *places;
    float *hops[CHANNELS];
    float *mask;
} working;

static cvec *aligned(float *memory) { return (cvec *)(((uintptr_t)memory + 63) / 64 * 64); }

static working place_to_work(float *scratch) {
    working w = {.places = aligned(scratch)};
    w.hops[0] = (float *)(w.places + PLACES);
    w.hops[1] = w.hops[0] + HOP * HOPS;
    w.mask = w.hops[1] + HOP * HOPS;
    return w;
}

INLINE vec root(vec x) {
#if LANES == 16 && defined(__AVX512F__)
    return (vec)_mm512_sqrt_ps((__m512)x);
#elif LANES == 8 && defined(__AVX__)
    return (vec)_mm256_sqrt_ps((__m256)x);
#else
    for (int lane = 0; lane < LANES; lane++)
        x[lane] = __builtin_sqrtf(x[lane]);
    return x;
#endif
}

// ---- forward --------------------------------------------------------------------------------

static void write_magnitudes(const cvec *places, int bins, int first, float *magnitudes) {
    for (int k = 0; k < bins; k++) {
        cvec z = places[place_of_bin(k)], other = places[place_of_bin((FRAME - k) % FRAME)];
        vec a = z.re + other.re, b = z.im - other.im, c = z.re - other.re, d = z.im + other.im;
        vec left = root(a * a + b * b) * splat(0.5f), right = root(c * c + d * d) * splat(0.5f);
        for (int lane = 0; lane < LANES; lane++) {
            float *to = magnitudes + ((size_t)(first + lane) * bins + k) * CHANNELS;
            to[0] = left[lane];
            to[1] = right[lane];
        }
    }
}

void spectrum_forward(const spectrum_tools *tools, const float *left, const float *right, int count, int frames,
                      int bins, float *spectrum, float *magnitudes) {
    working w = place_to_work(tools->scratch);
    const float *channels[CHANNELS] = {left, right};
    for (int first = 0; first < frames; first += LANES) {
        float *to = spectrum + spectrum_floats(first);
        int there = count - first < LANES ? count - first : LANES;
        if (there <= 0) {
            memset(to, 0, spectrum_floats(LANES) * sizeof(float));
            memset(magnitudes + (size_t)first * bins * CHANNELS, 0, sizeof(float) * LANES * bins * CHANNELS);
            continue;
        }
        for (int channel = 0; channel < CHANNELS; channel++)
            for (int h = 0; h < HOPS; h++) {
                // Of frames that are not there the samples may not be, either.
                const float *from = channels[channel] + (size_t)(first + h) * HOP;
                for (int m = 0; m < HOP; m++)
                    w.hops[channel][m * HOPS + h] = h < there + OVERLAP - 1 ? from[m] : 0;
            }
        vec is_there;
        for (int lane = 0; lane < LANES; lane++)
            is_there[lane] = lane < there;
        for (int column = 0; column < SIDE; column++) {
            cvec x[SIDE];
            for (int a = 0; a < SIDE; a++) {
                int n = SIDE * a + column, at = n % HOP * HOPS + n / HOP;
                vec window = is_there * splat(tools->window[n]);
                x[a] = (cvec){load(w.hops[0] + at) * window, load(w.hops[1] + at) * window};
            }
            fourier_column(x, column, w.places, tools->roots);
        }
        for (int row = 0; row < SIDE; row++)
            fourier_row(w.places, row, tools->roots);
        write_magnitudes(w.places, bins, first, magnitudes);
        memcpy(to, w.places, sizeof(cvec) * PLACES);
    }
}

// ---- masks ----------------------------------------------------------------------------------

void spectrum_masks(int stems, size_t length, float *estimates) {
    const vec whole = splat(1e-10f), part = splat(1e-10f / (float)stems);
    for (size_t i = 0; i < length; i += LANES) {
        vec total = {0};
        for (int stem = 0; stem < stems; stem++) {
            vec estimate = load(estimates + stem * length + i);
            total += estimate * estimate;
        }
        total += whole;
        for (int stem = 0; stem < stems; stem++) {
            float *at = estimates + stem * length + i;
            store(at, (load(at) * load(at) + part) / total);
        }
    }
}

// ---- inverse --------------------------------------------------------------------------------

// Frames side by side: [bin][channel][lane].
static void read_mask(const float *mask, int bins, float *to) {
    for (int lane = 0; lane < LANES; lane++)
        for (int i = 0; i < bins * CHANNELS; i++)
            to[(size_t)i * LANES + lane] = mask[(size_t)lane * bins * CHANNELS + i];
}

static void mean_mask(const float *mask, int bins, vec means[CHANNELS]) {
    vec sums[CHANNELS] = {0};
    for (int k = 0; k < bins; k++)
        for (int channel = 0; channel < CHANNELS; channel++)
            sums[channel] += load(mask + (size_t)(k * CHANNELS + channel) * LANES);
    for (int channel = 0; channel < CHANNELS; channel++)
        means[channel] = sums[channel] / splat((float)bins);
}

// Z'[k] = (l + r) / 2 Z[k] + (l - r) / 2 conj(Z[-k]), l and r being what L and R are multiplied by.
INLINE void masked(const cvec *spectrum, int k, vec left, vec right, cvec *to) {
    size_t at = place_of_bin(k), there = place_of_bin((FRAME - k) % FRAME);
    cvec z = spectrum[at], other = spectrum[there];
    vec own = (left + right) * splat(0.5f), cross = (left - right) * splat(0.5f);
    to[at] = (cvec){own * z.re + cross * other.re, own * z.im - cross * other.im};
    to[there] = (cvec){own * other.re + cross * z.re, own * other.im - cross * z.im};
}

void spectrum_inverse(const spectrum_tools *tools, const float *spectrum, const float *mask, int frames, int bins,
                      int is_average, float *samples) {
    working w = place_to_work(tools->scratch);
    size_t channel_step = (size_t)(frames + OVERLAP - 1) * HOP;
    for (int first = 0; first < frames; first += LANES) {
        const cvec *from = (const cvec *)(spectrum + spectrum_floats(first));
        read_mask(mask + (size_t)first * bins * CHANNELS, bins, w.mask);
        vec beyond[CHANNELS] = {0};
        if (is_average)
            mean_mask(w.mask, bins, beyond);
        for (int k = 0; k < bins; k++) {
            const float *at = w.mask + (size_t)k * CHANNELS * LANES;
            masked(from, k, load(at), load(at + LANES), w.places);
        }
        for (int k = bins; k <= FRAME / 2; k++)
            masked(from, k, beyond[0], beyond[1], w.places);
        for (int row = 0; row < SIDE; row++)
            inverse_row(w.places, row, tools->roots);
        memset(w.hops[0], 0, sizeof(float) * CHANNELS * HOP * HOPS);
        for (int column = 0; column < SIDE; column++) {
            cvec x[SIDE];
            inverse_column(w.places, column, x, tools->roots);
            for (int a = 0; a < SIDE; a++) {
                int n = SIDE * a + column, at = n % HOP * HOPS + n / HOP;
                vec window = splat(tools->window[n]);
                store(w.hops[0] + at, load(w.hops[0] + at) + x[a].re * window);
                store(w.hops[1] + at, load(w.hops[1] + at) + x[a].im * window);
            }
        }
        for (int channel = 0; channel < CHANNELS; channel++)
            for (int h = 0; h < HOPS; h++) {
                float *to = samples + channel * channel_step + (size_t)(first + h) * HOP;
                for (int m = 0; m < HOP; m++)
                    to[m] += w.hops[channel][m * HOPS + h];
            }
    }
}
