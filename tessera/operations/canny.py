"""Canny edges, exact over any tiling.

cv2.Canny(low, high) is the union of those 8-connected components of the weak map cv2.Canny(low, low) that
hold a pixel of the strong map cv2.Canny(high, high). Both maps are local. Each tile labels the components of
its part of the weak map, keeps those that are certain, and numbers those that touch its border and are not;
`tessera.border_graph` finds which of these are connected to a strong pixel somewhere else.
(J. Canny, A Computational Approach to Edge Detection, IEEE PAMI 8(6), 1986: hysteresis is reachability.)
"""

import math
from collections.abc import Iterator
from typing import Annotated, Literal, Self

import cv2
import numpy as np
from pydantic import Field, model_validator

from tessera import border_graph
from tessera.geometry import Grid, Placement, Rect
from tessera.operations.base import (
    Array,
    GlobalOperation,
    Measured,
    Parameters,
    with_channels,
    without_alpha,
)
from tessera.plan import Pixels

_THRESHOLD_LIMIT = 32767
"""OpenCV saturates squared thresholds above this (l2_gradient)."""


class CannyParameters(Parameters):
    """Thresholds on the gradient, and how it is taken."""

    low: Annotated[float, Field(ge=0, le=_THRESHOLD_LIMIT, description="edges below are dropped")] = 100
    high: Annotated[float, Field(ge=0, le=_THRESHOLD_LIMIT, description="edges above are kept")] = 200
    aperture: Annotated[Literal[3, 5, 7], Field(description="side of the Sobel kernel")] = 3
    l2_gradient: Annotated[bool, Field(description="Euclidean gradient instead of |dx| + |dy|")] = False

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"low ({self.low:g}) must not be above high ({self.high:g})")
        return self


def _maps(window: Array, core: Rect, parameters: CannyParameters) -> tuple[Array, Array]:
    """Return the weak map of the core, and the places of its strong pixels in the flattened core.

    A pixel of the weak map is one of the strong map if its gradient is above the high threshold.
    """
    colour, low, high = without_alpha(window), parameters.low, parameters.high
    if parameters.aperture > 3:
        # From gradients instead of the image, OpenCV makes other maps: by scale for 7, in places for 5.
        weak, strong = (_whole_map(colour, level, parameters)[core.slices] for level in (low, high))
        return np.ascontiguousarray(weak), np.flatnonzero(strong > 0)
    dx, dy = (
        cv2.Sobel(colour, cv2.CV_16S, *order, borderType=cv2.BORDER_REPLICATE) for order in ((1, 0), (0, 1))
    )
    weak = cv2.Canny(dx, dy, low, low, L2gradient=parameters.l2_gradient)[core.slices]
    weak = np.ascontiguousarray(weak)
    rows, columns = np.divmod(np.flatnonzero(weak > 0), weak.shape[1])
    lengths = _lengths(dx, dy, rows + core.y0, columns + core.x0, l2=parameters.l2_gradient)
    above = lengths > math.floor(min(high, _THRESHOLD_LIMIT) ** 2 if parameters.l2_gradient else high)
    return weak, rows[above] * weak.shape[1] + columns[above]


def _lengths(dx: Array, dy: Array, rows: Array, columns: Array, *, l2: bool) -> Array:
    """Return |dx| + |dy|, or the square of the Euclidean length, of the channel where it is greatest."""
    x, y = (np.atleast_2d(each[rows, columns].astype(np.int32).T) for each in (dx, dy))
    each = x * x + y * y if l2 else np.abs(x) + np.abs(y)
    return np.asarray(each.max(axis=0))


def _whole_map(colour: Array, level: float, parameters: CannyParameters) -> Array:
    return cv2.Canny(
        colour, level, level, apertureSize=parameters.aperture, L2gradient=parameters.l2_gradient
    )


def _measure(window: Array, placement: Placement, parameters: CannyParameters) -> Measured:
    weak, strong = _maps(window, placement.inner, parameters)
    labels = border_graph.label(weak, strong)
    return Measured(border_graph.summarize(labels), with_channels(labels))


def _merge(grid: Grid, summaries: Iterator[bytes], _: CannyParameters) -> list[bytes]:
    return [table.tobytes() for table in border_graph.merge(grid, summaries)]


def _resolve(labels: Array, _placement: Placement, _: CannyParameters, table: bytes) -> Array:
    return np.frombuffer(table, np.uint8)[labels]


CANNY = GlobalOperation(
    name="canny",
    summary="Find edges: white lines of one pixel on black (Canny 1986).",
    kind="global",
    parameters=CannyParameters,
    depths=(8,),
    produces=lambda _pixels, _parameters: Pixels(channels=1),
    halo=lambda parameters: parameters.aperture // 2 + 1,
    rate=lambda _: 40.0,
    scratch=24,
    measure=_measure,
    merge=_merge,
    resolve=_resolve,
    labelled=True,
)
