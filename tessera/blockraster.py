"""Block rasters: an intermediate image in one blob, any rows of which are a range read or two.

A header of fixed size (JSON, padded with spaces) is followed by the blocks, top to bottom, each holding the
little-endian rows of its band: raw, or deflated where they are mostly empty. Deflated blocks differ in
size, so the header then ends with an index: where each block begins, and where the last one ends.
"""

from collections.abc import Callable, Sequence
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


def to_block(raster: Raster, rows: Array) -> bytes:
    """Return the rows of one block as they stand in the blob."""
    data = np.ascontiguousarray(rows).astype(f"<{raster.dtype}", copy=False)
    return isal_zlib.compress(data, 1) if raster.deflated else data.tobytes()


def read(raster: Raster, region: Rect, fetch: ReadRange) -> Array:
    """Return the rows of *region*, which is as wide as the raster, as (rows, columns, channels).

    Raises
    ------
    ValueError
        If what *fetch* returns is not of the raster's size.
    """
    if raster.deflated:
        return _read_deflated(raster, region, fetch)
    offset = _data_start(raster) + region.y0 * raster.row_bytes
    return _to_rows(raster, fetch(offset, region.height * raster.row_bytes))


def _read_deflated(raster: Raster, region: Rect, fetch: ReadRange) -> Array:
    touched = list(raster.grid.touching(region))
    index = fetch(HEADER_BYTES + _ENTRY_BYTES * touched[0], _ENTRY_BYTES * (len(touched) + 1))
    offsets = np.frombuffer(index, f"<u{_ENTRY_BYTES}").astype(int)
    data, start = fetch(int(offsets[0]), int(offsets[-1] - offsets[0])), offsets[0]
    blocks = [
        _to_rows(raster, isal_zlib.decompress(data[begin - start : end - start]))
        for begin, end in pairwise(offsets)
    ]
    first = raster.grid.tile(touched[0])
    return np.concatenate(blocks)[region.relative_to(first).slices]


def _to_rows(raster: Raster, data: bytes) -> Array:
    return np.frombuffer(data, f"<{raster.dtype}").reshape(-1, raster.width, raster.channels)


def _data_start(raster: Raster) -> int:
    return HEADER_BYTES + (_ENTRY_BYTES * (raster.grid.count + 1) if raster.deflated else 0)
