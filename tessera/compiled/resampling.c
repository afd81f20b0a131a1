/* Resizing from taps: sums along rows, which are kept while a row of the result needs them, then sums down.

   What is summed is told in tessera/resampling_compiled.py, which calls this. Whole numbers are exact in any
   order; single precision is summed in the order of the taps, without fused multiplication, so that the bits
   are those of NumPy and of OpenCV (imgproc, resize) on every processor. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define INLINE static inline __attribute__((always_inline))
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
    int32_t safe;           /* columns, from the left, after whose taps one more sample can be read */
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
            __m128i pair = _mm_unpacklo_epi8(four_bytes(at + tap * n), four_bytes(at + (tap + 1) * n));
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

INLINE int32_t across_vectors(const uint8_t *from, void *to, const job *j, int n, int taps, int narrow,
                              ptrdiff_t ahead)
{
    if (n >= 3)
        return across_colours(from, to, j, n, taps, narrow, ahead);
    if (n == 1 && narrow)
        return across_pairs(from, to, j, ahead);
    return n == 1 && taps == 4 ? across_fours(from, to, j, ahead) : 0;
}
#else
INLINE int32_t across_vectors(const uint8_t *from, void *to, const job *j, int n, int taps, int narrow,
                              ptrdiff_t ahead)
{
    (void)from, (void)to, (void)j, (void)n, (void)taps, (void)narrow, (void)ahead;
    return 0;
}
#endif

