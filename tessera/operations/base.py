"""The shape of a catalogue entry."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from tessera.geometry import Grid, Rect
from tessera.plan import Depth, Pixels

type Array = NDArray[Any]
"""Pixels: (rows, columns, channels), uint8 or uint16, C-contiguous, colour order BGR(A)."""

type Class = Literal["point", "stencil", "global", "geometry"]


class Parameters(BaseModel):
    """Base of the parameters of an operation: closed and frozen."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True, kw_only=True)
class Operation[P: Parameters]:
    """What the planner, the API and the documentation know of an operation.

    ``rate`` is megapixels per second of one core, ``scratch`` the bytes per pixel that a run holds
    beside its input and output; both are rough and only size the tiles.
    """

    name: str
    summary: str
    kind: Class
    parameters: type[P]
    channels: Sequence[int] = (1, 2, 3, 4)
    depths: Sequence[Depth] = (8, 16)
    refuse: Callable[[Pixels, P], str | None] = field(default=lambda _pixels, _parameters: None)
    produces: Callable[[Pixels, P], Pixels] = field(default=lambda pixels, _parameters: pixels)
    halo: Callable[[P], int] = field(default=lambda _parameters: 0)
    rate: Callable[[P], float] = field(default=lambda _parameters: 1000.0)
    scratch: int = 0


@dataclass(frozen=True, kw_only=True)
class LocalOperation[P: Parameters](Operation[P]):
    """An operation whose result at a pixel depends on at most ``halo`` pixels around it.

    ``apply`` takes a region (an aligned window) and returns one of the same height and width; pixels
    closer than the halo to an edge of the region that is not an edge of the image are not exact.
    """

    apply: Callable[[Array, P], Array]


@dataclass(frozen=True)
class Measured:
    """What one tile contributes: its labels, and the summary that is merged with the others'."""

    labels: Array
    summary: bytes


@dataclass(frozen=True, kw_only=True)
class GlobalOperation[P: Parameters](Operation[P]):
    """An operation that needs the whole image: measured per tile, merged once, resolved per tile.

    ``measure`` takes a window and the box of the tile's core in it. ``merge`` takes the grid and the
    tiles' summaries in order and returns one table per tile. ``resolve`` takes labels of one tile and
    that tile's table. ``whole`` does it all for an image that is one tile.
    """

    measure: Callable[[Array, Rect, P], Measured]
    merge: Callable[[Grid, Iterator[bytes]], list[Array]]
    resolve: Callable[[Array, Array], Array]
    whole: Callable[[Array, P], Array]


def on_colour(function: Callable[[Array], Array], raster: Array) -> Array:
    """Run *function* on the colour channels and carry alpha over untouched."""
    channels = raster.shape[2]
    if channels in (1, 3):
        return with_channels(function(raster))
    colour = with_channels(function(np.ascontiguousarray(raster[:, :, :-1])))
    return np.concatenate([colour, raster[:, :, -1:]], axis=2)


def with_channels(raster: Array) -> Array:
    """Give back the channel axis that OpenCV drops from a gray raster."""
    return raster if raster.ndim == 3 else raster[:, :, np.newaxis]


def without_alpha(raster: Array) -> Array:
    """Return the colour channels alone."""
    channels = raster.shape[2]
    return raster if channels in (1, 3) else np.ascontiguousarray(raster[:, :, :-1])
