"""The definition of right: plain OpenCV on the whole image in one process, no tiles anywhere.

It shares no code with the tiled path on purpose.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera import reference_geometry, reference_global, reference_point, reference_stencil
from tessera.plan import Step

type Array = NDArray[Any]

OPERATIONS: Mapping[str, Callable[[Array, Mapping[str, Any]], Array]] = {
    **reference_point.OPERATIONS,
    **reference_stencil.OPERATIONS,
    **reference_global.OPERATIONS,
    **reference_geometry.OPERATIONS,
}


def run(raster: Array, pipeline: Sequence[Step]) -> Array:
    """Return what *pipeline* makes of the whole *raster*.

    Parameters
    ----------
    raster
        (rows, columns) or (rows, columns, channels), uint8 or uint16, BGR(A).
    pipeline
        Steps with every parameter spelled out, as `tessera.pipeline.bind` gives them.

    Returns
    -------
    numpy.ndarray
        (rows, columns, channels).
    """
    for step in pipeline:
        raster = OPERATIONS[step.operation](np.ascontiguousarray(np.atleast_3d(raster)), step.parameters)
    return np.atleast_3d(raster)
