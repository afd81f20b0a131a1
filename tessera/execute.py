"""Running operations on arrays."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.geometry import Grid, Placement
from tessera.operations import GlobalOperation
from tessera.pipeline import Bound, bind
from tessera.plan import Stage, StageStep

type Array = NDArray[Any]
type Tables = Callable[[int, int, int], list[bytes]]
"""Return tables ``first <= index < last`` of a stage: called with stage, first, last."""


def run_stage(pixels: Array, stage: Stage, placement: Placement, tables: Tables) -> Array:
    """Return what the steps of a stage make of a window.

    Parameters
    ----------
    pixels
        (rows, columns, channels): the window of the stage's source, with the halos of all steps.
    placement
        Where the window lies.
    tables
        Gives the tables of the global operations that earlier stages measured.
    """
    for step in stage.steps:
        pixels = _run(np.ascontiguousarray(pixels), step, stage, placement, tables)
    return pixels


def run_whole(raster: Array, pipeline: Iterable[Bound]) -> Array:
    """Return what any operations make of an image that is one tile."""
    height, width = raster.shape[:2]
    placement = Placement.whole(width, height)
    for operation, parameters in pipeline:
        raster = np.ascontiguousarray(raster)
        if isinstance(operation, GlobalOperation):
            measured = operation.measure(raster, placement, parameters)
            (table,) = operation.merge(
                Grid.bands(width, height, height), iter([measured.summary]), parameters
            )
            given = raster if measured.labels is None else measured.labels
            raster = operation.resolve(given, placement, parameters, table)
        else:
            raster = operation.apply(raster, parameters)
    return raster


def _run(pixels: Array, step: StageStep, stage: Stage, placement: Placement, tables: Tables) -> Array:
    ((operation, parameters),) = bind([step])
    if not isinstance(operation, GlobalOperation):
        return operation.apply(pixels, parameters)
    if step.table is None:
        raise ValueError(f"{step.operation} has no table")
    if not operation.labelled:
        (table,) = tables(step.table, 0, 1)
        return operation.resolve(pixels, placement, parameters, table)
    grid, region = stage.source.grid, placement.region
    touched = list(grid.touching(region))
    parts = []
    for index, table in zip(touched, tables(step.table, touched[0], touched[-1] + 1), strict=True):
        rows, _ = grid.tile(index).intersection(region).relative_to(region).slices
        parts.append(operation.resolve(pixels[rows], placement, parameters, table))
    return np.concatenate(parts)
