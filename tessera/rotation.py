"""Turning an image by any angle, the same whatever box of the result is made.

For each pixel of the result, the place in the input is computed in whole numbers from its absolute
coordinates, to 1/256 of a pixel; OpenCV's remap then reads the levels there. Single precision holds these
places exactly up to 65,536 pixels from the corner, so that it makes no difference from which corner they
count.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from tessera.geometry import Rect

type Array = NDArray[Any]

_UNIT_BITS = 30
"""Bits of cosine and sine: few enough that the last ones of the C library don't matter."""
_PLACE_BITS = 8
LONGEST = 1 << (24 - _PLACE_BITS)
"""Pixels a side: up to here single precision holds all places exactly."""
_REACH = 3
"""Pixels around a place that the widest interpolation reads, and one for rounding."""
_BLOCK = 2048
_INTERPOLATIONS = {"nearest": cv2.INTER_NEAREST, "linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC}


class Turn(NamedTuple):
    """A turn of an image into *width* x *height* pixels; cosine and sine are in units of 2**-30."""

    cosine: int
    sine: int
    width: int
    height: int
    source_width: int
    source_height: int

    @classmethod
    def by(cls, degrees: float, width: int, height: int, *, expand: bool) -> Self:
        """Return the clockwise turn of an image around its middle; with *expand*, its corners stay inside."""
        unit, angle = 1 << _UNIT_BITS, math.radians(degrees)
        cosine, sine = round(math.cos(angle) * unit), round(math.sin(angle) * unit)
        made_width, made_height = width, height
        if expand:
            made_width = -(-(abs(cosine) * width + abs(sine) * height) // unit)
            made_height = -(-(abs(sine) * width + abs(cosine) * height) // unit)
        return cls(cosine, sine, made_width, made_height, width, height)

    def needs(self, wanted: Rect, frame: Rect) -> Rect:
        """Return the box of the input, never empty, that the box *wanted* of the result is read from."""
        corners = [
            self.places(Rect(x, y, x + 1, y + 1))
            for x in (wanted.x0, wanted.x1 - 1)
            for y in (wanted.y0, wanted.y1 - 1)
        ]
        xs, ys = ([int(corner[axis][0, 0]) >> _PLACE_BITS for corner in corners] for axis in (0, 1))
        x0, x1 = _clamped(min(xs) - _REACH, max(xs) + _REACH + 1, frame.x1)
        y0, y1 = _clamped(min(ys) - _REACH, max(ys) + _REACH + 1, frame.y1)
        return Rect(x0, y0, x1, y1)

    def places(self, wanted: Rect) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return where the pixels of *wanted* come from: x and y in 1/256 pixel, (rows, columns) each."""
        # From the middle of the result in half pixels, so that middles of pixels are whole numbers.
        x = 2 * np.arange(wanted.x0, wanted.x1, dtype=np.int64)[np.newaxis] + 1 - self.width
        y = 2 * np.arange(wanted.y0, wanted.y1, dtype=np.int64)[:, np.newaxis] + 1 - self.height
        shift = _UNIT_BITS + 1 - _PLACE_BITS
        half, middle = 1 << (shift - 1), 1 << _UNIT_BITS
        from_x = self.cosine * x + self.sine * y + (self.source_width - 1) * middle
        from_y = self.cosine * y - self.sine * x + (self.source_height - 1) * middle
        return (from_x + half) >> shift, (from_y + half) >> shift

    def apply(
        self, pixels: Array, needed: Rect, wanted: Rect, interpolation: str, fill: Sequence[int]
    ) -> Array:
        """Return the pixels of *wanted* from those of *needed*; *fill* is what lies outside the input."""
        out = np.empty((wanted.height, wanted.width, pixels.shape[2]), pixels.dtype)
        # OpenCV's remap takes sides up to 32,767 pixels.
        for y0 in range(wanted.y0, wanted.y1, _BLOCK):
            for x0 in range(wanted.x0, wanted.x1, _BLOCK):
                block = Rect(x0, y0, min(x0 + _BLOCK, wanted.x1), min(y0 + _BLOCK, wanted.y1))
                source = self.needs(block, Rect(0, 0, self.source_width, self.source_height))
                part = np.ascontiguousarray(pixels[source.relative_to(needed).slices])
                made = self._remapped(part, source, block, interpolation, fill)
                out[block.relative_to(wanted).slices] = made.reshape(block.height, block.width, -1)
        return out

    def _remapped(
        self, part: Array, source: Rect, block: Rect, interpolation: str, fill: Sequence[int]
    ) -> Array:
        x, y = self.places(block)
        scale = np.float32(1 << _PLACE_BITS)
        map_x, map_y = (
            (places - (start << _PLACE_BITS)).astype(np.float32) / scale
            for places, start in ((x, source.x0), (y, source.y0))
        )
        return cv2.remap(
            part,
            map_x,
            map_y,
            _INTERPOLATIONS[interpolation],
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=tuple(fill),
        )


def _clamped(start: int, stop: int, side: int) -> tuple[int, int]:
    """Return the part of ``start:stop`` inside the image, at least a pixel, from an even coordinate.

    The nearest pixel of a place halfway between two depends on which of them is even.
    """
    first = min(max(start, 0), side - 1) // 2 * 2
    return first, max(min(stop, side), first + 1)
