"""Contrast-limited adaptive histogram equalization, exact over any tiling.

The image is cut into a grid of cells, whose histograms add up from the tiles. One table for each cell is
made once; each pixel blends the tables of the four cells around it by its absolute place.
(K. Zuiderveld, Contrast Limited Adaptive Histogram Equalization, Graphics Gems IV, 1994; roundings as in
OpenCV: single precision, cells of an image mirrored to a multiple of the grid.)
"""

from collections.abc import Iterator
from typing import Annotated, Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tessera import histogram
from tessera.geometry import Grid, Placement
from tessera.operations.base import Array, GlobalOperation, Measured, Parameters, on_colour, without_alpha

_LEVELS = 256


class ClaheParameters(Parameters):
    """How strong, and how local."""

    clip_limit: Annotated[
        float, Field(ge=0, le=255, description="how far a level may stand out; 0 for no limit")
    ] = 2.0
    columns: Annotated[int, Field(ge=1, le=64, description="cells side by side")] = 8
    rows: Annotated[int, Field(ge=1, le=64, description="cells one below the other")] = 8


class _Cells(NamedTuple):
    """Columns and rows of the grid, and the pixels of one cell of the mirrored image."""

    columns: int
    rows: int
    width: int
    height: int

    @classmethod
    def of(cls, width: int, height: int, parameters: ClaheParameters) -> "_Cells":
        columns, rows = parameters.columns, parameters.rows
        if width % columns or height % rows:
            # OpenCV mirrors both sides as soon as one doesn't divide, by a whole period where it does.
            width, height = width + columns - width % columns, height + rows - height % rows
        return cls(columns, rows, width // columns, height // rows)


def _lightness(colour: Array) -> Array:
    return colour if colour.shape[2] == 1 else cv2.cvtColor(colour, cv2.COLOR_BGR2Lab)[:, :, :1]


def _measure(window: Array, placement: Placement, parameters: ClaheParameters) -> Measured:
    frame, core = placement.frame, placement.core
    cells = _Cells.of(frame.width, frame.height, parameters)
    values = _lightness(without_alpha(np.ascontiguousarray(window[placement.inner.slices])))[:, :, 0]
    x_cell, x_index = _mirrored(cells.width, cells.columns, frame.width, core.x0, core.x1)
    y_cell, y_index = _mirrored(cells.height, cells.rows, frame.height, core.y0, core.y1)
    counts = np.zeros((cells.rows * cells.columns, _LEVELS), np.int64)
    for row in np.unique(y_cell):
        lines = values[y_index[y_cell == row]][:, x_index].astype(np.int64)
        keys = (lines + x_cell * _LEVELS).ravel()
        found = np.bincount(keys, minlength=cells.columns * _LEVELS).reshape(cells.columns, _LEVELS)
        counts[row * cells.columns : (row + 1) * cells.columns] += found
    return Measured(histogram.pack(counts))


def _mirrored(size: int, count: int, length: int, start: int, stop: int) -> tuple[Any, Any]:
    """Return the cell and the place in ``start:stop`` of each coordinate of the mirrored axis found there."""
    padded = np.arange(size * count)
    period = max(2 * (length - 1), 1)
    source = np.minimum(padded % period, -padded % period)
    there = (source >= start) & (source < stop)
    return padded[there] // size, source[there] - start


def _merge(grid: Grid, summaries: Iterator[bytes], parameters: ClaheParameters) -> list[bytes]:
    cells = _Cells.of(grid.width, grid.height, parameters)
    area = cells.width * cells.height
    counts = histogram.merge(summaries)
    return [np.stack([_cell_table(cell, area, parameters.clip_limit) for cell in counts]).tobytes()]


def _cell_table(counts: NDArray[np.int64], area: int, clip_limit: float) -> NDArray[np.uint8]:
    if clip_limit > 0:
        counts = _clipped(counts, max(int(clip_limit * area / _LEVELS), 1))
    scale = np.float32(_LEVELS - 1) / np.float32(area)
    table = np.rint(np.cumsum(counts).astype(np.float32) * scale)
    return np.asarray(np.clip(table, 0, _LEVELS - 1), np.uint8)


def _clipped(counts: NDArray[np.int64], limit: int) -> NDArray[np.int64]:
    """Cut counts at *limit* and hand what was cut to all levels alike."""
    excess = int(np.maximum(counts - limit, 0).sum())
    share, rest = divmod(excess, _LEVELS)
    counts = np.minimum(counts, limit) + share
    if rest:
        step = max(_LEVELS // rest, 1)
        counts[: rest * step : step] += 1
    return counts


def _resolve(raster: Array, placement: Placement, parameters: ClaheParameters, table: bytes) -> Array:
    frame, region = placement.frame, placement.region
    cells = _Cells.of(frame.width, frame.height, parameters)
    tables = np.frombuffer(table, np.uint8).reshape(cells.rows, cells.columns, _LEVELS)
    left, right, x_share = _neighbours(cells.width, cells.columns, region.x0, region.x1)
    upper, lower, y_share = _neighbours(cells.height, cells.rows, region.y0, region.y1)

    def blend(values: Array) -> Array:
        out = np.empty(values.shape, np.uint8)
        one = np.float32(1)
        for line in range(values.shape[0]):
            above, below = tables[upper[line]].astype(np.float32), tables[lower[line]].astype(np.float32)
            level, share = values[line], y_share[line]
            top = above[left, level] * (one - x_share) + above[right, level] * x_share
            bottom = below[left, level] * (one - x_share) + below[right, level] * x_share
            out[line] = np.clip(np.rint(top * (one - share) + bottom * share), 0, 255)
        return out

    def equalize(colour: Array) -> Array:
        if colour.shape[2] == 1:
            return blend(colour[:, :, 0])
        converted = cv2.cvtColor(colour, cv2.COLOR_BGR2Lab)
        converted[:, :, 0] = blend(converted[:, :, 0])
        return cv2.cvtColor(converted, cv2.COLOR_Lab2BGR)

    return on_colour(equalize, raster)


def _neighbours(size: int, count: int, start: int, stop: int) -> tuple[Any, Any, NDArray[np.float32]]:
    """Return for each coordinate the cells before and after it, and the share of the latter."""
    place = np.arange(start, stop).astype(np.float32) * (np.float32(1) / np.float32(size)) - np.float32(0.5)
    before = np.floor(place)
    first = before.astype(np.int64)
    return np.maximum(first, 0), np.minimum(first + 1, count - 1), place - before


CLAHE = GlobalOperation(
    name="clahe",
    summary="Bring out local contrast without blowing up noise; hue and alpha stay.",
    kind="global",
    parameters=ClaheParameters,
    depths=(8,),
    rate=lambda _: 15.0,
    scratch=24,
    measure=_measure,
    merge=_merge,
    resolve=_resolve,
)