/* Define what sums along a row, for samples of a type: `first` is the column to begin with. */
#define ACROSS(NAME, SAMPLE, WEIGHT, SUM, SHIFT)                                                               \
    INLINE void NAME(const SAMPLE *from, SUM *to, const job *j, int n, int taps, int32_t first)                \
    {                                                                                                          \
        const WEIGHT *weights = (const WEIGHT *)j->x_weights + (ptrdiff_t)first * taps;                        \
        for (int32_t x = first; x < j->width; x++, weights += taps)                                            \
            for (int c = 0; c < n; c++) {                                                                      \
                const SAMPLE *at = from + j->x_first[x] + c;                                                   \
                NAME##_sum sum = 0;                                                                            \
                for (int tap = 0; tap < taps; tap++, at += n)                                                  \
                    sum += (NAME##_sum)*at * weights[tap];                                                     \
                to[x * n + c] = (SUM)(sum SHIFT);                                                              \
            }                                                                                                  \
    }
typedef int32_t across_narrow_sum, across_whole_8_sum;
typedef int64_t across_whole_16_sum;
typedef float across_single_8_sum, across_single_16_sum;
ACROSS(across_narrow, uint8_t, int16_t, int16_t, >> 4)
ACROSS(across_whole_8, uint8_t, int16_t, int32_t, )
ACROSS(across_whole_16, uint16_t, int32_t, int64_t, )
ACROSS(across_single_8, uint8_t, float, float, )
ACROSS(across_single_16, uint16_t, float, float, )

/* Return the sums of a row, from those that are held or made now. */
#define ROW(NAME, SAMPLE, SUM, ACROSS_ROW)                                                                     \
    INLINE SUM *NAME(const job *j, int32_t *held, int32_t tap, int n, int taps)                                \
    {                                                                                                          \
        const int32_t row = j->y_rows[tap], place = row % j->held;                                             \
        SUM *to = (SUM *)j->sums + (size_t)place * ((size_t)j->width * n + PAD);                               \
        if (held[place] != row) {                                                                              \
            const SAMPLE *from = (const SAMPLE *)((const char *)j->pixels + row * j->stride);                  \
            const int32_t next = tap + taps < j->height * taps ? j->y_rows[tap + taps] : row;                  \
            const ptrdiff_t ahead = (next - row) * j->stride;                                                  \
            (void)ahead;                                                                                       \
            ACROSS_ROW;                                                                                        \
            held[place] = row;                                                                                 \
        }                                                                                                      \
        return to;                                                                                             \
    }
ROW(row_narrow, uint8_t, int16_t,
    across_narrow(from, to, j, n, taps, across_vectors(from, to, j, n, taps, 1, ahead)))
ROW(row_whole_8, uint8_t, int32_t,
    across_whole_8(from, to, j, n, taps, across_vectors(from, to, j, n, taps, 0, ahead)))
ROW(row_whole_16, uint16_t, int64_t, across_whole_16(from, to, j, n, taps, 0))
ROW(row_single_8, uint8_t, float, across_single_8(from, to, j, n, taps, 0))
ROW(row_single_16, uint16_t, float, across_single_16(from, to, j, n, taps, 0))

#define MOST_HELD 8
#define NONE_HELD {-1, -1, -1, -1, -1, -1, -1, -1}

/* Linear of 8 bits: OpenCV drops bits after each of the sums. */
INLINE void linear_8(const job *j, int n)
{
    const size_t samples = (size_t)j->width * n;
    const int16_t *weights = j->y_weights;
    int32_t held[MOST_HELD] = NONE_HELD;
    for (int32_t y = 0; y < j->height; y++) {
        const int16_t *above = row_narrow(j, held, 2 * y, n, 2);
        const int16_t *below = row_narrow(j, held, 2 * y + 1, n, 2);
        const int16_t upper = weights[2 * y], lower = weights[2 * y + 1];
        uint8_t *to = (uint8_t *)j->made + y * samples;
        for (size_t i = 0; i < samples; i++) {
            int16_t sum = (int16_t)((above[i] * upper) >> 16) + (int16_t)((below[i] * lower) >> 16);
            to[i] = (uint8_t)((sum + 2) >> 2);
        }
    }
}

/* Fixed point with BITS of weight: one rounding, half up, at the end. */
#define WHOLE(NAME, SAMPLE, SUM, GET_ROW, BITS, MOST)                                                          \
    INLINE void NAME(const job *j, int n, int taps)                                                            \
    {                                                                                                          \
        const size_t samples = (size_t)j->width * n;                                                           \
        int32_t held[MOST_HELD] = NONE_HELD;                                                                   \
        for (int32_t y = 0; y < j->height; y++) {                                                              \
            const int32_t *weights = (const int32_t *)j->y_weights + y * taps;                                 \
            const SUM *rows[MOST_HELD];                                                                        \
            for (int tap = 0; tap < taps; tap++)                                                               \
                rows[tap] = GET_ROW(j, held, y * taps + tap, n, taps);                             \
            SAMPLE *to = (SAMPLE *)j->made + y * samples;                                                      \
            for (size_t i = 0; i < samples; i++) {                                                             \
                SUM sum = (SUM)1 << (2 * BITS - 1);                                                            \
                for (int tap = 0; tap < taps; tap++)                                                           \
                    sum += rows[tap][i] * weights[tap];                                                        \
                sum >>= 2 * BITS;                                                                              \
                to[i] = (SAMPLE)(sum < 0 ? 0 : sum > MOST ? MOST : sum);                                       \
            }                                                                                                  \
        }                                                                                                      \
    }
WHOLE(whole_8, uint8_t, int32_t, row_whole_8, 11, 255)
WHOLE(whole_16, uint16_t, int64_t, row_whole_16, 15, 65535)

/* Single precision, of samples that are no less than 0 and sums below 2**22. */
#define SINGLE(NAME, SAMPLE, GET_ROW, MOST)                                                                    \
    INLINE void NAME(const job *j, int n)                                                                      \
    {                                                                                                          \
        const size_t samples = (size_t)j->width * n;                                                           \
        const float to_whole = 12582912.0f; /* added and taken away, it rounds half to even */                 \
        const float *weights = j->y_weights;                                                                   \
        float *sums = (float *)j->sums + (size_t)j->held * (samples + PAD);                                    \
        int32_t held[MOST_HELD] = NONE_HELD;                                                                   \
        for (int32_t y = 0; y < j->height; y++) {                                                              \
            memset(sums, 0, samples * sizeof *sums);                                                           \
            for (int32_t tap = y * j->y_taps; tap < (y + 1) * j->y_taps; tap++) {                              \
                const float weight = weights[tap];                                                             \
                if (weight == 0)                                                                               \
                    continue;                                                                                  \
                const float *row = GET_ROW(j, held, tap, n, j->x_taps);                            \
                for (size_t i = 0; i < samples; i++)                                                           \
                    sums[i] += row[i] * weight;                                                                \
            }                                                                                                  \
            SAMPLE *to = (SAMPLE *)j->made + y * samples;                                                      \
            for (size_t i = 0; i < samples; i++) {                                                             \
                float whole = sums[i] + to_whole - to_whole;                                                   \
                to[i] = (SAMPLE)(int32_t)(whole > MOST ? MOST : whole);                                        \
            }                                                                                                  \
        }                                                                                                      \
    }
SINGLE(single_8, uint8_t, row_single_8, 255)
SINGLE(single_16, uint16_t, row_single_16, 65535)

INLINE void resize_of(const job *j, int bytes, int whole, int n)
{
    if (!whole)
        bytes == 1 ? single_8(j, n) : single_16(j, n);
    else if (j->x_taps == 2)
        linear_8(j, n);
    else if (j->x_taps == 4)
        bytes == 1 ? whole_8(j, n, 4) : whole_16(j, n, 4);
    else
        bytes == 1 ? whole_8(j, n, 8) : whole_16(j, n, 8);
}

INLINE void resize(const job *j, int bytes, int whole)
{
    switch (j->channels) {
    case 1: resize_of(j, bytes, whole, 1); break;
    case 2: resize_of(j, bytes, whole, 2); break;
    case 3: resize_of(j, bytes, whole, 3); break;
    default: resize_of(j, bytes, whole, 4);
    }
}

/* Copy pixels of some bytes: for nearest, whose only taps are in x_first, in bytes, and in y_rows. */
INLINE void pick(const job *j, size_t bytes)
{
    const size_t row_bytes = bytes * j->width;
    char *to = j->made;
    for (int32_t y = 0; y < j->height; y++, to += row_bytes) {
        if (y && j->y_rows[y] == j->y_rows[y - 1]) {
            memcpy(to, to - row_bytes, row_bytes);
            continue;
        }
        const char *from = (const char *)j->pixels + j->y_rows[y] * j->stride;
        const ptrdiff_t ahead = y + 1 < j->height ? (j->y_rows[y + 1] - j->y_rows[y]) * j->stride : 0;
        for (int32_t x = 0; x < j->width; x++) {
            __builtin_prefetch(from + j->x_first[x] + ahead);
            memcpy(to + x * bytes, from + j->x_first[x], bytes);
        }
    }
}

void tessera_pick(const job *j, int bytes)
{
    switch (bytes) {
    case 1: pick(j, 1); break;
    case 2: pick(j, 2); break;
    case 3: pick(j, 3); break;
    case 4: pick(j, 4); break;
    case 6: pick(j, 6); break;
    default: pick(j, 8);
    }
}

void tessera_resize(const job *j, int bytes, int whole)
{
    resize(j, bytes, whole);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) void tessera_resize_avx2(const job *j, int bytes, int whole)
{
    resize(j, bytes, whole);
}
#endif
