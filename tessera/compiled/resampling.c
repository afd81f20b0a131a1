/* Resizing from taps: sums along rows, which are kept while a row of the result needs them, then sums down.

   What is summed is told in tessera/resampling_compiled.py, which calls this. Whole numbers are exact in any
   order; single precision is summed in the order of the taps, without fused multiplication, so that the bits
   are those of NumPy and of OpenCV (imgproc, resize) on every processor. */

#include "resampling.h"

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
            const int32_t after = tap + j->y_taps;                                                             \
            const int32_t next = after < j->height * j->y_taps ? j->y_rows[after] : row;                       \
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
ROW(row_single_8, uint8_t, float,
    across_single_8(from, to, j, n, taps, across_vectors_single(from, to, j, n, taps)))
ROW(row_single_16, uint16_t, float, across_single_16(from, to, j, n, taps, 0))

#define MOST_HELD 8
#define NONE_HELD {-1, -1, -1, -1, -1, -1, -1, -1}

INLINE uint8_t mixed(int16_t above, int16_t below, int16_t upper, int16_t lower)
{
    const int16_t sum = (int16_t)((above * upper) >> 16) + (int16_t)((below * lower) >> 16);
    return (uint8_t)((sum + 2) >> 2);
}

/* Make a row of which no row of sums is needed again. */
INLINE void linear_row(const uint8_t *above, const uint8_t *below, uint8_t *to, const job *j, int n, int16_t upper,
                       int16_t lower, ptrdiff_t ahead)
{
    const int16_t *weights = j->x_weights;
    int32_t x = linear_vectors(above, below, to, j, n, upper, lower, ahead);
    for (; x < j->width; x++)
        for (int c = 0; c < n; c++) {
            const int32_t at = j->x_first[x] + c, left = weights[2 * x], right = weights[2 * x + 1];
            to[x * n + c] = mixed((int16_t)((above[at] * left + above[at + n] * right) >> 4),
                                  (int16_t)((below[at] * left + below[at + n] * right) >> 4), upper, lower);
        }
}

/* Linear of 8 bits: OpenCV drops bits after each of the sums. */
INLINE void linear_8(const job *j, int n)
{
    const size_t samples = (size_t)j->width * n;
    const int16_t *weights = j->y_weights;
    int32_t held[MOST_HELD] = NONE_HELD;
    for (int32_t y = 0; y < j->height; y++) {
        const int32_t *rows = j->y_rows + 2 * y;
        const int16_t upper = weights[2 * y], lower = weights[2 * y + 1];
        uint8_t *to = (uint8_t *)j->made + y * samples;
        const int again = y + 1 < j->height && rows[2] <= rows[1];
        if (!again && held[rows[0] % 2] != rows[0]) {
            const uint8_t *from = (const uint8_t *)j->pixels;
            const ptrdiff_t ahead = y + 1 < j->height ? (rows[2] - rows[0]) * j->stride : 0;
            linear_row(from + rows[0] * j->stride, from + rows[1] * j->stride, to, j, n, upper, lower, ahead);
            continue;
        }
        const int16_t *above = row_narrow(j, held, 2 * y, n, 2), *below = row_narrow(j, held, 2 * y + 1, n, 2);
        for (size_t i = 0; i < samples; i++)
            to[i] = mixed(above[i], below[i], upper, lower);
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
                const float whole = half_to_even(sums[i]);                                                     \
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
