"""Where the stages that look at the input read it: from a block raster, or from the upload itself.

A raster costs one decoding, a write and reads. An upload that can be read by boxes costs none of these, but
each tile decodes all blocks (tiles or strips of a TIFF, groups of restart intervals of a JPEG) that it
touches.
"""

from collections.abc import Sequence
from typing import NamedTuple

from tessera.draft import Draft
from tessera.errors import LimitExceeded
from tessera.geometry import Grid, Rect, window
from tessera.passes import passes
from tessera.plan import ImageInfo, Pixels, Raster, Stage, Upload
from tessera.rasters import around, decoder_bytes, decoding_memory, read_box, source_raster
from tessera.tiling import MOST_TASK_SECONDS, Tiling, is_full_width, seconds_of

_MOST_DECODING = 2.5
"""Times that the image may be decoded in all, so that doing without a raster is quicker."""
_DECODING = {"jpeg": 1.3e-9, "png": 4e-9}
_STORING = 5e-9
_WORTH = 1.25
"""Seconds of one core per byte, to decode it, and to write and read it; and how many times as many in all it
is worth that no tile waits for a raster."""


class Reading(NamedTuple):
    """A stage that looks at the input."""

    stage: Stage
    draft: Draft
    tiling: Tiling

    @property
    def halo(self) -> int:
        """Return the pixels around a tile that the operation measured at its end needs."""
        return self.draft.measure.halo if self.draft.measure else 0

    @property
    def by_bands(self) -> bool:
        """Tell whether whole bands of the input are read."""
        return is_full_width(self.tiling, self.draft.shapes[-1]) and not self.draft.turns


def source_of(image: ImageInfo, kind: Pixels, stages: Sequence[Reading], task_memory: int) -> Raster | Upload:
    """Return the source that all stages that look at the input read; a raster holds pixels of *kind*.

    Raises
    ------
    LimitExceeded
        If decoding into a raster would hold more than *task_memory*, because rows are too wide.
    """
    frame = image.shape.frame
    if image.block and sum(_decoded(image.block, each) for each in stages) <= _MOST_DECODING * frame.pixels:
        return Upload(frame=frame, indexing=not image.random)
    boxes = [
        read_box(each.draft.pipeline, [shape.frame for shape in each.draft.shapes], each.stage, each.halo)
        for each in stages
    ]
    raster = source_raster(
        image,
        kind,
        around(boxes),
        by_bands=all(each.by_bands for each in stages),
        read_rows=min(max(region.height for region in _regions(each)) for each in stages),
        memory=task_memory,
    )
    memory = decoding_memory(image, raster)
    if memory > task_memory:
        raise LimitExceeded(
            f"decoding the image, with rows of {image.width:,} pixels, takes {memory >> 20} MiB of memory",
            limit=task_memory,
            actual=memory,
            hint="save the image as a tiled TIFF, or raise the setting task_memory,"
            " and give the instances more memory",
        )
    return raster


def can_skip(image: ImageInfo) -> bool:
    """Tell whether tasks can decode the upload to their tiles without holding what is above them."""
    return image.skips and image.format in _DECODING


def is_worth_skipping(image: ImageInfo, stages: Sequence[Reading], stored: int) -> bool:
    """Tell whether tasks that each decode the upload from its top do better than a raster.

    Parameters
    ----------
    stored
        Bytes of a pixel in that raster, times the stages that read it.
    """
    if not all(each.by_bands for each in stages):
        return False
    decoding = _DECODING[image.format] * image.pixels.bytes
    return decoding * sum(map(_decodings, stages)) <= _WORTH * (decoding + _STORING * stored)


def skipping_bytes(image: ImageInfo, reading: Reading) -> int:
    """Return the bytes that a task holds to decode the upload itself.

    They are the decoder's, the rows before, and the blocks of a tile on their way while the next is made.
    """
    rows = max(region.height for region in _regions(reading))
    made = reading.draft.shapes[-1].pixels.bytes * reading.tiling.width * reading.tiling.height
    return decoder_bytes(image) + rows * image.width * image.pixels.bytes + made


