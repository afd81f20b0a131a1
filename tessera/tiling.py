"""The size of tiles: enough of them to share out, none too small, too slow or too large.

What a tile takes is found by going through the boxes that it would go through (`tessera.passes`).
"""

from collections.abc import Iterator
from typing import NamedTuple

from tessera.codecs import Unit
from tessera.errors import LimitExceeded
from tessera.geometry import ALIGNMENT, Grid, Rect, window
from tessera.limits import Limits
from tessera.operations import GeometryOperation
from tessera.passes import passes
from tessera.pipeline import Bound
from tessera.plan import Shape

BAND_UNIT = 128
"""Rows: tiles are bands of a multiple of this where memory allows, so that they suit JPEG's restart markers
and
the periods of common resizes."""
_TILE_SECONDS = 5.0
MOST_TASK_SECONDS = 10.0
_TILES_WANTED = 32
_CHUNK_PIXELS = 1 << 20
_SQUARE_UNIT = 256
_SMALLEST_SQUARE = 64
_TIFF_SIDE = 512


class Tiling(NamedTuple):
    """The sides of a tile, and how many of its columns are computed at a time (None for all)."""

    width: int
    height: int
    chunk_width: int | None = None


class Draft(NamedTuple):
    """A stage without tiles: *shapes* are those before the first operation and after each.

    *measure* is the global operation that ends it; without one, tiles are encoded in multiples of *unit*.
    With *squares*, what it writes is not read by bands.
    """

    pipeline: tuple[Bound, ...]
    shapes: tuple[Shape, ...]
    measure: Bound | None
    unit: Unit
    squares: bool = False

    @property
    def is_labelled(self) -> bool:
        """Tell whether the tiles leave a label map to the next stage."""
        return isinstance(self.measure, Bound) and bool(getattr(self.measure.operation, "labelled", False))

    @property
    def turns(self) -> bool:
        """Tell whether rows may become columns."""
        return any(
            isinstance(operation, GeometryOperation) and operation.turns(parameters)
            for operation, parameters in self.pipeline
        )

    @property
    def most_pixels(self) -> int:
        """Return the pixels of the largest image on the way."""
        return max(shape.width * shape.height for shape in self.shapes)

    @property
    def seconds(self) -> float:
        """Return the seconds of one core that a pixel of the largest image takes, roughly."""
        bounds = (*self.pipeline, *((self.measure,) if self.measure else ()))
        return float(sum(1e-6 / each.operation.rate(each.parameters) for each in bounds))

    def memory(self, tile: Rect, chunk_width: int | None = None) -> int:
        """Return the bytes that a task holds at its worst moment: what is read, made, and scratch."""
        made = self.shapes[-1].pixels
        halo = self.measure.halo if self.measure else 0
        wanted = window(tile, halo, self.shapes[-1].frame) if halo else tile
        if chunk_width is not None and chunk_width < tile.width:
            middle = tile.x0 + tile.width // 2 // chunk_width * chunk_width
            wanted = wanted._replace(x0=middle, x1=min(middle + chunk_width, tile.x1))
        read, worst = 0, 0
        for each in passes(self.pipeline, [shape.frame for shape in self.shapes], wanted):
            if each.move is None:
                read = each.region.pixels * self.shapes[0].pixels.bytes
                worst = max(worst, 2 * read)
            else:
                kind = self.shapes[each.first].pixels.bytes
                scratch = each.move[0].scratch
                worst = max(worst, read + each.needed.pixels * kind + each.region.pixels * (kind + scratch))
            for index in range(each.first, each.last):
                before, after = self.shapes[index].pixels.bytes, self.shapes[index + 1].pixels.bytes
                held = each.region.pixels * (before + after + self.pipeline[index].operation.scratch)
                worst = max(worst, read + held)
        if self.measure:
            return max(worst, read + wanted.pixels * (2 * made.bytes + self.measure.operation.scratch))
        return max(
            worst + (0 if wanted == tile else tile.pixels * made.bytes), read + 3 * tile.pixels * made.bytes
        )


def tiling(draft: Draft, limits: Limits) -> Tiling:
    """Return the tiles of a stage.

    Raises
    ------
    LimitExceeded
        If the smallest tile takes more memory than a task may hold.
    """
    chosen, memory, fitting = None, 0, None
    for chosen in _candidates(draft, limits):
        memory = most_memory(draft, chosen)
        if memory <= limits.task_memory:
            fitting = chosen
            if limits.band_rows is not None or seconds_of(draft, chosen) <= MOST_TASK_SECONDS:
                return chosen
    if fitting is not None:
        return fitting
    assert chosen is not None
    raise LimitExceeded(
        f"a tile of {chosen.width} x {chosen.height} pixels of this image takes {memory >> 20} MiB of memory",
        limit=limits.task_memory,
        actual=memory,
        hint="raise the setting task_memory, and give the instances more memory",
    )


def seconds_of(draft: Draft, chosen: Tiling) -> float:
    """Return the seconds that a tile takes, roughly."""
    made = draft.shapes[-1]
    share = chosen.width * chosen.height / (made.width * made.height)
    return draft.seconds * draft.most_pixels * share


def most_memory(draft: Draft, chosen: Tiling) -> int:
    """Return the bytes that the task of a tile holds, at the corner or in the middle of the image."""
    made = draft.shapes[-1]
    grid = Grid(made.width, made.height, chosen.width, chosen.height)
    middle = grid.rows // 2 * grid.columns + grid.columns // 2
    return max(draft.memory(grid.tile(index), chosen.chunk_width) for index in {0, middle})


def wanted_pixels(draft: Draft, limits: Limits) -> int:
    """Return the pixels of the largest image on the way that one tile should stand for."""
    most = (
        min(limits.max_tile_pixels, _TILE_SECONDS / draft.seconds)
        if draft.seconds
        else limits.max_tile_pixels
    )
    return int(min(max(draft.most_pixels / _TILES_WANTED, limits.min_tile_pixels), most))


def _candidates(draft: Draft, limits: Limits) -> Iterator[Tiling]:
    """Yield tilings from the one that suits the work down to the smallest."""
    made = draft.shapes[-1]
    if limits.band_rows is not None:
        yield _forced(draft, limits.band_rows, limits.tile_columns)
        return
    share = made.width * made.height / draft.most_pixels
    pixels = max(1, int(wanted_pixels(draft, limits) * share))
    if draft.unit.width is not None or (
        draft.measure and (draft.turns or draft.squares or made.width * BAND_UNIT > 2 * pixels)
    ):
        yield from _rects(draft, made, pixels)
    else:
        yield from _bands(draft, made, pixels)


def _bands(draft: Draft, made: Shape, pixels: int) -> Iterator[Tiling]:
    unit = draft.unit.height
    rows = max(1, round(pixels / made.width / BAND_UNIT)) * BAND_UNIT
    while rows >= unit:
        height = min(rows, made.height)
        yield Tiling(made.width, height, _chunk(draft, made.width, height))
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


def _chunk(draft: Draft, width: int, height: int) -> int | None:
    """Return the columns of a band to compute at a time: all, unless they need much of the input."""
    if not draft.turns:
        return None
    chunk = max(ALIGNMENT, _CHUNK_PIXELS // height // ALIGNMENT * ALIGNMENT)
    return chunk if chunk < width else None


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
