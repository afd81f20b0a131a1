"""Block rasters: an intermediate image in one blob, any box of which is a few range reads.

A header of fixed size (JSON, padded with spaces) is followed by the blocks, row by row of blocks, each
holding the little-endian rows of its box: raw, or deflated where they are mostly empty. Blocks are as wide
as the raster where bands are read from it, and narrow where other boxes are: blocks side by side adjoin in
the blob, so that a box is one range for each row of blocks. Deflated blocks differ in size, so the header
then ends with an index: where each block begins, and where the last one ends.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from tessera.geometry import Rect
from tessera.plan import Raster

type Array = NDArray[Any]
type ReadRange = Callable[[int, int], bytes]
"""Return *length* bytes from *offset* of the blob."""

HEADER_BYTES = 512
_ENTRY_BYTES = 8
_READS_AT_ONCE = 4


def header(raster: Raster, sizes: Sequence[int] = ()) -> bytes:
    """Return the first bytes of the blob: the raster's description, and the index of deflated blocks.

    Parameters
    ----------
    sizes
        Bytes of the blocks in order; only for a deflated raster.
    """
    description = raster.model_dump_json().encode().ljust(HEADER_BYTES)
    if not raster.deflated:
        return description
    offsets = _data_start(raster) + np.concatenate([[0], np.cumsum(sizes)])
    return description + offsets.astype(f"<u{_ENTRY_BYTES}").tobytes()


def fill(raster: Raster, memory: Array, height: int, top: int, rows: Array) -> None:
    """Put *rows* (rows, columns, channels) where they stand in a row of blocks.

    Parameters
    ----------
    memory
        The samples of the row of blocks, which is *height* pixels high, as they stand in the blob.
    top
        Where the rows begin in it.
    """
    part, channels, wide = slice(top, top + len(rows)), raster.channels, raster.block_width
    whole = raster.box.width // wide * wide
    cut = height * whole * channels
    blocks = memory[:cut].reshape(-1, height, wide, channels)
    blocks[:, part] = rows[:, :whole].reshape(len(rows), -1, wide, channels).swapaxes(0, 1)
    if whole < raster.box.width:
        memory[cut:].reshape(height, -1, channels)[part] = rows[:, whole:]


def to_deflated_block(raster: Raster, pixels: Array) -> bytes:
    """Return one block of a deflated raster as it stands in the blob."""
    return isal_zlib.compress(np.ascontiguousarray(pixels).astype(f"<{raster.dtype}", copy=False), 1)


def read(raster: Raster, region: Rect, fetch: ReadRange) -> Array:
    """Return the pixels of *region*, a box of the image that lies in the raster's: (rows, columns, channels).

    Raises
    ------
    ValueError
        If the region is not in the raster, or what *fetch* returns is not of the raster's size.
    """
    if region.intersection(raster.box) != region:
        raise ValueError(f"{region} is not in {raster.box}")
    region = region.relative_to(raster.box)
    if raster.deflated:
        return _read_deflated(raster, region, fetch)
    if raster.grid.columns == 1:
        offset = _data_start(raster) + region.y0 * raster.row_bytes
        rows = _to_pixels(raster, fetch(offset, region.height * raster.row_bytes), raster.box.width)
        return rows[:, region.x0 : region.x1]
    return _read_blocks(raster, region, fetch)


def _read_blocks(raster: Raster, region: Rect, fetch: ReadRange) -> Array:
    """Read one range for each row of blocks, of which the last block may be narrower."""
    out = np.empty((region.height, region.width, raster.channels), f"<{raster.dtype}")
    bands, wide = raster.bands, raster.block_width
    x0, x1 = region.x0 // wide * wide, min(-(-region.x1 // wide) * wide, raster.box.width)

    def read_band(index: int) -> None:
        band = bands.tile(index)
        start = _data_start(raster) + band.y0 * raster.row_bytes
        before, length = (count * band.height * raster.pixel_bytes for count in (x0, x1 - x0))
        rows = _from_blocks(raster, fetch(start + before, length), band.height)
        part = band.intersection(region._replace(x0=0, x1=band.x1))
        out[part.y0 - region.y0 : part.y1 - region.y0] = rows[
            part.y0 - band.y0 : part.y1 - band.y0, region.x0 - x0 : region.x1 - x0
        ]

    touched = range(region.y0 // raster.block_height, -(-region.y1 // raster.block_height))
    with ThreadPoolExecutor(min(_READS_AT_ONCE, len(touched))) as pool:
        for done in [pool.submit(read_band, index) for index in touched]:
            done.result()
    return out


def _from_blocks(raster: Raster, data: bytes, height: int) -> Array:
    """Put blocks side by side: (height, columns, channels)."""
    pixels = np.frombuffer(data, f"<{raster.dtype}")
    samples = height * raster.block_width * raster.channels
    whole = pixels.size // samples * samples
    blocks = pixels[:whole].reshape(-1, height, raster.block_width, raster.channels)
    rows = blocks.swapaxes(0, 1).reshape(height, -1, raster.channels)
    if whole == pixels.size:
        return rows
    return np.concatenate([rows, pixels[whole:].reshape(height, -1, raster.channels)], axis=1)


def _read_deflated(raster: Raster, region: Rect, fetch: ReadRange) -> Array:
    out = np.empty((region.height, region.width, raster.channels), f"<{raster.dtype}")
    grid = raster.grid
    for run in grid.runs(region):
        for index, data in zip(run, _deflated(run, fetch), strict=True):
            tile = grid.tile(index)
            part = tile.intersection(region)
            # Memory for all of it at once, which zlib would find out by doubling.
            size = tile.pixels * raster.pixel_bytes + 1
            block = _to_pixels(raster, isal_zlib.decompress(data, bufsize=size), tile.width)
            out[part.relative_to(region).slices] = block[part.relative_to(tile).slices]
    return out


def _deflated(blocks: Sequence[int], fetch: ReadRange) -> list[bytes]:
    """Return the bytes of blocks that follow one another, by two range reads."""
    index = fetch(HEADER_BYTES + _ENTRY_BYTES * blocks[0], _ENTRY_BYTES * (len(blocks) + 1))
    offsets = np.frombuffer(index, f"<u{_ENTRY_BYTES}").tolist()
    data, start = fetch(offsets[0], offsets[-1] - offsets[0]), offsets[0]
    return [data[begin - start : end - start] for begin, end in pairwise(offsets)]


def _to_pixels(raster: Raster, data: bytes, width: int) -> Array:
    return np.frombuffer(data, f"<{raster.dtype}").reshape(-1, width, raster.channels)


def _data_start(raster: Raster) -> int:
    return HEADER_BYTES + (_ENTRY_BYTES * (raster.grid.count + 1) if raster.deflated else 0)
