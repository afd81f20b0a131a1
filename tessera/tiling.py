"""The size of tiles: enough of them to share out, none too small, too slow or too large."""

import math
from collections.abc import Iterator
from typing import NamedTuple

from tessera.draft import Draft
from tessera.errors import LimitExceeded
from tessera.geometry import ALIGNMENT, Grid, Rect, ceil_div
from tessera.limits import Limits
from tessera.plan import Shape

BAND_UNIT = 128
"""Rows: tiles are bands of a multiple of this where memory allows, so that they suit JPEG's restart markers
and the periods of common resizes."""
MOVING = 40e-9
"""Seconds of one core in which a pixel is read, decoded, encoded and written, roughly."""
_TILE_SECONDS = 5.0
MOST_TASK_SECONDS = 10.0
_ENOUGH_SECONDS = 0.5
_ENOUGH_PIXELS = 1 << 20
"""A tile that takes so long, and has so many pixels, need not be larger to be worth a task of its own."""
_TILES_WANTED = 32
_HARDLY_QUICKER = 1.25
_CHUNK_PIXELS = 1 << 20
_SMALLEST_CHUNK = 512
_SQUARE_UNIT = 256
_SMALLEST_SQUARE = 64
_TIFF_SIDE = 512


class Tiling(NamedTuple):
    """The sides of a tile, and how many of its columns are computed at a time (None for all)."""

    width: int
    height: int
    chunk_width: int | None = None


def tiling(draft: Draft, limits: Limits) -> Tiling:
    """Return the tiles of a stage.

    Raises
    ------
    LimitExceeded
        If the smallest tile takes more memory than a task may hold.
    """
    chosen, memory, fitting = None, 0, list[tuple[float, Tiling]]()
    for chosen in _candidates(draft, limits):
        memory = most_memory(draft, chosen)
        if memory <= limits.task_memory:
            seconds = seconds_of(draft, chosen)
            if limits.band_rows is not None or seconds <= MOST_TASK_SECONDS:
                return chosen
            fitting.append((seconds, chosen))
    if fitting:
        # What is computed around a tile takes so long that smaller tiles are hardly quicker, and more.
        enough = _HARDLY_QUICKER * min(seconds for seconds, _ in fitting)
        return next(each for seconds, each in fitting if seconds <= enough)
    assert chosen is not None
    raise LimitExceeded(
        f"a tile of {chosen.width} x {chosen.height} pixels of this image takes {memory >> 20} MiB of memory",
        limit=limits.task_memory,
        actual=memory,
        hint=f"the operations look at {draft.halo} pixels around each tile: use fewer or smaller ones,"
        " or raise the setting task_memory, and give the instances more memory",
    )


def seconds_of(draft: Draft, chosen: Tiling) -> float:
    """Return the seconds that the tile in the middle of the image takes, roughly."""
    return draft.duration(_tiles(draft, chosen)[-1], chosen.chunk_width)


def most_memory(draft: Draft, chosen: Tiling) -> int:
    """Return the bytes that the task of a tile holds, at the corner or in the middle of the image."""
    return max(draft.memory(tile, chosen.chunk_width) for tile in _tiles(draft, chosen))


def _tiles(draft: Draft, chosen: Tiling) -> list[Rect]:
    """Return the tile at the corner and the one in the middle."""
    made = draft.shapes[-1]
    grid = Grid(made.width, made.height, chosen.width, chosen.height)
    return [grid.tile(index) for index in (0, grid.rows // 2 * grid.columns + grid.columns // 2)]


def least_pixels(draft: Draft, limits: Limits) -> float:
    """Return the pixels of the largest image on the way below which a tile isn't worth a task of its own."""
    enough = max(_ENOUGH_SECONDS / (draft.seconds + MOVING), _ENOUGH_PIXELS)
    return min(enough, limits.min_tile_pixels, _most_pixels(draft, limits))


def _most_pixels(draft: Draft, limits: Limits) -> float:
    most = float(limits.max_tile_pixels)
    return min(most, _TILE_SECONDS / draft.seconds) if draft.seconds else most


def _wanted_pixels(draft: Draft, limits: Limits) -> float:
    """Return the pixels of the largest image on the way that one tile should stand for.

    Where there are more tiles than instances, each gets as many.
    """
    share = max(draft.most_pixels / _TILES_WANTED, least_pixels(draft, limits))
    tiles = math.ceil(draft.most_pixels / share)
    if tiles > limits.instances:
        tiles = ceil_div(tiles, limits.instances) * limits.instances
    return min(draft.most_pixels / tiles, _most_pixels(draft, limits))


def _candidates(draft: Draft, limits: Limits) -> Iterator[Tiling]:
    """Yield tilings from the one that suits the work down to the smallest."""
    made = draft.shapes[-1]
    if limits.band_rows is not None:
        yield _forced(draft, limits.band_rows, limits.tile_columns)
        return
    share = made.width * made.height / draft.most_pixels
    pixels = max(1, int(_wanted_pixels(draft, limits) * share))
    if draft.unit.width is not None or (
        draft.measure and (draft.turns or draft.squares or made.width * BAND_UNIT > 2 * pixels)
    ):
        yield from _rects(draft, made, pixels)
    else:
        yield from _bands(draft, made, pixels)


def _bands(draft: Draft, made: Shape, pixels: int) -> Iterator[Tiling]:
    unit = draft.unit.height
    rows = max(1, ceil_div(pixels, made.width * BAND_UNIT)) * BAND_UNIT
    while rows >= unit:
        height = min(rows, made.height)
        for chunk in _chunks(draft, made.width, height):
            yield Tiling(made.width, height, chunk)
        rows = rows - BAND_UNIT if rows > BAND_UNIT else rows // 2


def _rects(draft: Draft, made: Shape, pixels: int) -> Iterator[Tiling]:
    """Yield full-width rects where one unit of rows is not too much, then ever smaller squares."""
    unit = draft.unit.width or _SQUARE_UNIT
    rows = int(pixels / made.width) // unit * unit
    if rows and not (draft.turns or draft.squares):
        yield Tiling(made.width, min(rows, made.height))
    side = max(unit, int(pixels**0.5) // unit * unit)
    smallest = _TIFF_SIDE if draft.unit.width else _SMALLEST_SQUARE
    while side >= smallest:
        yield Tiling(min(side, made.width), min(side, made.height))
        side = side - unit if side > unit else side // 2


def _chunks(draft: Draft, width: int, height: int) -> Iterator[int | None]:
    """Yield how many columns of a band may be computed at a time: all, or fewer for what needs much input.

    That is what turns, or looks at more rows around a band than are in it: a lower band would do most of the
    work again.
    """
    most = max(ALIGNMENT, _CHUNK_PIXELS // height // ALIGNMENT * ALIGNMENT)
    if draft.turns:
        yield most if most < width else None
        return
    yield None
    if not draft.measure and 2 * draft.halo >= height:
        yield from (
            part for part in (most, most // 4 // ALIGNMENT * ALIGNMENT) if _SMALLEST_CHUNK <= part < width
        )


def _forced(draft: Draft, rows: int, columns: int | None) -> Tiling:
    made = draft.shapes[-1]
    height = min(rows, made.height)
    if columns is None or columns >= made.width:
        return Tiling(made.width, height)
    if draft.measure or draft.unit.width is not None:
        return Tiling(columns, height)
    return Tiling(made.width, height, columns)


def is_full_width(chosen: Tiling, made: Shape) -> bool:
    """Tell whether the tiles are bands that are computed whole."""
    return chosen.width >= made.width and chosen.chunk_width is None
