"""Doing a pipeline to an image in memory, a band at a time: what is computed on the way stays small."""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.bands import band_rows, by_bands
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


def _local(raster: Array, steps: Sequence[Bound]) -> Array:
    height, width = raster.shape[:2]
    halo, frame = sum(bound.halo for bound in steps), Rect(0, 0, width, height)

    def make(core: Rect) -> Array:
        region = window(core, halo, frame)
        pixels = raster[region.slices]
        for operation, parameters in steps:
            assert isinstance(operation, LocalOperation)
            pixels = operation.apply(np.ascontiguousarray(pixels), parameters)
        return pixels[core.relative_to(region).slices]

    return by_bands(frame, halo, make)


def _moved(raster: Array, operation: GeometryOperation[Any], parameters: Any) -> Array:
    height, width = raster.shape[:2]
    frame, made = Rect(0, 0, width, height), Rect(0, 0, *operation.size(width, height, parameters))
    needed = operation.needs(made, frame, parameters)
    return operation.apply(np.ascontiguousarray(raster)[needed.slices], needed, frame, made, parameters)


def _global(raster: Array, operation: GlobalOperation[Any], parameters: Any) -> tuple[Array, bytes | None]:
    """Return the result, and the document if it makes one."""
    height, width = raster.shape[:2]
    halo = operation.halo(parameters)
    grid = Grid.bands(width, height, band_rows(width, halo))
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

    return by_bands(grid.frame, halo, make), None
