"""Overviews: an image at half its size, at a quarter and so on, made by tiles that see only themselves.

A pixel of a level is the mean of 2 x 2 pixels of the level before, each channel alone, rounded half up; at an
odd edge the last row or column counts twice. A side is half of the one before, rounded up. The last level is
the first one that fits into one TIFF tile.

A tile whose sides are multiples of 512 * 2**k makes its part of k levels alone. The levels above span several
tiles: they are made from what the tiles keep of level k + 1, band by band.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from tessera.codecs.base import Array
from tessera.geometry import Grid, ceil_div

TILE = 512
"""Columns and rows of a TIFF tile."""


def halved(pixels: Array) -> Array:
    """Return the means of 2 x 2 pixels: (rows, columns, channels), uint8 or uint16, any size from 1 x 1."""
    rows, columns, channels = pixels.shape
    if rows % 2 or columns % 2:
        pixels = np.pad(pixels, ((0, rows % 2), (0, columns % 2), (0, 0)), mode="edge")
    wide = np.uint16 if pixels.dtype == np.uint8 else np.uint32
    pairs = np.add(pixels[0::2], pixels[1::2], dtype=wide).reshape(-1, ceil_div(columns, 2), 2, channels)
    sums = pairs[:, :, 0] + pairs[:, :, 1]
    sums += 2
    sums >>= 2
    return sums.astype(pixels.dtype)


def level_count(width: int, height: int) -> int:
    """Return the number of overviews of an image.

    >>> level_count(512, 100), level_count(513, 100), level_count(32_000, 32_000)
    (0, 1, 6)
    """
    return (ceil_div(max(width, height), TILE) - 1).bit_length()


def own_levels(grid: Grid) -> int:
    """Return the number of overviews of which every tile of *grid* makes its part alone.

    >>> own_levels(Grid(9000, 9000, 2048, 4096)), own_levels(Grid(9000, 9000, 9000, 512))
    (2, 0)
    """
    levels = level_count(grid.width, grid.height)
    sides = [(grid.tile_width, grid.columns), (grid.tile_height, grid.rows)]
    while any(count > 1 and side % (TILE << levels) for side, count in sides):
        levels -= 1
    return levels


def grids(grid: Grid) -> tuple[Grid, ...]:
    """Return the parts of each level: as the tiles make them, or else bands of one row of TIFF tiles."""
    own, parts = own_levels(grid), [grid]
    for level in range(1, level_count(grid.width, grid.height) + 1):
        width, height = ceil_div(grid.width, 1 << level), ceil_div(grid.height, 1 << level)
        if level <= own:
            sides = ceil_div(grid.tile_width, 1 << level), ceil_div(grid.tile_height, 1 << level)
            parts.append(Grid(width, height, *sides))
        else:
            parts.append(Grid.bands(width, height, TILE))
    return tuple(parts)


def rest_grid(grid: Grid) -> Grid:
    """Return the grid, in the tiles' order, of what they keep of the first level that spans them."""
    scale = 1 << own_levels(grid) + 1
    return Grid(*(ceil_div(n, scale) for n in (grid.width, grid.height, grid.tile_width, grid.tile_height)))


def bands_of(levels: tuple[Grid, ...], first: int, rows: Iterable[Array]) -> Iterator[tuple[int, int, Array]]:
    """Yield level, number and pixels of each band of all levels from *first* on.

    Parameters
    ----------
    levels
        The grids of all levels, in bands of `TILE` rows from *first* on.
    rows
        The pixels of level *first*, full width, in pieces of any height.
    """
    waiting: list[list[Array]] = [[] for _ in levels]
    made = [0] * len(levels)
    for piece in _recut(rows):
        level, band = first, piece
        while True:
            yield level, made[level], band
            made[level] += 1
            if level + 1 == len(levels):
                break
            waiting[level + 1].append(halved(band))
            complete = made[level] == levels[level].count
            level += 1
            if len(waiting[level]) < 2 and not complete:
                break
            band = np.concatenate(waiting[level])
            waiting[level].clear()


def _recut(rows: Iterable[Array]) -> Iterator[Array]:
    """Yield the same rows in pieces of `TILE` rows; the last may be lower."""
    held: list[Array] = []
    for piece in rows:
        held.append(piece)
        if sum(len(one) for one in held) >= TILE:
            joined_rows = np.concatenate(held)
            whole = len(joined_rows) // TILE * TILE
            yield from np.split(joined_rows[:whole], whole // TILE)
            held = [joined_rows[whole:]]
    if held and (last := np.concatenate(held)).size:
        yield last
