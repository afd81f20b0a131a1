"""The intermediate rasters of a job: their blocks follow from how they are read."""

from collections.abc import Iterable, Sequence

from tessera import border_graph, naming
from tessera.codecs import pyramid
from tessera.geometry import ALIGNMENT, Grid, Rect
from tessera.passes import passes
from tessera.pipeline import Bound
from tessera.plan import ImageInfo, Pixels, Raster, Stage

_BLOCK_BYTES = 4 << 20
_WIDE_BLOCK_BYTES = 16 << 20
_MOST_ROWS_OF_NARROW_BLOCKS = 256


def source_raster(image: ImageInfo, box: Rect, *, by_bands: bool) -> Raster:
    """Return the block raster of the decoded input, of which only *box* is read.

    Blocks are as wide as the box where bands are read; else they are as narrow as reads are aligned, and a
    row of them is larger, so that tall boxes take few reads.
    """
    row_bytes = box.width * image.pixels.bytes
    rows = _BLOCK_BYTES // row_bytes if by_bands else _WIDE_BLOCK_BYTES // row_bytes
    if not by_bands:
        rows = min(rows, _MOST_ROWS_OF_NARROW_BLOCKS)
    return Raster(
        name=naming.source_raster(),
        frame=image.shape.frame,
        box=box,
        channels=image.pixels.channels,
        dtype="u1" if image.pixels.depth == 8 else "u2",
        block_width=box.width if by_bands else min(box.width, ALIGNMENT),
        block_height=min(box.height, max(1, rows)),
    )


def label_raster(stage: int, frame: Rect, tile_width: int, tile_height: int) -> Raster:
    """Return the label map that a stage with tiles of this size writes, a block for each."""
    return Raster(
        name=naming.label_raster(stage),
        frame=frame,
        box=frame,
        channels=1,
        dtype="u2" if border_graph.max_label(tile_width, tile_height) < 1 << 16 else "u4",
        block_width=tile_width,
        block_height=tile_height,
        deflated=True,
    )


def rest_raster(grid: Grid, pixels: Pixels) -> Raster:
    """Return the block raster of what the tiles of *grid* keep for the overviews that span them."""
    rest = pyramid.rest_grid(grid)
    return Raster(
        name=naming.rest_raster(),
        frame=rest.frame,
        box=rest.frame,
        channels=pixels.channels,
        dtype="u1" if pixels.depth == 8 else "u2",
        block_width=rest.tile_width,
        block_height=rest.tile_height,
    )


def read_box(pipeline: Sequence[Bound], frames: Sequence[Rect], stage: Stage, halo: int) -> Rect:
    """Return the smallest box of a stage's source that holds what its tiles read."""
    whole = passes(pipeline, frames, frames[-1])[0].region
    if whole == frames[0]:
        return whole
    return around(
        passes(pipeline, frames, part.grown(halo, frames[-1]).aligned(frames[-1]) if halo else part)[0].region
        for part in _parts(stage)
    )


def around(boxes: Iterable[Rect]) -> Rect:
    """Return the smallest box around all of *boxes*."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return Rect(min(lefts), min(tops), max(rights), max(bottoms))


def _parts(stage: Stage) -> Iterable[Rect]:
    """Yield what is computed at a time: tiles, or the chunks of tiles."""
    for tile in stage.grid.tiles():
        width = stage.chunk_width or tile.width
        for x0 in range(tile.x0, tile.x1, width):
            yield tile._replace(x0=x0, x1=min(x0 + width, tile.x1))
