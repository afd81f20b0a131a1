"""Contrast-limited adaptive histogram equalization, exact over any tiling.

The image is cut into a grid of cells, whose histograms add up from the tiles. One table for each cell is
made once; each pixel blends the tables of the four cells around it by its absolute place.
(K. Zuiderveld, Contrast Limited Adaptive Histogram Equalization, Graphics Gems IV, 1994; roundings as in
OpenCV: single precision, cells of an image mirrored to a multiple of the grid.)
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tessera import histogram
from tessera.blending import Neighbours, blend
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
            return _blend(colour.copy(), placement, parameters, table)
        return _with_lightness(cv2.cvtColor(colour, cv2.COLOR_BGR2Lab), placement, parameters, table)

    return on_colour(equalize, raster)


def _resolve_lab(raster: Array, placement: Placement, parameters: ClaheParameters, table: bytes) -> Array:
    return on_colour(lambda colour: _with_lightness(colour.copy(), placement, parameters, table), raster)


def _with_lightness(
    converted: Array, placement: Placement, parameters: ClaheParameters, table: bytes
) -> Array:
    """Return L, a, b as colours, after L was equalized in *converted*."""
    return cv2.cvtColor(_blend(converted, placement, parameters, table), cv2.COLOR_Lab2BGR)


def _blend(pixels: Array, placement: Placement, parameters: ClaheParameters, table: bytes) -> Array:
    """Equalize the first channel of *pixels* where it stands, and return them."""
    frame, region = placement.frame, placement.region
    cells = _Cells.of(frame.width, frame.height, parameters)
    tables = np.frombuffer(table, np.uint8).reshape(cells.rows, cells.columns, _LEVELS)
    x = Neighbours.of(cells.width, cells.columns, region.x0, region.x1)
    y = Neighbours.of(cells.height, cells.rows, region.y0, region.y1)
    blend(pixels, tables, x, y)
    return pixels


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
