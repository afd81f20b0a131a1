"""The definition of right: plain OpenCV on the whole image in one process, no tiles anywhere.

It shares no code with the tiled path on purpose.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tessera.plan import Step

type Array = NDArray[Any]


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
        raster = _OPERATIONS[step.operation](np.atleast_3d(raster), step.parameters)
    return np.atleast_3d(raster)


def _colour(raster: Array) -> Array:
    return raster[:, :, :-1].copy() if raster.shape[2] in (2, 4) else raster


def _with_alpha_of(raster: Array, colour: Array) -> Array:
    return np.dstack([colour, raster[:, :, -1]]) if raster.shape[2] in (2, 4) else colour


def _invert(raster: Array, _: Mapping[str, Any]) -> Array:
    return _with_alpha_of(raster, cv2.bitwise_not(_colour(raster)))


def _median_blur(raster: Array, parameters: Mapping[str, Any]) -> Array:
    return _with_alpha_of(raster, cv2.medianBlur(_colour(raster), parameters["ksize"]))


def _threshold(raster: Array, parameters: Mapping[str, Any]) -> Array:
    kinds = {
        "binary": cv2.THRESH_BINARY,
        "binary_inverse": cv2.THRESH_BINARY_INV,
        "truncate": cv2.THRESH_TRUNC,
        "to_zero": cv2.THRESH_TOZERO,
        "to_zero_inverse": cv2.THRESH_TOZERO_INV,
    }
    gray = _colour(raster)
    if gray.shape[2] == 3:
        gray = cv2.cvtColor(gray, cv2.COLOR_BGR2GRAY)
    return cv2.threshold(gray, parameters["value"], np.iinfo(gray.dtype).max, kinds[parameters["type"]])[1]


def _canny(raster: Array, parameters: Mapping[str, Any]) -> Array:
    return cv2.Canny(
        _colour(raster),
        parameters["low"],
        parameters["high"],
        apertureSize=parameters["aperture"],
        L2gradient=parameters["l2_gradient"],
    )


_OPERATIONS: Mapping[str, Callable[[Array, Mapping[str, Any]], Array]] = {
    "invert": _invert,
    "median_blur": _median_blur,
    "threshold": _threshold,
    "canny": _canny,
}
