"""The definition of right for operations that need the whole image.

It shares no code with `tessera.operations` on purpose. Parameters are those of the catalogue, as JSON.
"""

from collections.abc import Callable, Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tessera.reference_point import colour_of, gray_of, range_of, with_alpha_of

type Array = NDArray[Any]
type Parameters = Mapping[str, Any]


def _canny(raster: Array, p: Parameters) -> Array:
    return cv2.Canny(
        colour_of(raster),
        p["low"],
        p["high"],
        apertureSize=p["aperture"],
        L2gradient=p["l2_gradient"],
    )


def _threshold_otsu(raster: Array, p: Parameters) -> Array:
    kind = cv2.THRESH_BINARY_INV if p["inverse"] else cv2.THRESH_BINARY
    return cv2.threshold(gray_of(raster), 0, range_of(raster), kind | cv2.THRESH_OTSU)[1]


def _threshold_triangle(raster: Array, p: Parameters) -> Array:
    kind = cv2.THRESH_BINARY_INV if p["inverse"] else cv2.THRESH_BINARY
    return cv2.threshold(gray_of(raster), 0, 255, kind | cv2.THRESH_TRIANGLE)[1]


def _equalize(raster: Array, _: Parameters) -> Array:
    colour = colour_of(raster)
    if colour.shape[2] == 1:
        return with_alpha_of(raster, cv2.equalizeHist(colour))
    converted = cv2.cvtColor(colour, cv2.COLOR_BGR2YCrCb)
    converted[:, :, 0] = cv2.equalizeHist(converted[:, :, 0])
    return with_alpha_of(raster, cv2.cvtColor(converted, cv2.COLOR_YCrCb2BGR))


def _stretched(raster: Array, low: int, high: int) -> Array:
    """Take *low* to black and *high* to white in whole numbers, rounded half up."""
    white, span = np.iinfo(raster.dtype).max, max(high - low, 1)
    values = np.clip(colour_of(raster).astype(np.int64), low, high) - low
    return with_alpha_of(raster, ((2 * values * white + span) // (2 * span)).astype(raster.dtype))


def _auto_contrast(raster: Array, p: Parameters) -> Array:
    levels = np.sort(gray_of(raster), axis=None)
    ranks = [round(p[name] * 1000) * levels.size for name in ("low", "high")]
    low, high = (int(levels[max(0, -(-rank // 100_000) - 1)]) for rank in ranks)
    return _stretched(raster, low, high)


def _normalize(raster: Array, _: Parameters) -> Array:
    colour = colour_of(raster)
    return _stretched(raster, int(colour.min()), int(colour.max()))


def _gray_world(raster: Array, _: Parameters) -> Array:
    colour = colour_of(raster).astype(np.int64)
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
    return with_alpha_of(raster, np.dstack([table[channel][colour[:, :, channel]] for channel in range(3)]))


def _clahe(raster: Array, p: Parameters) -> Array:
    clahe = cv2.createCLAHE(p["clip_limit"], (p["columns"], p["rows"]))
    colour = colour_of(raster)
    if colour.shape[2] == 1:
        return with_alpha_of(raster, clahe.apply(colour))
    converted = cv2.cvtColor(colour, cv2.COLOR_BGR2Lab)
    converted[:, :, 0] = clahe.apply(converted[:, :, 0])
    return with_alpha_of(raster, cv2.cvtColor(converted, cv2.COLOR_Lab2BGR))


OPERATIONS: Mapping[str, Callable[[Array, Parameters], Array]] = {
    "canny": _canny,
    "threshold_otsu": _threshold_otsu,
    "threshold_triangle": _threshold_triangle,
    "equalize": _equalize,
    "auto_contrast": _auto_contrast,
    "normalize": _normalize,
    "gray_world": _gray_world,
    "clahe": _clahe,
    "statistics": lambda raster, _: raster,
}
