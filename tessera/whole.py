"""Doing a pipeline to an image in memory, a band at a time: what is computed on the way stays small."""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.draft import band_rows
from tessera.geometry import Grid, Placement, Rect, window
from tessera.operations import GeometryOperation, GlobalOperation, LocalOperation
from tessera.pipeline import Bound

type Array = NDArray[Any]
type Report = Callable[[int, bytes], None]


def run_whole(raster: Array, pipeline: Iterable[Bound], report: Report | None = None) -> Array:
    """Return what any operations make of an image, (rows, columns, channels).

    Parameters
    ----------
    report
        Is called with the place in the pipeline and the document of each operation that makes one.
    """
    for is_local, steps in groupby(
        enumerate(pipeline), lambda step: isinstance(step[1].operation, LocalOperation)
    ):
        if is_local:
            raster = _local(raster, [bound for _, bound in steps])
            continue
        for place, (operation, parameters) in steps:
            if isinstance(operation, GeometryOperation):
                raster = _moved(raster, operation, parameters)
            else:
                assert isinstance(operation, GlobalOperation)
                raster, document = _global(raster, operation, parameters)
                if report and document is not None:
                    report(place, document)
    return raster


def _bands(raster: Array, halo: int) -> Grid:
    height, width = raster.shape[:2]
    return Grid.bands(width, height, band_rows(width, halo))


def _by_bands(grid: Grid, make: Callable[[Rect], Array]) -> Array:
    """Return the image whose bands are made one after another."""
    out: Array | None = None
    for core in grid.tiles():
        band = make(core)
        if grid.count == 1:
            return band
        if out is None:
            out = np.empty((grid.height, grid.width, band.shape[2]), band.dtype)
        out[core.slices] = band
    assert out is not None
    return out


def _local(raster: Array, steps: Sequence[Bound]) -> Array:
    halo = sum(bound.halo for bound in steps)
    grid = _bands(raster, halo)

    def make(core: Rect) -> Array:
        region = window(core, halo, grid.frame)
        pixels = raster[region.slices]
        for operation, parameters in steps:
            assert isinstance(operation, LocalOperation)
            pixels = operation.apply(np.ascontiguousarray(pixels), parameters)
        return pixels[core.relative_to(region).slices]

    return _by_bands(grid, make)


def _moved(raster: Array, operation: GeometryOperation[Any], parameters: Any) -> Array:
    height, width = raster.shape[:2]
    frame, made = Rect(0, 0, width, height), Rect(0, 0, *operation.size(width, height, parameters))
    needed = operation.needs(made, frame, parameters)
    return operation.apply(np.ascontiguousarray(raster)[needed.slices], needed, frame, made, parameters)


def _global(raster: Array, operation: GlobalOperation[Any], parameters: Any) -> tuple[Array, bytes | None]:
    """Return the result, and the document if it makes one."""
    halo = operation.halo(parameters)
    grid = _bands(raster, halo)
    summaries, labels = [], list[Array]()
    for core in grid.tiles():
        region = window(core, halo, grid.frame)
        pixels = np.ascontiguousarray(raster[region.slices])
        measured = operation.measure(pixels, Placement(region, core, grid.frame), parameters)
        summaries.append(measured.summary)
        if measured.labels is not None:
            labels.append(measured.labels)
    tables = operation.merge(grid, iter(summaries), parameters)
    if operation.report:
        return raster, tables[0]

    def make(core: Rect) -> Array:
        index = core.y0 // grid.tile_height
        given = labels[index] if labels else np.ascontiguousarray(raster[core.slices])
        table = tables[index if operation.labelled else 0]
        return operation.resolve(given, Placement(core, core, grid.frame), parameters, table)

    return _by_bands(grid, make), None
