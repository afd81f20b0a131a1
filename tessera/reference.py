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


def _gray(raster: Array) -> Array:
    colour = _colour(raster)
    return cv2.cvtColor(colour, cv2.COLOR_BGR2GRAY) if colour.shape[2] == 3 else colour[:, :, 0]


def _threshold_otsu(raster: Array, parameters: Mapping[str, Any]) -> Array:
    kind = cv2.THRESH_BINARY_INV if parameters["inverse"] else cv2.THRESH_BINARY
    return cv2.threshold(_gray(raster), 0, 255, kind | cv2.THRESH_OTSU)[1]


def _threshold_triangle(raster: Array, parameters: Mapping[str, Any]) -> Array:
    kind = cv2.THRESH_BINARY_INV if parameters["inverse"] else cv2.THRESH_BINARY
    return cv2.threshold(_gray(raster), 0, 255, kind | cv2.THRESH_TRIANGLE)[1]


def _equalize(raster: Array, _: Mapping[str, Any]) -> Array:
    colour = _colour(raster)
    if colour.shape[2] == 1:
        return _with_alpha_of(raster, cv2.equalizeHist(colour))
    converted = cv2.cvtColor(colour, cv2.COLOR_BGR2YCrCb)
    converted[:, :, 0] = cv2.equalizeHist(converted[:, :, 0])
    return _with_alpha_of(raster, cv2.cvtColor(converted, cv2.COLOR_YCrCb2BGR))


def _stretched(raster: Array, low: int, high: int) -> Array:
    """Take *low* to black and *high* to white in whole numbers, rounded half up."""
    white, span = np.iinfo(raster.dtype).max, max(high - low, 1)
    values = np.clip(_colour(raster).astype(np.int64), low, high) - low
    return _with_alpha_of(raster, ((2 * values * white + span) // (2 * span)).astype(raster.dtype))


def _auto_contrast(raster: Array, parameters: Mapping[str, Any]) -> Array:
    levels = np.sort(_gray(raster), axis=None)
    ranks = [round(parameters[name] * 1000) * levels.size for name in ("low", "high")]
    low, high = (int(levels[max(0, -(-rank // 100_000) - 1)]) for rank in ranks)
    return _stretched(raster, low, high)


def _normalize(raster: Array, _: Mapping[str, Any]) -> Array:
    colour = _colour(raster)
    return _stretched(raster, int(colour.min()), int(colour.max()))


def _gray_world(raster: Array, _: Mapping[str, Any]) -> Array:
    colour = _colour(raster).astype(np.int64)
    sums = colour.sum(axis=(0, 1))
    thrice = 3 * np.where(sums > 0, sums, 1)
    gains = np.where(sums > 0, sums.sum(), 3)
    scaled = [
        [
            (2 * int(value) * int(gain) + int(part)) // (2 * int(part))
            for value in np.arange(1 << 8 * raster.itemsize)
        ]
        for gain, part in zip(gains, thrice, strict=True)
    ]
    table = np.minimum(np.array(scaled), np.iinfo(raster.dtype).max).astype(raster.dtype)
    return _with_alpha_of(raster, np.dstack([table[channel][colour[:, :, channel]] for channel in range(3)]))


_OPERATIONS: Mapping[str, Callable[[Array, Mapping[str, Any]], Array]] = {
    "invert": _invert,
    "median_blur": _median_blur,
    "threshold": _threshold,
    "canny": _canny,
    "threshold_otsu": _threshold_otsu,
    "threshold_triangle": _threshold_triangle,
    "equalize": _equalize,
    "auto_contrast": _auto_contrast,
    "normalize": _normalize,
    "gray_world": _gray_world,
}
