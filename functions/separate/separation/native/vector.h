// Vectors of LANES floats, in the extensions of C that GCC and Clang share: the same source for every width.
#pragma once

#include <stdint.h>
#include <string.h>

#ifdef __AVX__
#include <immintrin.h>
#endif

#ifndef LANES
#ifdef __AVX512F__
#define LANES 16
#else
#define LANES 8
#endif
#endif

#define INLINE static inline __attribute__((always_inline))

typedef float vec __attribute__((vector_size(4 * LANES)));
typedef int32_t ivec __attribute__((vector_size(4 * LANES)));
typedef float anywhere __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

INLINE vec load(const float *from) { return (vec) * (const anywhere *)from; }

INLINE void store(float *to, vec value) { *(anywhere *)to = (anywhere)value; }

INLINE vec splat(float value) { return value - (vec){0}; }  // minus zero: the compiler's idiom, exact for -0 too

// Greater of two, and the second where one is no number. The compiler knows no way from a comparison to maxps.
INLINE vec greater(vec a, vec b) {
#if LANES == 16 && defined(__AVX512F__)
    return (vec)_mm512_max_ps((__m512)a, (__m512)b);
#elif LANES == 8 && defined(__AVX__)
    return (vec)_mm256_max_ps((__m256)a, (__m256)b);
#else
    ivec is = a > b;
    return (vec)(((ivec)a & is) | ((ivec)b & ~is));
#endif
}

INLINE vec lesser(vec a, vec b) { return -greater(-a, -b); }

// Writes first[0], second[0], first[1], ... to 2 LANES floats.
INLINE void interleave(float *to, vec first, vec second) {
#if LANES == 16 && defined(__AVX512F__)
    const __m512i low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const __m512i high = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    store(to, (vec)_mm512_permutex2var_ps((__m512)first, low, (__m512)second));
    store(to + LANES, (vec)_mm512_permutex2var_ps((__m512)first, high, (__m512)second));
#elif LANES == 8 && defined(__AVX__)
    __m256 low = _mm256_unpacklo_ps((__m256)first, (__m256)second);
    __m256 high = _mm256_unpackhi_ps((__m256)first, (__m256)second);
    store(to, (vec)_mm256_permute2f128_ps(low, high, 0x20));
    store(to + LANES, (vec)_mm256_permute2f128_ps(low, high, 0x31));
#else
    for (int lane = 0; lane < LANES; lane++) {
        to[2 * lane] = first[lane];
        to[2 * lane + 1] = second[lane];
    }
#endif
}

// e^x to 2 units in the last place, for x of -87 to 88; beyond that as at that end, so that nothing overflows.
// 2^n e^r with n whole and |r| <= ln(2) / 2; the polynomial is that of Cephes (S. Moshier, expf.c).
INLINE vec exponential(vec x) {
    x = lesser(greater(x, splat(-87.0f)), splat(88.0f));
    const vec round = splat(0x1.8p23f);  // added, it leaves no bits of a fraction
    vec shifted = x * splat(0x1.715476p0f) + round;
    vec n = shifted - round;
    vec r = x - n * splat(0.693359375f);
    r = r - n * splat(-2.12194440e-4f);
    vec p = splat(1.9875691500e-4f);
    p = p * r + splat(1.3981999507e-3f);
    p = p * r + splat(8.3334519073e-3f);
    p = p * r + splat(4.1665795894e-2f);
    p = p * r + splat(1.6666665459e-1f);
    p = p * r + splat(5.0000001201e-1f);
    p = p * (r * r) + r + splat(1.0f);
    return (vec)((ivec)p + ((ivec)shifted << 23));  // its lowest bits are n
}
