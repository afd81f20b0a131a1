/* Histograms: how many samples of each channel have each level. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common.h"

#define TABLES 4 /* pixels side by side often have the same level: each waits for its own table only */
#define LEVELS_8 256
#define LEVELS_16 65536
#define MOST_CHANNELS 4

INLINE void count_8(const uint8_t *row, int32_t width, uint32_t tables[TABLES][MOST_CHANNELS][LEVELS_8], int channels,
                    int counted)
{
    int32_t x = 0;
    for (; x + TABLES <= width; x += TABLES, row += TABLES * channels)
        for (int i = 0; i < TABLES; i++)
            for (int c = 0; c < counted; c++)
                tables[i][c][row[i * channels + c]]++;
    for (; x < width; x++, row += channels)
        for (int c = 0; c < counted; c++)
            tables[0][c][row[c]]++;
}

/* Add to counts, (counted, 256), what is in the first channels of rows of width pixels; at most 2**32 of them. */
void tessera_count_8(const uint8_t *pixels, ptrdiff_t stride, int32_t width, int32_t height, int32_t channels,
                     int32_t counted, int64_t *counts)
{
    uint32_t tables[TABLES][MOST_CHANNELS][LEVELS_8];
    memset(tables, 0, sizeof tables);
    for (int32_t y = 0; y < height; y++, pixels += stride)
        if (channels == 1)
            count_8(pixels, width, tables, 1, 1);
        else if (channels == 3 && counted == 3)
            count_8(pixels, width, tables, 3, 3);
        else if (channels == 3 && counted == 1)
            count_8(pixels, width, tables, 3, 1);
        else
            count_8(pixels, width, tables, channels, counted);
    for (int32_t c = 0; c < counted; c++)
        for (int level = 0; level < LEVELS_8; level++)
            for (int i = 0; i < TABLES; i++)
                counts[c * LEVELS_8 + level] += tables[i][c][level];
}

/* The same for samples of 16 bits, with counts of (counted, 65536). */
void tessera_count_16(const uint16_t *pixels, ptrdiff_t stride, int32_t width, int32_t height, int32_t channels,
                      int32_t counted, int64_t *counts)
{
    for (int32_t y = 0; y < height; y++) {
        const uint16_t *row = (const uint16_t *)((const char *)pixels + y * stride);
        for (int32_t x = 0; x < width; x++, row += channels)
            for (int32_t c = 0; c < counted; c++)
                counts[(ptrdiff_t)c * LEVELS_16 + row[c]]++;
    }
}
