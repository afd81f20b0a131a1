"""The intermediate rasters of a job: their blocks follow from how they are read."""

from collections.abc import Iterable, Sequence

from tessera import border_graph, naming
from tessera.codecs import pyramid
from tessera.geometry import ALIGNMENT, Grid, Rect, ceil_div
from tessera.passes import passes
from tessera.pipeline import Bound
from tessera.plan import ImageInfo, Pixels, Raster, Stage

PUT_BYTES = 8 << 20
UPLOADS_AT_ONCE = 3
_BLOCK_BYTES = 4 << 20
_WIDE_BLOCK_BYTES = 96 << 20
_LEAST_ROWS_OF_NARROW_BLOCKS = 256
_BLOCKS_DOWN = 4
"""Narrow blocks that a box is high, where memory allows: more are more reads, fewer read more along."""
_ROWS_AT_ONCE = 128
"""Rows that are decoded at a time into narrow blocks, whose height is a multiple of it where it is more."""
_PIECES = 3
"""Rows decoded at a time that decoding holds: from the decoder, made others, and in between."""
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
    row_bytes = box.width * max(kind.bytes, image.pixels.bytes)
    left = (memory - decoder_bytes(image)) // row_bytes
    rows = _band_rows(left, row_bytes) if by_bands else _block_rows(left, row_bytes, read_rows)
    return Raster(
        name=naming.source_raster(),
        frame=image.shape.frame,
        box=box,
        channels=kind.channels,
        dtype="u1" if kind.depth == 8 else "u2",
        block_width=box.width if by_bands else min(box.width, ALIGNMENT),
        block_height=min(box.height, max(1, rows)),
    )


def _band_rows(left: int, row_bytes: int) -> int:
    """Return the rows of blocks that are as wide as the box, where *left* rows may be held in all."""
    return min(left // (2 * UPLOADS_AT_ONCE + 1 + _PIECES), _BLOCK_BYTES // row_bytes)


def _block_rows(left: int, row_bytes: int, read_rows: int) -> int:
    """Return the rows of narrow blocks that are read *read_rows* at a time."""
    most = min(_WIDE_BLOCK_BYTES // row_bytes, max(_LEAST_ROWS_OF_NARROW_BLOCKS, read_rows // _BLOCKS_DOWN))
    sent = UPLOADS_AT_ONCE * PUT_BYTES // row_bytes
    rows = min(most, (left - sent - _PIECES * _ROWS_AT_ONCE) // 2)
    if rows >= _ROWS_AT_ONCE:
        return rows // _ROWS_AT_ONCE * _ROWS_AT_ONCE
    return min(most, _ROWS_AT_ONCE, left // (2 + _PIECES + 2))


def rows_at_once(raster: Raster) -> int:
    """Return the rows that are decoded at a time, which make up each row of blocks but the last."""
    by_bands = raster.grid.columns == 1
    return raster.block_height if by_bands else min(raster.block_height, _ROWS_AT_ONCE)


def rows_of_blocks_held(raster: Raster) -> int:
    """Return the rows of blocks that are held when one is filled and others are on their way."""
    return UPLOADS_AT_ONCE + 1 if raster.grid.columns == 1 else 2


def put_count(raster: Raster) -> int:
    """Return the blocks of storage that the pixels of the decoded input become."""
    whole, rest = divmod(raster.box.height, raster.block_height)
    row_of_blocks, last = raster.block_height * raster.row_bytes, rest * raster.row_bytes
    return whole * ceil_div(row_of_blocks, PUT_BYTES) + ceil_div(last, PUT_BYTES)


def decoding_memory(image: ImageInfo, raster: Raster) -> int:
    """Return the bytes that decoding the upload into *raster* holds at its worst moment."""
    row_bytes = raster.box.width * max(raster.pixel_bytes, image.pixels.bytes)
    return (
        decoder_bytes(image) + _PIECES * rows_at_once(raster) * row_bytes + writing_memory(raster, row_bytes)
    )


def writing_memory(raster: Raster, row_bytes: int) -> int:
    """Return the bytes that writing *raster* holds: rows of blocks, and copies of what is being sent."""
    held, band = rows_of_blocks_held(raster), raster.block_height * row_bytes
    return held * band + min(UPLOADS_AT_ONCE * min(PUT_BYTES, band), held * band)


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
