"""Which pixels of an image a pixel of its resized form is made of, and with which weights, as in OpenCV.

OpenCV counts in single precision from the corner of the whole image, and so do these.
(R. Keys, Cubic Convolution Interpolation, IEEE ASSP 29(6), 1981; C. Lanczos, Applied Analysis, 1956; OpenCV
imgproc, resize.)
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

FIXED_BITS = {1: 11, 2: 15}
"""Bits of a weight in fixed point, by bytes of a sample; OpenCV has 11 for its 8-bit samples."""
_ONE = np.float32(1)
_ON_PIXEL = np.float32(1e30)


@dataclass(frozen=True, eq=False, slots=True)
class Taps:
    """For each pixel of a result along one axis, the first pixel it is made of, and weights from there on.

    *weights* is (taps, pixels), float32. Pixels outside the image stand for the nearest inside.
    """

    first: NDArray[np.int64]
    weights: NDArray[np.float32]


def nearest(source: int, result: int, start: int, stop: int) -> NDArray[np.int64]:
    """Return the pixel of *source* pixels that each of ``start:stop`` of *result* pixels is."""
    scale = 1 / (result / source)
    return np.minimum(np.floor(np.arange(start, stop) * scale).astype(np.int64), source - 1)


@lru_cache(maxsize=32)
def taps_of(
    source: int, result: int, start: int, stop: int, interpolation: str, factor: float | None = None
) -> Taps:
    """Return the taps of pixels ``start:stop``; *factor* is the result's size over the source's."""
    scale = 1 / (factor or result / source)
    if interpolation == "area":
        return _area_taps(source, scale, start, stop)
    place = ((np.arange(start, stop) + 0.5) * scale - 0.5).astype(np.float32)
    first = np.floor(place).astype(np.int64)
    share = (place - first.astype(np.float32)).astype(np.float32)
    if interpolation == "linear":
        return Taps(first, np.stack([_ONE - share, share]))
    if interpolation == "cubic":
        return Taps(first - 1, _cubic(share))
    return Taps(first - 3, _lanczos(share))


def fixed(weights: NDArray[np.float32], bits: int) -> NDArray[np.int64]:
    """Return *weights* as whole multiples of 1 / 2**bits."""
    return np.rint(weights * np.float32(1 << bits)).astype(np.int64)


def _area_taps(source: int, scale: float, start: int, stop: int) -> Taps:
    """Return how much of each pixel lies in the cell of each pixel of the result."""
    begin = np.arange(start, stop) * scale
    end = begin + scale
    cell = np.minimum(scale, source - begin)
    last = np.minimum(np.floor(end).astype(np.int64), source - 1)
    first = np.minimum(np.ceil(begin).astype(np.int64), last)
    before, after = first - begin, end - last
    has_before, has_after = before > 1e-3, after > 1e-3
    count = int((last - first).max()) + 2
    weights = np.zeros((count, stop - start), np.float32)
    lead = has_before.astype(np.int64)
    weights[0, has_before] = (before / cell)[has_before]
    for tap in range(count):
        inside = (tap >= lead) & (tap - lead < last - first)
        weights[tap, inside] = (1 / cell)[inside]
        at_end = has_after & (tap - lead == last - first)
        weights[tap, at_end] = (np.minimum(np.minimum(after, 1), cell) / cell)[at_end]
    used = int(np.flatnonzero(weights.any(axis=1))[-1]) + 1
    return Taps(first - lead, weights[:used])


def _cubic(share: NDArray[np.float32]) -> NDArray[np.float32]:
    a, rest = np.float32(-0.75), _ONE - share
    five, eight, four, two, three = (np.float32(number) for number in (5, 8, 4, 2, 3))
    outer = ((a * (share + _ONE) - five * a) * (share + _ONE) + eight * a) * (share + _ONE) - four * a
    inner = ((a + two) * share - (a + three)) * share * share + _ONE
    other = ((a + two) * rest - (a + three)) * rest * rest + _ONE
    return np.stack([outer, inner, other, _ONE - outer - inner - other])


def _lanczos(share: NDArray[np.float32]) -> NDArray[np.float32]:
    root = math.sqrt(0.5)
    signs = [(1, 0), (-root, -root), (0, 1), (root, -root), (-1, 0), (root, root), (0, -1), (-root, root)]
    place = share + np.float32(3)
    angles = (-place.astype(np.float64) * math.pi * 0.25).tolist()
    # The C library's functions are the same on every processor; NumPy's own are not.
    sine = np.array([math.sin(angle) for angle in angles])
    cosine = np.array([math.cos(angle) for angle in angles])
    weights = np.full((8, share.size), _ON_PIXEL, np.float32)
    total = np.zeros(share.size, np.float32)
    for tap, (of_sine, of_cosine) in enumerate(signs):
        distance = place - np.float32(tap)
        apart = np.abs(distance) >= np.float32(1e-6)
        angle = -distance[apart].astype(np.float64) * math.pi * 0.25
        weights[tap, apart] = (of_sine * sine[apart] + of_cosine * cosine[apart]) / (angle * angle)
        total += weights[tap]
    return weights * (_ONE / total)
