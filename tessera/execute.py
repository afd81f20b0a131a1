"""Running operations on arrays."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.operations import GlobalOperation
from tessera.pipeline import Bound

type Array = NDArray[Any]


def run_local(window: Array, pipeline: Iterable[Bound]) -> Array:
    """Return what local operations make of a window.

    Parameters
    ----------
    window
        (rows, columns, channels), an aligned region with the halos of all operations around its core.
    pipeline
        Local operations only.
    """
    for operation, parameters in pipeline:
        if isinstance(operation, GlobalOperation):
            raise TypeError(f"{operation.name} needs the whole image")
        window = operation.apply(np.ascontiguousarray(window), parameters)
    return window


def run_whole(raster: Array, pipeline: Iterable[Bound]) -> Array:
    """Return what any operations make of an image that is one tile."""
    for operation, parameters in pipeline:
        run = operation.whole if isinstance(operation, GlobalOperation) else operation.apply
        raster = run(np.ascontiguousarray(raster), parameters)
    return raster
