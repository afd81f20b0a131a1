"""Resizing from taps in NumPy, where there is no compiled code (`tessera.resampling_compiled`)."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.taps import FIXED_BITS, Taps, fixed

type Array = NDArray[Any]

_ROWS_AT_ONCE = 64
_PIXELS_OF_A_MATRIX = 32


def summed(pixels: Array, x: Taps, y: Taps, interpolation: str) -> Array:
    """Return what `tessera.resampling_compiled.summed` does, of an image of any width."""
    mix = _MIXES.get((interpolation, pixels.itemsize))
    if mix is None:
        return _mixed_in_fixed_point(pixels, x, y)
    out = np.empty((y.first.size, x.first.size, pixels.shape[2]), pixels.dtype)
    for row in range(0, len(out), _ROWS_AT_ONCE):
        part = Taps(y.first[row : row + _ROWS_AT_ONCE], y.weights[:, row : row + _ROWS_AT_ONCE])
        out[row : row + _ROWS_AT_ONCE] = mix(pixels, x, part)
    return out


def _mixed_linear_8(pixels: Array, x: Taps, y: Taps) -> Array:
    """Mix two by two pixels in the fixed point of OpenCV's 8-bit path, which drops bits between the axes."""
    upper, lower = (np.clip(y.first + step, 0, pixels.shape[0] - 1) for step in (0, 1))
    rows, place = np.unique(np.concatenate([upper, lower]), return_inverse=True)
    right = np.minimum(x.first + 1, pixels.shape[1] - 1)
    wide = fixed(x.weights, 11).astype(np.int32)[:, :, np.newaxis]
    picked = pixels[rows].astype(np.int32)
    mixed = (np.take(picked, x.first, axis=1) * wide[0] + np.take(picked, right, axis=1) * wide[1]) >> 4
    tall = fixed(y.weights, 11).astype(np.int32)[:, :, np.newaxis, np.newaxis]
    above, below = np.split(mixed[place], 2)
    made = (((tall[0] * above) >> 16) + ((tall[1] * below) >> 16) + 2) >> 2
    return np.asarray(made, np.uint8)


def _mixed_linear_16(pixels: Array, x: Taps, y: Taps) -> Array:
    upper, lower = (np.clip(y.first + step, 0, pixels.shape[0] - 1) for step in (0, 1))
    rows, place = np.unique(np.concatenate([upper, lower]), return_inverse=True)
    right, wide = np.minimum(x.first + 1, pixels.shape[1] - 1), x.weights[:, :, np.newaxis]
    picked = pixels[rows].astype(np.float32)
    mixed = np.take(picked, x.first, axis=1) * wide[0] + np.take(picked, right, axis=1) * wide[1]
    tall = y.weights[:, :, np.newaxis, np.newaxis]
    above, below = np.split(mixed[place], 2)
    return np.asarray(np.clip(np.rint(above * tall[0] + below * tall[1]), 0, 65535), np.uint16)


def _mixed_area(pixels: Array, x: Taps, y: Taps) -> Array:
    """Sum in single precision and in OpenCV's order: along the row, then down."""
    rows = np.arange(y.first[0], min(int((y.first + len(y.weights)).max()), len(pixels)))
    picked = pixels[rows[0] : rows[-1] + 1].astype(np.float32)
    mixed = np.zeros((rows.size, x.first.size, pixels.shape[2]), np.float32)
    for tap, weights in enumerate(x.weights):
        place = np.minimum(x.first + tap, pixels.shape[1] - 1)
        mixed += np.take(picked, place, axis=1) * weights[:, np.newaxis]
    made = np.zeros((y.first.size, *mixed.shape[1:]), np.float32)
    for tap, weights in enumerate(y.weights):
        place = np.minimum(y.first + tap, pixels.shape[0] - 1) - rows[0]
        made += mixed[place] * weights[:, np.newaxis, np.newaxis]
    return np.asarray(np.clip(np.rint(made), 0, np.iinfo(pixels.dtype).max), pixels.dtype)


def _mixed_in_fixed_point(pixels: Array, x: Taps, y: Taps) -> Array:
    """Sum integers exactly, in whatever order: down, then along the row, then one rounding."""
    bits = FIXED_BITS[pixels.dtype.itemsize]
    # Every sum of 8-bit samples is a whole number below 2**24 and those of all below 2**53.
    exact = np.float32 if pixels.dtype.itemsize == 1 else np.float64
    columns = list(_matrices(x, pixels.shape[1], bits, np.float64))
    made = np.empty((y.first.size, x.first.size, pixels.shape[2]), pixels.dtype)
    for tall, needed, matrix in _matrices(y, pixels.shape[0], bits, exact):
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
    weights = fixed(taps.weights, bits).astype(dtype)
    for begin in range(0, taps.first.size, _PIXELS_OF_A_MATRIX):
        chunk = slice(begin, min(begin + _PIXELS_OF_A_MATRIX, taps.first.size))
        places = taps.first[chunk] + np.arange(len(weights))[:, np.newaxis]
        places = np.clip(places, 0, side - 1)
        low, high = int(places.min()), int(places.max()) + 1
        matrix = np.zeros((places.shape[1], high - low), dtype)
        np.add.at(matrix, (np.arange(places.shape[1]), places - low), weights[:, chunk])
        yield chunk, slice(low, high), matrix


_MIXES: dict[tuple[str, int], Callable[[Array, Taps, Taps], Array]] = {
    ("linear", 1): _mixed_linear_8,
    ("linear", 2): _mixed_linear_16,
    ("area", 1): _mixed_area,
    ("area", 2): _mixed_area,
}
