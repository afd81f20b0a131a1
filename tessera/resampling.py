"""Resizing, the same whatever box of the result is made.

What a pixel of the result is made of follows from its absolute coordinates in the result, as in OpenCV's
resize of the whole image: which pixels (taps) along each axis, and with which weights. OpenCV itself is
called for a box where its taps, counted from the corner of that box, are those of the whole image;
elsewhere the same sums are taken here. Nearest, linear, area, and Lanczos of 8 bits are OpenCV's; cubic,
and Lanczos of 16 bits, whose results in OpenCV depend on the processor, are OpenCV's fixed-point definition
(R. Keys, Cubic Convolution Interpolation, IEEE ASSP 29(6), 1981; C. Lanczos, Applied Analysis, 1956; OpenCV
imgproc, resize).
"""

import math
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tessera.geometry import Rect
from tessera.ipp import without_ipp
from tessera.resampling_rows import opencv, row_maker
from tessera.taps import Taps, nearest, taps_of

type Array = NDArray[Any]

_OPENCVS = {("linear", 1), ("linear", 2), ("area", 1), ("area", 2), ("lanczos", 1)}
"""What OpenCV does the same on every processor, by bytes of a sample."""
_FIXED_BITS = {1: 11, 2: 15}
"""Bits of a weight, by bytes of a sample; OpenCV has 11 for its 8-bit samples."""
_LONGEST_PERIOD = 512
_ROWS_AT_ONCE = 64
_PIXELS_OF_A_MATRIX = 32


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
    itemsize = pixels.dtype.itemsize
    if interpolation == "nearest":
        columns = nearest(frame.x1, size[0], wanted.x0, wanted.x1) - across.start
        rows = nearest(frame.y1, size[1], wanted.y0, wanted.y1) - down.start
        if columns.size == size[0] and across.stop - across.start == frame.x1:
            return opencv(pixels[rows], size[0] / frame.x1, 1.0, "nearest")
        return np.take(pixels[rows], columns, axis=1)
    native = across.native and (interpolation, itemsize) in _OPENCVS
    if native and down.native:
        return _native(pixels, frame, wanted, size, interpolation)
    x = taps_of(frame.x1, size[0], wanted.x0, wanted.x1, interpolation)
    y = taps_of(frame.y1, size[1], wanted.y0, wanted.y1, interpolation)
    last = Rect(0, 0, across.stop - across.start, down.stop - down.start)
    x = Taps(x.first - across.start, x.weights)
    y = y._replace(first=y.first - down.start)
    if native and (by_rows := row_maker(pixels, frame, y, size, interpolation)):
        left = wanted.x0 - across.made_start
        return by_rows()[:, left : left + wanted.width]
    mix = _MIXES.get((interpolation, itemsize))
    if mix is None:
        return _mixed_in_fixed_point(pixels, x, y, last)
    out = np.empty((wanted.height, wanted.width, pixels.shape[2]), pixels.dtype)
    for row in range(0, wanted.height, _ROWS_AT_ONCE):
        part = Taps(y.first[row : row + _ROWS_AT_ONCE], y.weights[:, row : row + _ROWS_AT_ONCE])
        out[row : row + _ROWS_AT_ONCE] = mix(pixels, x, part, last)
    return out


def _native(pixels: Array, frame: Rect, wanted: Rect, size: tuple[int, int], interpolation: str) -> Array:
    """Call OpenCV on the box alone."""
    across = _span(frame.x1, size[0], wanted.x0, wanted.x1, interpolation)
    down = _span(frame.y1, size[1], wanted.y0, wanted.y1, interpolation)
    with without_ipp():
        made = opencv(pixels, size[0] / frame.x1, size[1] / frame.y1, interpolation)
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


def _fixed(weights: NDArray[np.float32], bits: int) -> NDArray[np.int64]:
    return np.rint(weights * np.float32(1 << bits)).astype(np.int64)


def _mixed_linear_8(pixels: Array, x: Taps, y: Taps, frame: Rect) -> Array:
    """Mix two by two pixels in the fixed point of OpenCV's 8-bit path, which drops bits between the axes."""
    x_first, x_weights = _edged(x, frame.x1)
    upper, lower = (np.clip(y.first + step, 0, frame.y1 - 1) for step in (0, 1))
    rows, place = np.unique(np.concatenate([upper, lower]), return_inverse=True)
    right = np.minimum(x_first + 1, frame.x1 - 1)
    wide = _fixed(x_weights, 11).astype(np.int32)[:, :, np.newaxis]
    picked = pixels[rows].astype(np.int32)
    mixed = (np.take(picked, x_first, axis=1) * wide[0] + np.take(picked, right, axis=1) * wide[1]) >> 4
    tall = _fixed(y.weights, 11).astype(np.int32)[:, :, np.newaxis, np.newaxis]
    above, below = np.split(mixed[place], 2)
    made = (((tall[0] * above) >> 16) + ((tall[1] * below) >> 16) + 2) >> 2
    return np.asarray(made, np.uint8)


