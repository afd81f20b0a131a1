/* What a resize is told, and what vectors of SSE2 do of it: each function returns the column that is left next. */

#ifndef TESSERA_RESAMPLING_H
#define TESSERA_RESAMPLING_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "common.h"

#define PAD 8 /* sums beyond the end of a row that may be written */

typedef struct {
    const void *pixels;     /* rows of samples, channels side by side */
    ptrdiff_t stride;       /* bytes from one of these rows to the next */
    void *made;             /* height * width * channels samples */
    void *sums;             /* held * (width * channels + PAD) sums; in single precision one row more */
    const int32_t *x_first; /* for each column, the sample that its taps begin with; ascending */
    const void *x_weights;  /* x_taps for each column */
    const int32_t *y_rows;  /* y_taps rows for each row of the result */
    const void *y_weights;  /* y_taps for each row of the result */
    int32_t width, height, channels, x_taps, y_taps;
    int32_t held;           /* how many rows of sums are kept: row r in place r modulo held */
    int32_t safe;           /* columns, from the left, after whose taps a pixel more can be read */
} job;

#if defined(__SSE2__)
INLINE __m128i four_bytes(const uint8_t *at)
{
    int32_t bytes;
    memcpy(&bytes, at, sizeof bytes);
    return _mm_cvtsi32_si128(bytes);
}

/* Sum two taps at a time for three or four channels; return the column that comes next. */
INLINE int32_t across_colours(const uint8_t *from, void *to, const job *j, int n, int taps, int narrow,
                              ptrdiff_t ahead)
{
    const __m128i zero = _mm_setzero_si128();
    const int16_t *weights = j->x_weights;
    for (int32_t x = 0; x < j->safe; x++, weights += taps) {
        const uint8_t *at = from + j->x_first[x];
        __m128i sum = zero;
        __builtin_prefetch(at + ahead);
        for (int tap = 0; tap < taps; tap += 2) {
            int32_t both;
            memcpy(&both, weights + tap, sizeof both);
            const __m128i left = _mm_loadl_epi64((const __m128i *)(at + tap * n));
            __m128i pair = _mm_unpacklo_epi8(left, _mm_srl_epi64(left, _mm_cvtsi32_si128(8 * n)));
            pair = _mm_madd_epi16(_mm_unpacklo_epi8(pair, zero), _mm_set1_epi32(both));
            sum = _mm_add_epi32(sum, pair);
        }
        if (narrow) {
            sum = _mm_srai_epi32(sum, 4);
            _mm_storel_epi64((__m128i *)((int16_t *)to + x * n), _mm_packs_epi32(sum, sum));
        } else {
            _mm_storeu_si128((__m128i *)((int32_t *)to + x * n), sum);
        }
    }
    return j->safe;
}

/* The same in single precision: the channels side by side, the taps one after another. */
INLINE int32_t across_colours_single(const uint8_t *from, float *to, const job *j, int n, int taps)
{
    const __m128i zero = _mm_setzero_si128();
    const float *weights = j->x_weights;
    for (int32_t x = 0; x < j->safe; x++, weights += taps) {
        const uint8_t *at = from + j->x_first[x];
        __m128 sum = _mm_setzero_ps();
        for (int tap = 0; tap < taps; tap++, at += n) {
            const __m128i levels = _mm_unpacklo_epi16(_mm_unpacklo_epi8(four_bytes(at), zero), zero);
            sum = _mm_add_ps(sum, _mm_mul_ps(_mm_cvtepi32_ps(levels), _mm_set1_ps(weights[tap])));
        }
        _mm_storeu_ps(to + x * n, sum);
    }
    return j->safe;
}

/* Sum two taps of one channel, four columns at a time. */
INLINE int32_t across_pairs(const uint8_t *from, int16_t *to, const job *j, ptrdiff_t ahead)
{
    const int16_t *weights = j->x_weights;
    int32_t x = 0;
    for (; x + 4 <= j->safe; x += 4) {
        __builtin_prefetch(from + j->x_first[x] + ahead);
        int16_t both[4];
        for (int i = 0; i < 4; i++)
            memcpy(both + i, from + j->x_first[x + i], sizeof *both);
        __m128i sum = _mm_set_epi16(0, 0, 0, 0, both[3], both[2], both[1], both[0]);
        sum = _mm_unpacklo_epi8(sum, _mm_setzero_si128());
        sum = _mm_madd_epi16(sum, _mm_loadu_si128((const __m128i *)(weights + 2 * x)));
        sum = _mm_srai_epi32(sum, 4);
        _mm_storel_epi64((__m128i *)(to + x), _mm_packs_epi32(sum, sum));
    }
    return x;
}

