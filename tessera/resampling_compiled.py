"""Resizing from taps by compiled code (`compiled/resampling.c`), where it was built for this machine.

The sums are those that `tessera.resampling_numpy` takes, bit for bit, in a tenth of the time and less.
"""

import ctypes
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tessera.compiled import function, library, takes, with_whole_rows
from tessera.taps import FIXED_BITS, Taps, fixed

type Array = NDArray[Any]
type Offsets = NDArray[np.int64]

_PAD = 8
_ROWS_OF_SINGLE = 2


class _Kind(NamedTuple):
    """How to sum: the type of the weights along rows and down, and of the sums along rows."""

    across: type[np.number[Any]]
    down: type[np.number[Any]]
    sums: type[np.number[Any]]
    bits: int | None = None
    """Of a weight in fixed point."""

    def weights(self, taps: Taps) -> Array:
        """Return the weights of each pixel side by side, not yet of these types."""
        weights = taps.weights if self.bits is None else fixed(taps.weights, self.bits)
        return np.array(weights.T, order="C")


_SINGLE = _Kind(np.float32, np.float32, np.float32)
_FIXED = {
    1: _Kind(np.int16, np.int32, np.int32, FIXED_BITS[1]),
    2: _Kind(np.int32, np.int32, np.int64, FIXED_BITS[2]),
}
"""By bytes of a sample."""
_KINDS = {
    ("linear", 1): _Kind(np.int16, np.int16, np.int16, FIXED_BITS[1]),
    **dict.fromkeys((("linear", 2), ("area", 1), ("area", 2)), _SINGLE),
    **{(how, size): kind for how in ("cubic", "lanczos") for size, kind in _FIXED.items()},
}


class _Job(ctypes.Structure):
    arrays: dict[str, Array]
    _fields_ = [
        ("pixels", ctypes.c_void_p),
        ("stride", ctypes.c_ssize_t),
        ("made", ctypes.c_void_p),
        ("sums", ctypes.c_void_p),
        ("x_first", ctypes.c_void_p),
        ("x_weights", ctypes.c_void_p),
        ("y_rows", ctypes.c_void_p),
        ("y_weights", ctypes.c_void_p),
        ("width", ctypes.c_int32),
        ("height", ctypes.c_int32),
        ("channels", ctypes.c_int32),
        ("x_taps", ctypes.c_int32),
        ("y_taps", ctypes.c_int32),
        ("held", ctypes.c_int32),
        ("safe", ctypes.c_int32),
    ]


def can_sum(pixels: Array, x: Taps) -> bool:
    """Tell whether compiled code is there, and takes an image as narrow as *pixels* and as many channels."""
    return takes(pixels) and pixels.shape[1] >= len(x.weights)


def summed(pixels: Array, x: Taps, y: Taps, interpolation: str) -> Array:
    """Return the result whose columns and rows have such taps, (rows, columns, channels), dtype of *pixels*.

    Cubic and Lanczos are summed in fixed point and rounded once, half up; linear of 8 bits drops bits on the
    way, as OpenCV's does. The others are summed in single precision, in the order of the taps, and rounded
    half to even.

    Parameters
    ----------
    pixels
        (rows, columns, 1 to 4 channels), uint8 or uint16, with as many columns as there are taps at least.
    x, y
        Taps in *pixels*; for linear, those across have no weight outside.
    """
    pixels = with_whole_rows(pixels)
    height, width, channels = pixels.shape
    kind = _KINDS[interpolation, pixels.itemsize]
    x_first, x_weights, safe = _across(x, kind, width, channels)
    y_rows, y_weights = _down(y, kind, height)
    held = _ROWS_OF_SINGLE if kind is _SINGLE else len(y.weights)
    made = np.empty((y.first.size, x.first.size, channels), pixels.dtype)
    arrays = {
        "pixels": pixels,
        "made": made,
        "sums": np.empty((held + 1, x.first.size * channels + _PAD), kind.sums),
        "x_first": x_first,
        "x_weights": x_weights,
        "y_rows": y_rows,
        "y_weights": y_weights,
    }
    job = _job(arrays, x_taps=len(x.weights), y_taps=len(y.weights), held=held, safe=safe)
    function("tessera_resize")(ctypes.byref(job), pixels.itemsize, int(kind is not _SINGLE))
    return made


def picked(pixels: Array, columns: Offsets, rows: Offsets) -> Array:
    """Return the pixels at *columns* and *rows* of *pixels*, which has 1 to 4 channels of 1 or 2 bytes."""
    pixels = with_whole_rows(pixels)
    made = np.empty((rows.size, columns.size, pixels.shape[2]), pixels.dtype)
    offsets = (columns * pixels.strides[1]).astype(np.int32)
    job = _job({"pixels": pixels, "made": made, "x_first": offsets, "y_rows": rows.astype(np.int32)})
    library().tessera_pick(ctypes.byref(job), pixels.strides[1])
    return made


def _job(arrays: dict[str, Array], **numbers: int) -> _Job:
    """Return the job on *arrays*."""
    job = _Job(**numbers)
    for name, array in arrays.items():
        setattr(job, name, array.ctypes.data)
    job.stride = arrays["pixels"].strides[0]
    job.height, job.width, job.channels = arrays["made"].shape
    job.arrays = arrays  # an address keeps nothing alive
    return job


@lru_cache(maxsize=32)
def _across(taps: Taps, kind: _Kind, side: int, channels: int) -> tuple[Array, Array, int]:
    """Return the samples that taps begin with, their weights, and how many columns have a pixel after them.

    Taps all lie inside: weights of pixels beyond an edge are the edge's. Three channels are read as four and
    more, which mustn't reach beyond the last row.
    """
    weights = kind.weights(taps)
    count = weights.shape[1]
    first = np.clip(taps.first, 0, side - count)
    for pixel in np.flatnonzero(first != taps.first):
        places = np.clip(taps.first[pixel] + np.arange(count), 0, side - 1) - first[pixel]
        moved = np.zeros_like(weights[pixel])
        np.add.at(moved, places, weights[pixel])
        weights[pixel] = moved
    safe = int(np.searchsorted(first, side - count)) if channels == 3 else first.size
    return (first * channels).astype(np.int32), weights.astype(kind.across), safe


@lru_cache(maxsize=32)
def _down(taps: Taps, kind: _Kind, side: int) -> tuple[Array, Array]:
    """Return the row of each tap, and its weight."""
    places = taps.first[:, np.newaxis] + np.arange(len(taps.weights))
    return np.clip(places, 0, side - 1).astype(np.int32), kind.weights(taps).astype(kind.down)
