/* Differences along rows: each sample is stored as what it is more than the one of its channel to the left, modulo
   256 (Aldus TIFF 6.0, section 14). */

#include <stddef.h>
#include <stdint.h>

#include "common.h"

INLINE void sum(const uint8_t *from, uint8_t *to, int32_t width, int channels)
{
    uint8_t sums[3] = {0};
    for (int32_t x = 0; x < width; x++, from += channels, to += channels)
        for (int c = 0; c < channels; c++) {
            sums[c] += from[c];
            to[channels - 1 - c] = sums[c];
        }
}

/* Write the samples themselves, of one channel or of three in the opposite order, to rows of the same size. */
void tessera_undo_differences(const uint8_t *pixels, ptrdiff_t stride, int32_t width, int32_t height,
                              int32_t channels, uint8_t *to, ptrdiff_t to_stride)
{
    for (int32_t y = 0; y < height; y++, pixels += stride, to += to_stride)
        if (channels == 3)
            sum(pixels, to, width, 3);
        else
            sum(pixels, to, width, 1);
}