/* Return the sums of two and two of four taps, of two columns. */
INLINE __m128 halves_of_two(const uint8_t *from, const job *j, int32_t x)
{
    const __m128i *weights = (const __m128i *)((const int16_t *)j->x_weights + 4 * x);
    __m128i two = _mm_unpacklo_epi32(four_bytes(from + j->x_first[x]), four_bytes(from + j->x_first[x + 1]));
    two = _mm_unpacklo_epi8(two, _mm_setzero_si128());
    return _mm_castsi128_ps(_mm_madd_epi16(two, _mm_loadu_si128(weights)));
}

/* Sum four taps of one channel, four columns at a time. */
INLINE int32_t across_fours(const uint8_t *from, int32_t *to, const job *j, ptrdiff_t ahead)
{
    int32_t x = 0;
    for (; x + 4 <= j->safe; x += 4) {
        __builtin_prefetch(from + j->x_first[x] + ahead);
        __m128 left = halves_of_two(from, j, x), right = halves_of_two(from, j, x + 2);
        __m128i even = _mm_castps_si128(_mm_shuffle_ps(left, right, _MM_SHUFFLE(2, 0, 2, 0)));
        __m128i odd = _mm_castps_si128(_mm_shuffle_ps(left, right, _MM_SHUFFLE(3, 1, 3, 1)));
        _mm_storeu_si128((__m128i *)(to + x), _mm_add_epi32(even, odd));
    }
    return x;
}

/* Sum two taps of three or four channels as above. */
INLINE __m128i narrow_pair(const uint8_t *at, int n, __m128i weights)
{
    const __m128i left = _mm_loadl_epi64((const __m128i *)at);
    const __m128i pair = _mm_unpacklo_epi8(left, _mm_srl_epi64(left, _mm_cvtsi32_si128(8 * n)));
    return _mm_srai_epi32(_mm_madd_epi16(_mm_unpacklo_epi8(pair, _mm_setzero_si128()), weights), 4);
}

/* Mix two rows; three channels are written as four, and so not to the last column. */
INLINE int32_t linear_vectors(const uint8_t *above, const uint8_t *below, uint8_t *to, const job *j, int n,
                              int16_t upper, int16_t lower, ptrdiff_t ahead)
{
    if (n < 3)
        return 0;
    const __m128i down = _mm_unpacklo_epi64(_mm_set1_epi16(upper), _mm_set1_epi16(lower));
    const int16_t *weights = j->x_weights;
    const int32_t end = j->safe < j->width ? j->safe : j->width - 1;
    for (int32_t x = 0; x < end; x++) {
        const int32_t at = j->x_first[x];
        int32_t both;
        memcpy(&both, weights + 2 * x, sizeof both);
        __builtin_prefetch(above + at + ahead);
        __builtin_prefetch(below + at + ahead);
        const __m128i across = _mm_set1_epi32(both);
        __m128i sums = _mm_packs_epi32(narrow_pair(above + at, n, across), narrow_pair(below + at, n, across));
        sums = _mm_mulhi_epi16(sums, down);
        sums = _mm_add_epi16(_mm_add_epi16(sums, _mm_srli_si128(sums, 8)), _mm_set1_epi16(2));
        const int32_t pixel = _mm_cvtsi128_si32(_mm_packus_epi16(_mm_srai_epi16(sums, 2), sums));
        memcpy(to + x * n, &pixel, sizeof pixel);
    }
    return end;
}

INLINE int32_t across_vectors(const uint8_t *from, void *to, const job *j, int n, int taps, int narrow,
                              ptrdiff_t ahead)
{
    if (n >= 3)
        return across_colours(from, to, j, n, taps, narrow, ahead);
    if (n == 1 && narrow)
        return across_pairs(from, to, j, ahead);
    return n == 1 && taps == 4 ? across_fours(from, to, j, ahead) : 0;
}

INLINE int32_t across_vectors_single(const uint8_t *from, float *to, const job *j, int n, int taps)
{
    return n >= 3 ? across_colours_single(from, to, j, n, taps) : 0;
}
#else
INLINE int32_t across_vectors(const uint8_t *from, void *to, const job *j, int n, int taps, int narrow,
                              ptrdiff_t ahead)
{
    (void)from, (void)to, (void)j, (void)n, (void)taps, (void)narrow, (void)ahead;
    return 0;
}

INLINE int32_t linear_vectors(const uint8_t *above, const uint8_t *below, uint8_t *to, const job *j, int n,
                              int16_t upper, int16_t lower, ptrdiff_t ahead)
{
    (void)above, (void)below, (void)to, (void)j, (void)n, (void)upper, (void)lower, (void)ahead;
    return 0;
}

INLINE int32_t across_vectors_single(const uint8_t *from, float *to, const job *j, int n, int taps)
{
    (void)from, (void)to, (void)j, (void)n, (void)taps;
    return 0;
}
#endif

#endif
