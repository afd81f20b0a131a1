"""Contrast-limited adaptive histogram equalization, exact over any tiling.

The image is cut into a grid of cells, whose histograms add up from the tiles. One table for each cell is
made once; each pixel blends the tables of the four cells around it by its absolute place.
(K. Zuiderveld, Contrast Limited Adaptive Histogram Equalization, Graphics Gems IV, 1994; roundings as in
OpenCV: single precision, cells of an image mirrored to a multiple of the grid.)
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Annotated, Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tessera import histogram
from tessera.geometry import Grid, Placement
from tessera.operations.base import Array, GlobalOperation, Measured, Parameters, on_colour, without_alpha

_LEVELS = 256
_BLOCK = 512


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


def _lightness(raster: Array) -> Array:
    colour = without_alpha(raster)
    if colour.shape[2] == 1:
        return colour[:, :, 0]
    return cv2.extractChannel(cv2.cvtColor(colour, cv2.COLOR_BGR2Lab), 0)


def _measure(window: Array, placement: Placement, parameters: ClaheParameters) -> Measured:
    core = np.ascontiguousarray(window[placement.inner.slices])
    return _counted(_lightness(core), placement, parameters)


def _measure_lab(window: Array, placement: Placement, parameters: ClaheParameters) -> Measured:
    core = np.ascontiguousarray(window[placement.inner.slices])
    return _counted(cv2.extractChannel(core, 0), placement, parameters)


def _counted(values: Array, placement: Placement, parameters: ClaheParameters) -> Measured:
    frame, core = placement.frame, placement.core
    cells = _Cells.of(frame.width, frame.height, parameters)
    across = _parts(cells.width, cells.columns, frame.width, core.x0, core.x1)
    down = _parts(cells.height, cells.rows, frame.height, core.y0, core.y1)
    counts = np.zeros((cells.rows * cells.columns, _LEVELS), np.int64)
    for row, rows in down:
        lines = values[rows]
        for column, columns in across:
            part = np.ascontiguousarray(lines[:, columns])[:, :, np.newaxis]
            counts[row * cells.columns + column] += histogram.count(part)[0]
    return Measured(histogram.pack(counts))


def _parts(size: int, count: int, length: int, start: int, stop: int) -> list[tuple[int, Any]]:
    """Return what of ``start:stop`` lies in each cell of the mirrored axis: a slice, and mirrored places."""
    parts: list[tuple[int, Any]] = []
    for cell in range(start // size, min(-(-stop // size), count)):
        begin, end = max(cell * size, start), min((cell + 1) * size, stop)
        parts.append((cell, slice(begin - start, end - start)))
    mirrored, places = _mirrored(size, count, length, start, stop)
    parts += [(int(cell), places[mirrored == cell]) for cell in np.unique(mirrored)]
    return parts


def _mirrored(size: int, count: int, length: int, start: int, stop: int) -> tuple[Any, Any]:
    """Return cell and place in ``start:stop`` of each coordinate past *length* that is found there."""
    padded = np.arange(length, size * count)
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
    def equalize(colour: Array) -> Array:
        if colour.shape[2] == 1:
            return _blend(colour[:, :, 0], placement, parameters, table)
        return _with_lightness(cv2.cvtColor(colour, cv2.COLOR_BGR2Lab), placement, parameters, table)

    return on_colour(equalize, raster)


def _resolve_lab(raster: Array, placement: Placement, parameters: ClaheParameters, table: bytes) -> Array:
    return on_colour(lambda colour: _with_lightness(colour.copy(), placement, parameters, table), raster)


def _with_lightness(
    converted: Array, placement: Placement, parameters: ClaheParameters, table: bytes
) -> Array:
    """Return L, a, b as colours, after L was equalized, which is written into *converted*."""
    lightness = _blend(cv2.extractChannel(converted, 0), placement, parameters, table)
    return cv2.cvtColor(cv2.insertChannel(lightness, converted, 0), cv2.COLOR_Lab2BGR)


def _blend(values: Array, placement: Placement, parameters: ClaheParameters, table: bytes) -> Array:
    frame, region = placement.frame, placement.region
    cells = _Cells.of(frame.width, frame.height, parameters)
    tables = np.frombuffer(table, np.uint8).reshape(cells.rows, cells.columns, _LEVELS)
    left, right, x_share = _neighbours(cells.width, cells.columns, region.x0, region.x1)
    upper, lower, y_share = _neighbours(cells.height, cells.rows, region.y0, region.y1)

    out = np.empty(values.shape, np.uint8)
    for rows in _runs(upper, lower):
        for columns in _runs(left, right):
            corners = (
                tables[row[rows.start], column[columns.start]]
                for row in (upper, lower)
                for column in (left, right)
            )
            part = np.ascontiguousarray(values[rows, columns])
            out[rows, columns] = _blended(part, corners, x_share[columns], y_share[rows])
    return out


def _runs(first: NDArray[np.int64], second: NDArray[np.int64]) -> list[slice]:
    """Return the stretches of coordinates that lie between the same two cells, none of them long."""
    changes = np.flatnonzero((np.diff(first) != 0) | (np.diff(second) != 0)) + 1
    ends = sorted({*changes.tolist(), *range(0, len(first), _BLOCK), len(first)})
    return [slice(start, stop) for start, stop in pairwise(ends)]


def _blended(
    values: Array, corners: Iterable[Array], x_share: NDArray[np.float32], y_share: NDArray[np.float32]
) -> Array:
    """Look the values up in four tables and mix these by the shares of the right and the lower ones."""
    one, down = np.float32(1), y_share[:, np.newaxis]
    looked_up: list[NDArray[np.float32]] = [
        np.asarray(cv2.LUT(values, corner.astype(np.float32)), np.float32) for corner in corners
    ]
    above_left, above_right, below_left, below_right = looked_up
    x_rest = one - x_share
    above_left *= x_rest
    above_right *= x_share
    above_left += above_right
    below_left *= x_rest
    below_right *= x_share
    below_left += below_right
    above_left *= one - down
    below_left *= down
    above_left += below_left
    return np.asarray(cv2.convertScaleAbs(above_left), np.uint8)


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
    split=("lab", "clahe/lab"),
    merge=_merge,
    resolve=_resolve,
)

CLAHE_LAB = replace(
    CLAHE, name="clahe/lab", channels=(3, 4), split=None, measure=_measure_lab, resolve=_resolve_lab
)
