"""Block rasters: an intermediate image in one blob, any rows of which are one range read.

A header of fixed size (JSON, padded with spaces) is followed by the blocks, top to bottom, each the raw
little-endian rows of its band.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.geometry import Rect
from tessera.plan import Raster

type Array = NDArray[Any]

HEADER_BYTES = 512


def header(raster: Raster) -> bytes:
    """Return the first bytes of the blob: the raster's description."""
    return raster.model_dump_json().encode().ljust(HEADER_BYTES)


def byte_range(raster: Raster, region: Rect) -> tuple[int, int]:
    """Return offset and length of the rows of *region*, which is as wide as the raster."""
    return HEADER_BYTES + region.y0 * raster.row_bytes, region.height * raster.row_bytes


def to_bytes(raster: Raster, block: Array) -> bytes:
    """Return a block of rows as it stands in the blob."""
    return np.ascontiguousarray(block).astype(f"<{raster.dtype}", copy=False).tobytes()


def from_bytes(raster: Raster, region: Rect, data: bytes) -> Array:
    """Return the rows of *region* as an array of (rows, columns, channels).

    Raises
    ------
    ValueError
        If *data* is not of the region's size.
    """
    rows = np.frombuffer(data, f"<{raster.dtype}")
    return rows.reshape(region.height, raster.width, raster.channels)
