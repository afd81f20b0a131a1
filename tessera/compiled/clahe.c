/* The last step of CLAHE (K. Zuiderveld, Graphics Gems IV, 1994; OpenCV imgproc, createCLAHE): each level is looked
   up in the tables of the four cells around its pixel, and these are mixed in single precision, as in NumPy. */

#include <stddef.h>
#include <stdint.h>

#include "common.h"

/* Work on the first channel of rows of width pixels. Tables are told by where they begin: by the sum of one of
   left or right for the column and one of upper or lower for the row. Shares are those of right and of lower. */
void tessera_blend(uint8_t *pixels, ptrdiff_t stride, int32_t width, int32_t height, int32_t channels,
                   const uint8_t *tables, const int32_t *left, const int32_t *right, const float *x_share,
                   const int32_t *upper, const int32_t *lower, const float *y_share)
{
    for (int32_t y = 0; y < height; y++, pixels += stride) {
        const uint8_t *above = tables + upper[y], *below = tables + lower[y];
        const float down = y_share[y], up = 1.0f - down;
        uint8_t *at = pixels;
        for (int32_t x = 0; x < width; x++, at += channels) {
            const int32_t l = left[x] + *at, r = right[x] + *at;
            const float share = x_share[x], rest = 1.0f - share;
            const float mixed_above = above[l] * rest + above[r] * share;
            const float mixed_below = below[l] * rest + below[r] * share;
            *at = (uint8_t)(int32_t)half_to_even(mixed_above * up + mixed_below * down);
        }
    }
}
