"""Resizing row by row, where OpenCV finds the taps of the whole image along rows, but not down columns.

For linear, OpenCV is given the two rows of which one row of the result is made, as an image of their own, and
the factor that puts the row in its place between them. For area, it sums along rows only.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tessera.geometry import Rect
from tessera.ipp import without_ipp
from tessera.taps import Taps

type Array = NDArray[Any]

_CODES = {
    "nearest": cv2.INTER_NEAREST,
    "linear": cv2.INTER_LINEAR,
    "area": cv2.INTER_AREA,
    "lanczos": cv2.INTER_LANCZOS4,
}
_ROWS_AT_ONCE = 16
"""They stay in a processor's cache."""


def row_maker(
    pixels: Array, frame: Rect, y: Taps, size: tuple[int, int], interpolation: str
) -> Callable[[], Array] | None:
    """Return what makes the rows of *y*, as wide as OpenCV makes them, or None.

    Parameters
    ----------
    pixels
        The rows that the taps count from, (rows, columns, channels).
    frame, size
        Of the whole image, before and after.
    """
    across = size[0] / frame.x1
    if interpolation == "area":
        # By whole factors OpenCV takes another way as soon as both are whole, and down it is 1 here.
        whole = frame.x1 % size[0] == 0
        return None if whole else partial(_by_area, pixels, y, across)
    if y.share is None or across == 1:  # OpenCV copies what seems to keep its size
        return None
    factors = 1 / (2 * y.share.astype(np.float64) + 1)
    found = (0.5 * (1 / factors) - 0.5).astype(np.float32)
    if not np.array_equal(found, y.share) or (across == 0.5 and pixels.itemsize == 2):
        return None
    return partial(_by_pairs, pixels, y, across, factors)


def _by_pairs(pixels: Array, y: Taps, across: float, factors: NDArray[np.float64]) -> Array:
    """Mix two rows for each row of the result."""
    places = np.clip(y.first + np.arange(2)[:, np.newaxis], 0, pixels.shape[0] - 1).T
    made = None
    with without_ipp():
        for row, (rows, factor) in enumerate(zip(places, factors.tolist(), strict=True)):
            one = opencv(pixels[rows], across, factor, "linear")[0]
            if made is None:
                made = np.empty((len(places), *one.shape), one.dtype)
            made[row] = one
    assert made is not None
    return made


def _by_area(pixels: Array, y: Taps, across: float) -> Array:
    """Sum along rows by OpenCV, in single precision, and then down in its order."""
    parts = []
    for start in range(0, y.first.size, _ROWS_AT_ONCE):
        first, weights = y.first[start : start + _ROWS_AT_ONCE], y.weights[:, start : start + _ROWS_AT_ONCE]
        low, high = int(first[0]), min(int(first[-1]) + len(weights), pixels.shape[0])
        with without_ipp():
            wide = opencv(pixels[low:high].astype(np.float32), across, 1.0, "area")
        made = np.zeros((first.size, *wide.shape[1:]), np.float32)
        for tap, weight in enumerate(weights):
            part = wide[np.minimum(first + tap - low, len(wide) - 1)]
            part *= weight[:, np.newaxis, np.newaxis]
            made += part
        np.clip(np.rint(made, out=made), 0, np.iinfo(pixels.dtype).max, out=made)
        parts.append(made.astype(pixels.dtype))
    return np.concatenate(parts)


def opencv(pixels: Array, across: float, down: float, interpolation: str) -> Array:
    """Return what OpenCV's resize gives, (rows, columns, channels)."""
    made = cv2.resize(pixels, None, fx=across, fy=down, interpolation=_CODES[interpolation])
    return made.reshape(*made.shape[:2], -1) if pixels.shape[2] == 1 else made