def is_quick(image: ImageInfo, reading: Reading) -> bool:
    """Tell whether each task of the stage, which decodes the image to its last tile, is short enough."""
    rows, tile = _decoding_seconds(image) / image.height, _tile_seconds(reading)
    ends, starts = _ends(reading), reading.stage.starts()
    seconds = (
        rows * end + len(reading.stage.task(start)) * tile for end, start in zip(ends, starts, strict=True)
    )
    return max(seconds) <= MOST_TASK_SECONDS


def task_starts(image: ImageInfo, reading: Reading, tasks: int) -> tuple[int, ...]:
    """Return the tiles that so many tasks begin with, each decoding the image from its top, to end together.

    A task that ends at the share x of the image takes x D for decoding to there, and (x - x') P for its tiles
    if the one before ends at x'. All take as long if x is in proportion to 1 - (P / (P + D)) ** i.
    """
    count = reading.stage.grid.count
    decoding, tiles = _decoding_seconds(image), _tile_seconds(reading) * count
    ratio = tiles / (tiles + decoding)
    shares = [1 - ratio**task for task in range(tasks + 1)]
    return tuple(sorted({round(share / shares[-1] * count) for share in shares[:-1]}))


def _decoding_seconds(image: ImageInfo) -> float:
    return _DECODING[image.format] * image.pixels.bytes * image.width * image.height


def _tile_seconds(reading: Reading) -> float:
    """Return the seconds of one core to make a tile and to write it; what is measured is little to write."""
    draft, chosen = reading.draft, reading.tiling
    written = 0 if draft.measure else draft.shapes[-1].pixels.bytes * chosen.width * chosen.height
    return seconds_of(draft, chosen) + _STORING * written


def _decodings(reading: Reading) -> float:
    """Return how often the image is decoded in all, if each task of the stage begins at its top."""
    return sum(_ends(reading)) / reading.draft.shapes[0].height


def _ends(reading: Reading) -> list[int]:
    """Return the row of the input that each task ends at."""
    grid, frames = reading.stage.grid, [shape.frame for shape in reading.draft.shapes]
    last = [reading.stage.task(start)[-1] for start in reading.stage.starts()]
    return [_region(reading, frames, grid.tile(tile)).y1 for tile in last]


def _region(reading: Reading, frames: Sequence[Rect], tile: Rect) -> Rect:
    """Return the box of the input that a part of the stage's image needs."""
    wanted = window(tile, reading.halo, frames[-1]) if reading.halo else tile
    return passes(reading.draft.pipeline, frames, wanted)[0].region


def _decoded(block: tuple[int, int], reading: Reading) -> int:
    """Return the pixels that the tiles of a stage decode in all, as if each were the one in the middle."""
    frame = reading.draft.shapes[0].frame
    return reading.stage.grid.count * sum(_covered(block, region, frame) for region in _regions(reading))


def _regions(reading: Reading) -> list[Rect]:
    """Return the boxes of the input that the tile in the middle reads, one after another."""
    stage, grid = reading.stage, reading.stage.grid
    tile = grid.tile(grid.rows // 2 * grid.columns + grid.columns // 2)
    width = stage.chunk_width or tile.width
    parts = [tile._replace(x0=x0, x1=min(x0 + width, tile.x1)) for x0 in range(tile.x0, tile.x1, width)]
    frames = [shape.frame for shape in reading.draft.shapes]
    return [_region(reading, frames, part) for part in parts]


def _covered(block: tuple[int, int], region: Rect, frame: Rect) -> int:
    """Return the pixels of the blocks that share some with *region*."""
    grid = Grid(frame.width, frame.height, min(block[0], frame.width), min(block[1], frame.height))
    touched = list(grid.touching(region))
    first, last = grid.tile(touched[0]), grid.tile(touched[-1])
    return (last.x1 - first.x0) * (last.y1 - first.y0)
