"""Canny edges, exact over any tiling.

cv2.Canny(low, high) is the union of those 8-connected components of the weak map cv2.Canny(low, low) that
hold a pixel of the strong map cv2.Canny(high, high). Both maps are local. Each tile labels the components of
its part of the weak map, keeps those that are certain, and numbers those that touch its border and are not;
`tessera.border_graph` finds which of these are connected to a strong pixel somewhere else.
(J. Canny, A Computational Approach to Edge Detection, IEEE PAMI 8(6), 1986: hysteresis is reachability.)
"""

import math
from collections.abc import Iterator
from typing import Annotated, Literal, override

import cv2
import numpy as np
from pydantic import Field

from tessera import border_graph
from tessera.geometry import Grid, Placement, Rect
from tessera.operations.base import (
    Array,
    GlobalOperation,
    Measured,
    Parameters,
    Refusal,
    with_channels,
    without_alpha,
)
from tessera.plan import Pixels

_THRESHOLD_LIMIT = 32767
"""OpenCV saturates squared thresholds above this (l2_gradient)."""
_PIXELS_AT_ONCE, _LEAST_ROWS = 1 << 19, 16
"""Gradients are taken of so many pixels at a time, which stay in a processor's cache; a few rows at least."""


class CannyParameters(Parameters):
    """Thresholds on the gradient, and how it is taken."""

    low: Annotated[float, Field(ge=0, le=_THRESHOLD_LIMIT, description="edges below are dropped")] = 100
    high: Annotated[float, Field(ge=0, le=_THRESHOLD_LIMIT, description="edges above are kept")] = 200
    aperture: Annotated[Literal[3, 5, 7], Field(description="side of the Sobel kernel")] = 3
    l2_gradient: Annotated[bool, Field(description="Euclidean gradient instead of |dx| + |dy|")] = False

    @override
    def conflict(self) -> Refusal | None:
        if self.low <= self.high:
            return None
        return Refusal(f"low ({self.low:g}) must not be above high ({self.high:g})", "high")


def _maps(window: Array, core: Rect, parameters: CannyParameters) -> tuple[Array, Array, Array]:
    """Return the weak map of the core, the places of its pixels in the flattened core, and which are strong.

    A pixel of the weak map is one of the strong map if its gradient is above the high threshold.
    """
    colour, low, high = without_alpha(window), parameters.low, parameters.high
    if parameters.aperture > 3:
        # From gradients instead of the image, OpenCV makes other maps: by scale for 7, in places for 5.
        weak, strong = (
            np.ascontiguousarray(_whole_map(colour, level, parameters)[core.slices]) for level in (low, high)
        )
        places = np.flatnonzero(weak > 0)
        return weak, places, strong.ravel()[places] > 0
    weak = np.empty((core.height, core.width), np.uint8)
    rows = max(_LEAST_ROWS, _PIXELS_AT_ONCE // colour.shape[1])
    found = [
        _rows_of_maps(
            colour, core._replace(y0=y0, y1=min(y0 + rows, core.y1)), weak[y0 - core.y0 :], parameters
        )
        for y0 in range(core.y0, core.y1, rows)
    ]
    starts = range(0, weak.size, rows * core.width)
    places = np.concatenate([each + start for (each, _), start in zip(found, starts, strict=True)])
    return weak, places, np.concatenate([strong for _, strong in found])


def _rows_of_maps(colour: Array, part: Rect, weak: Array, parameters: CannyParameters) -> tuple[Array, Array]:
    """Write the weak map of some rows; return the places of its pixels there, and which are strong.

    Whether a pixel is in the map depends on the gradients around it, and those on the pixels around them.
    """
    low, high, l2 = parameters.low, parameters.high, parameters.l2_gradient
    top = max(0, part.y0 - 2)
    gradients = _gradients(colour[top : part.y1 + 2], l2=l2)
    first, last = max(0, part.y0 - 1), min(len(colour), part.y1 + 1)
    dx, dy, length = (each[first - top : last - top] for each in gradients)
    core = slice(part.y0 - first, part.y1 - first), slice(part.x0, part.x1)
    weak = weak[: part.height]
    weak[:] = cv2.Canny(dx, dy, low, low, L2gradient=l2)[core]
    places = np.flatnonzero(weak > 0)
    above = math.floor(min(high, _THRESHOLD_LIMIT) ** 2 if l2 else high)
    return places, length[core][np.divmod(places, part.width)] > above


def _gradients(colour: Array, *, l2: bool) -> tuple[Array, Array, Array]:
    """Return dx, dy and their length, of the first channel where that is greatest.

    cv2.Canny chooses so too, pixel by pixel; this takes a quarter of its time.
    """
    first, *others = cv2.split(colour)
    dx, dy = cv2.spatialGradient(first, borderType=cv2.BORDER_REPLICATE)
    length = _length(dx, dy, l2=l2)
    for channel in others:
        x, y = cv2.spatialGradient(channel, borderType=cv2.BORDER_REPLICATE)
        other = _length(x, y, l2=l2)
        longer = cv2.compare(other, length, cv2.CMP_GT)
        cv2.copyTo(x, longer, dx)
        cv2.copyTo(y, longer, dy)
        np.maximum(length, other, out=length)
    return dx, dy, length


def _length(dx: Array, dy: Array, *, l2: bool) -> Array:
    """Return |dx| + |dy|, int16, or the square of the Euclidean length, int32."""
    if l2:
        return np.multiply(dx, dx, dtype=np.int32) + np.multiply(dy, dy, dtype=np.int32)
    length: Array = np.abs(dx)
    length += np.abs(dy)
    return length


def _whole_map(colour: Array, level: float, parameters: CannyParameters) -> Array:
    return cv2.Canny(
        colour, level, level, apertureSize=parameters.aperture, L2gradient=parameters.l2_gradient
    )


def _measure(window: Array, placement: Placement, parameters: CannyParameters) -> Measured:
    labels = border_graph.label(*_maps(window, placement.inner, parameters))
    return Measured(border_graph.summarize(labels), with_channels(labels))


def _merge(grid: Grid, summaries: Iterator[bytes], _: CannyParameters) -> list[bytes]:
    return [table.tobytes() for table in border_graph.merge(grid, summaries)]


def _resolve(labels: Array, _placement: Placement, _: CannyParameters, table: bytes) -> Array:
    flat = labels.reshape(-1)
    made: Array = (flat == border_graph.CERTAIN).view(np.uint8)
    made *= 255
    # Few labels are another: to look up all takes several times as long.
    others = np.flatnonzero(flat > border_graph.CERTAIN)
    made[others] = np.frombuffer(table, np.uint8)[flat[others]]
    return made.reshape(labels.shape)


CANNY = GlobalOperation(
    name="canny",
    summary="Find edges: white lines of one pixel on black (Canny 1986).",
    kind="global",
    parameters=CannyParameters,
    depths=(8,),
    produces=lambda _pixels, _parameters: Pixels(channels=1),
    halo=lambda parameters: parameters.aperture // 2 + 1,
    rate=lambda _: 100.0,
    scratch=24,
    measure=_measure,
    merge=_merge,
    resolve=_resolve,
    labelled=True,
    lines=True,
)
