"""Resizing, the same whatever box of the result is made.

What a pixel of the result is made of follows from its absolute coordinates in the result, as in OpenCV's
resize of the whole image: which pixels (taps) along each axis, and with which weights. OpenCV itself is
called for a box where its taps, counted from the corner of that box, are those of the whole image;
elsewhere the same sums are taken by code of ours, compiled or in NumPy. Nearest, linear, area, and Lanczos
of 8 bits are OpenCV's; cubic, and Lanczos of 16 bits, whose results in OpenCV depend on the processor, are
OpenCV's fixed-point definition (R. Keys, Cubic Convolution Interpolation, IEEE ASSP 29(6), 1981; C. Lanczos,
Applied Analysis, 1956; OpenCV imgproc, resize).
"""

import math
from functools import lru_cache
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from tessera import compiled, resampling_compiled, resampling_numpy
from tessera.geometry import Rect
from tessera.ipp import without_ipp
from tessera.taps import Taps, nearest, taps_of

type Array = NDArray[Any]

_OPENCVS = {("linear", 1), ("linear", 2), ("area", 1), ("area", 2), ("lanczos", 1)}
"""What OpenCV does the same on every processor, by bytes of a sample."""
_CODES = {"linear": cv2.INTER_LINEAR, "area": cv2.INTER_AREA, "lanczos": cv2.INTER_LANCZOS4}
_LONGEST_PERIOD = 512
_ALL_OF_THE_FIRST = np.array([[1], [0]], np.float32)


class Span(NamedTuple):
    """What a range of a result needs along one axis.

    *native* tells that OpenCV, given just that, finds the same taps.
    """

    start: int
    stop: int
    made_start: int
    native: bool


def needs(wanted: Rect, frame: Rect, size: tuple[int, int], interpolation: str) -> Rect:
    """Return the box of an image of *frame* that the box *wanted* of its resized form is made of."""
    across = _span(frame.x1, size[0], wanted.x0, wanted.x1, interpolation)
    down = _span(frame.y1, size[1], wanted.y0, wanted.y1, interpolation)
    return Rect(across.start, down.start, across.stop, down.stop)


def resize(pixels: Array, frame: Rect, wanted: Rect, size: tuple[int, int], interpolation: str) -> Array:
    """Return the box *wanted* of an image of *frame* resized to *size*, from the pixels that `needs` names.

    Parameters
    ----------
    pixels
        (rows, columns, channels), uint8 or uint16.
    size
        Width and height of the whole result.
    interpolation
        One of nearest, linear, area, cubic and lanczos. Area only shrinks.
    """
    across = _span(frame.x1, size[0], wanted.x0, wanted.x1, interpolation)
    down = _span(frame.y1, size[1], wanted.y0, wanted.y1, interpolation)
    if interpolation == "nearest":
        columns = nearest(frame.x1, size[0], wanted.x0, wanted.x1) - across.start
        rows = nearest(frame.y1, size[1], wanted.y0, wanted.y1) - down.start
        if compiled.takes(pixels):
            return resampling_compiled.picked(pixels, columns, rows)
        return np.take(pixels[rows], columns, axis=1)
    if across.native and down.native and (interpolation, pixels.itemsize) in _OPENCVS:
        return _native(pixels, frame, wanted, size, interpolation)
    x = _taps(frame.x1, size[0], wanted.x0, wanted.x1, interpolation, across.start, pixels.shape[1])
    y = _taps(frame.y1, size[1], wanted.y0, wanted.y1, interpolation, down.start)
    if resampling_compiled.can_sum(pixels, x):
        return resampling_compiled.summed(pixels, x, y, interpolation)
    return resampling_numpy.summed(pixels, x, y, interpolation)


def _native(pixels: Array, frame: Rect, wanted: Rect, size: tuple[int, int], interpolation: str) -> Array:
    """Call OpenCV on the box alone."""
    across = _span(frame.x1, size[0], wanted.x0, wanted.x1, interpolation)
    down = _span(frame.y1, size[1], wanted.y0, wanted.y1, interpolation)
    fx, fy = size[0] / frame.x1, size[1] / frame.y1
    with without_ipp():
        made = cv2.resize(pixels, None, fx=fx, fy=fy, interpolation=_CODES[interpolation])
    made = made.reshape(*made.shape[:2], pixels.shape[2])
    x0, y0 = wanted.x0 - across.made_start, wanted.y0 - down.made_start
    return made[y0 : y0 + wanted.height, x0 : x0 + wanted.width]


@lru_cache(maxsize=256)
def _span(source: int, result: int, start: int, stop: int, interpolation: str) -> Span:
    """Return what pixels ``start:stop`` of *result* need of *source* pixels along one axis."""
    if interpolation == "nearest":
        places = nearest(source, result, start, stop)
        if start == 0 and stop == result:
            return Span(0, source, 0, native=True)
        return Span(int(places[0]), int(places[-1]) + 1, start, native=False)
    taps = taps_of(source, result, start, stop, interpolation)
    if start == 0 and stop == result:
        return Span(0, source, 0, native=True)
    first = int(np.clip(taps.first[0], 0, source - 1))
    last = int(np.clip(taps.first[-1] + taps.weights.shape[0], first + 1, source))
    common = math.gcd(source, result)
    period, made_period = source // common, result // common
    if made_period > _LONGEST_PERIOD:
        return Span(first, last, start, native=False)
    periods = start // made_period
    if periods and periods * period > first:
        periods -= 1
    made_start, begin = periods * made_period, periods * period
    end = min(source, begin + -(-max(last - begin, 1) // period) * period)
    made_end = result if end == source else end // period * made_period
    if made_end < stop or begin > first:
        return Span(first, last, start, native=False)
    local = taps_of(
        end - begin, made_end - made_start, 0, made_end - made_start, interpolation, result / source
    )
    chosen = slice(start - made_start, stop - made_start)
    same = (
        local.weights.shape == taps.weights.shape
        and np.array_equal(_clipped(local, end - begin)[:, chosen] + begin, _clipped(taps, source))
        and np.array_equal(local.weights[:, chosen], taps.weights)
    )
    return Span(begin, end, made_start, native=True) if same else Span(first, last, start, native=False)


def _clipped(taps: Taps, source: int) -> NDArray[np.int64]:
    """Return the pixel of each tap with a weight, and 0 for the others."""
    places = np.clip(taps.first + np.arange(taps.weights.shape[0])[:, np.newaxis], 0, source - 1)
    return np.where(taps.weights != 0, places, 0)


@lru_cache(maxsize=32)
def _taps(
    source: int, result: int, start: int, stop: int, interpolation: str, begin: int, side: int = 0
) -> Taps:
    """Return taps counted from *begin*; of *side* pixels, if told, linear has no weight outside.

    That is how OpenCV treats edges across, but not down.
    """
    taps = taps_of(source, result, start, stop, interpolation)
    first, weights = taps.first - begin, taps.weights
    if side and interpolation == "linear":
        outside = (first < 0) | (first >= side - 1)
        first, weights = np.clip(first, 0, side - 1), np.where(outside, _ALL_OF_THE_FIRST, weights)
    return Taps(first, weights)