def _mixed_linear_16(pixels: Array, x: Taps, y: Taps, frame: Rect) -> Array:
    x_first, x_weights = _edged(x, frame.x1)
    upper, lower = (np.clip(y.first + step, 0, frame.y1 - 1) for step in (0, 1))
    rows, place = np.unique(np.concatenate([upper, lower]), return_inverse=True)
    right, wide = np.minimum(x_first + 1, frame.x1 - 1), x_weights[:, :, np.newaxis]
    picked = pixels[rows].astype(np.float32)
    mixed = np.take(picked, x_first, axis=1) * wide[0] + np.take(picked, right, axis=1) * wide[1]
    tall = y.weights[:, :, np.newaxis, np.newaxis]
    above, below = np.split(mixed[place], 2)
    return np.asarray(np.clip(np.rint(above * tall[0] + below * tall[1]), 0, 65535), np.uint16)


def _edged(taps: Taps, side: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Let pixels beyond the edges be those of the edge alone, as OpenCV does across, but not down."""
    outside = (taps.first < 0) | (taps.first >= side - 1)
    weights = np.where(outside, np.array([[1], [0]], np.float32), taps.weights)
    return np.clip(taps.first, 0, side - 1), weights


def _mixed_area(pixels: Array, x: Taps, y: Taps, frame: Rect) -> Array:
    """Sum in single precision and in OpenCV's order: along the row, then down."""
    rows = np.arange(y.first[0], min(int((y.first + y.weights.shape[0]).max()), frame.y1))
    picked = pixels[rows[0] : rows[-1] + 1].astype(np.float32)
    mixed = np.zeros((rows.size, x.first.size, pixels.shape[2]), np.float32)
    for tap, weights in enumerate(x.weights):
        mixed += np.take(picked, np.minimum(x.first + tap, frame.x1 - 1), axis=1) * weights[:, np.newaxis]
    made = np.zeros((y.first.size, *mixed.shape[1:]), np.float32)
    for tap, weights in enumerate(y.weights):
        place = np.minimum(y.first + tap, frame.y1 - 1) - rows[0]
        made += mixed[place] * weights[:, np.newaxis, np.newaxis]
    return np.asarray(np.clip(np.rint(made), 0, np.iinfo(pixels.dtype).max), pixels.dtype)


def _mixed_in_fixed_point(pixels: Array, x: Taps, y: Taps, frame: Rect) -> Array:
    """Sum integers exactly, in whatever order: down, then along the row, then one rounding."""
    bits = _FIXED_BITS[pixels.dtype.itemsize]
    # Every sum of 8-bit samples is a whole number below 2**24 and those of all below 2**53.
    exact = np.float32 if pixels.dtype.itemsize == 1 else np.float64
    columns = list(_matrices(x, frame.x1, bits, np.float64))
    made = np.empty((y.first.size, x.first.size, pixels.shape[2]), pixels.dtype)
    for tall, needed, matrix in _matrices(y, frame.y1, bits, exact):
        sums = np.empty((len(matrix), x.first.size), np.float64)
        for channel in range(pixels.shape[2]):
            down = (matrix @ pixels[needed, :, channel].astype(exact)).astype(np.float64)
            for wide, taken, weights in columns:
                np.matmul(down[:, taken], weights.T, out=sums[:, wide])
            sums += float(1 << (2 * bits - 1))
            sums *= 2.0 ** (-2 * bits)
            np.clip(np.floor(sums, out=sums), 0, np.iinfo(pixels.dtype).max, out=sums)
            made[tall, :, channel] = sums
    return made


def _matrices(
    taps: Taps, side: int, bits: int, dtype: type[np.floating[Any]]
) -> Iterator[tuple[slice, slice, Array]]:
    """Yield small matrices of weights: for which pixels of the result, of which of *side* pixels."""
    weights = _fixed(taps.weights, bits).astype(dtype)
    for begin in range(0, taps.first.size, _PIXELS_OF_A_MATRIX):
        chunk = slice(begin, min(begin + _PIXELS_OF_A_MATRIX, taps.first.size))
        places = taps.first[chunk] + np.arange(len(weights))[:, np.newaxis]
        places = np.clip(places, 0, side - 1)
        low, high = int(places.min()), int(places.max()) + 1
        matrix = np.zeros((places.shape[1], high - low), dtype)
        np.add.at(matrix, (np.arange(places.shape[1]), places - low), weights[:, chunk])
        yield chunk, slice(low, high), matrix


_MIXES: dict[tuple[str, int], Callable[[Array, Taps, Taps, Rect], Array]] = {
    ("linear", 1): _mixed_linear_8,
    ("linear", 2): _mixed_linear_16,
    ("area", 1): _mixed_area,
    ("area", 2): _mixed_area,
}
