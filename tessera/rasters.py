"""The intermediate rasters of a job: their blocks follow from how they are read."""

from collections.abc import Iterable, Sequence

from tessera import border_graph, naming
from tessera.codecs import pyramid
from tessera.geometry import ALIGNMENT, Grid, Rect
from tessera.passes import passes
from tessera.pipeline import Bound
from tessera.plan import ImageInfo, Pixels, Raster, Stage

_BLOCK_BYTES = 4 << 20
_WIDE_BLOCK_BYTES = 24 << 20
_LEAST_ROWS_OF_NARROW_BLOCKS = 256
_BLOCKS_DOWN = 4
"""Narrow blocks that a box is high, where memory allows: more are more reads, fewer read more along."""
_COPIES = 6
"""Rows of blocks that decoding holds: those that come from the decoder, are cut, and are being written."""
_DECODER_ROWS = 560
"""Rows that libvips keeps of a file that it reads from top to bottom, measured with PNG and JPEG."""


def source_raster(
    image: ImageInfo, kind: Pixels, box: Rect, *, by_bands: bool, read_rows: int = 1, memory: int = 1 << 30
) -> Raster:
    """Return the block raster of the decoded input, made pixels of *kind*, of which only *box* is read.

    Blocks are as wide as the box where bands are read; else they are as narrow as reads are aligned, and a
    row of them is larger, so that boxes of *read_rows* rows take few reads. Decoding takes at most *memory*,
    if rows are not so wide that it can't.
    """
    row_bytes = box.width * image.pixels.bytes
    left = (memory - decoder_bytes(image)) // _COPIES
    rows = min(left, _BLOCK_BYTES if by_bands else _WIDE_BLOCK_BYTES) // row_bytes
    if not by_bands:
        rows = min(rows, max(_LEAST_ROWS_OF_NARROW_BLOCKS, read_rows // _BLOCKS_DOWN))
    return Raster(
        name=naming.source_raster(),
        frame=image.shape.frame,
        box=box,
        channels=kind.channels,
        dtype="u1" if kind.depth == 8 else "u2",
        block_width=box.width if by_bands else min(box.width, ALIGNMENT),
        block_height=min(box.height, max(1, rows)),
    )


def decoding_memory(image: ImageInfo, raster: Raster) -> int:
    """Return the bytes that decoding the upload into *raster* holds at its worst moment."""
    row_bytes = raster.box.width * max(raster.pixel_bytes, image.pixels.bytes)
    return decoder_bytes(image) + _COPIES * raster.block_height * row_bytes


def decoder_bytes(image: ImageInfo) -> int:
    """Return the bytes that the decoder holds: of the whole image, or of some rows."""
    rows = min(_DECODER_ROWS, image.height) if image.format in ("png", "jpeg") else 0
    return image.held or rows * image.width * image.pixels.bytes


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
