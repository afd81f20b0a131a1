/* Gives the samples of rows to a network of comparisons (tessera/median_network.py), as many columns at a time as stay
   in the processor's nearest memory. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common.h"

#define STEP 32 /* bytes; what is compared at once is some of these */

/* Where a network's rows are in its memory: each row has plane bytes, and the image's come first. An exchange is two
   offsets to read at, two to write the lower and the higher samples at, and how many steps. */
typedef struct {
    const int32_t *exchanges, *results;
    uint8_t *memory;
    int32_t count, plane, rows, columns, side;
} network;

INLINE void exchange(const uint8_t *a, const uint8_t *b, uint8_t *restrict low, uint8_t *restrict high, int32_t bytes)
{
    for (int32_t i = 0; i < bytes; i++) {
        const uint8_t x = a[i], y = b[i];
        low[i] = x < y ? x : y;
        high[i] = x < y ? y : x;
    }
}

INLINE int32_t within(int32_t place, int32_t size) { return place < 0 ? 0 : place < size ? place : size - 1; }

/* Copy the pixels of a row from place to stop; those outside of it are its first or its last one. */
static void copy(uint8_t *to, const uint8_t *row, int32_t place, int32_t stop, int32_t width, int32_t channels)
{
    for (; place < stop && place < 0; place++, to += channels)
        memcpy(to, row, channels);
    if (place < stop && place < width) {
        const int32_t pixels = (stop < width ? stop : width) - place;
        memcpy(to, row + (ptrdiff_t)place * channels, (size_t)pixels * channels);
        place += pixels;
        to += (ptrdiff_t)pixels * channels;
    }
    for (; place < stop; place++, to += channels)
        memcpy(to, row + (ptrdiff_t)(width - 1) * channels, channels);
}

INLINE void filter(const uint8_t *pixels, ptrdiff_t stride, int32_t width, int32_t height, int32_t channels,
                   const network *n, uint8_t *made)
{
    const int32_t around = n->side / 2;
    for (int32_t y = 0; y < height; y += n->rows)
        for (int32_t x = 0; x < width; x += n->columns) {
            const int32_t columns = x + n->columns < width ? n->columns : width - x;
            for (int32_t row = 0; row < n->rows + n->side - 1; row++)
                copy(n->memory + row * n->plane, pixels + within(y + row - around, height) * stride, x - around,
                     x + columns + around, width, channels);
            const int32_t *e = n->exchanges;
            for (int32_t i = 0; i < n->count; i++, e += 5)
                exchange(n->memory + e[0], n->memory + e[1], n->memory + e[2], n->memory + e[3], e[4] * STEP);
            for (int32_t row = 0; row < n->rows && y + row < height; row++)
                memcpy(made + ((ptrdiff_t)(y + row) * width + x) * channels, n->memory + n->results[row],
                       (size_t)columns * channels);
        }
}

/* Replace 8-bit samples by the medians of the squares around them, whose samples beyond an edge are the edge's. */
void tessera_median(const uint8_t *pixels, ptrdiff_t stride, int32_t width, int32_t height, int32_t channels,
                    const network *n, uint8_t *made)
{
    filter(pixels, stride, width, height, channels, n, made);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) void tessera_median_avx2(const uint8_t *pixels, ptrdiff_t stride, int32_t width,
                                                         int32_t height, int32_t channels, const network *n,
                                                         uint8_t *made)
{
    filter(pixels, stride, width, height, channels, n, made);
}
#endif
