"""The shape of a catalogue entry."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from tessera.geometry import Grid, Placement, Rect
from tessera.plan import Depth, Pixels, Shape

type Array = NDArray[Any]
"""Pixels: (rows, columns, channels), uint8 or uint16, C-contiguous, colour order BGR(A)."""

_PIXELS_AT_ONCE = 1 << 16

type Class = Literal["point", "stencil", "global", "geometry"]


class Refusal(NamedTuple):
    """Why an operation doesn't take an image or parameters, and the parameter to blame, if one is."""

    reason: str
    parameter: str | None = None


class Parameters(BaseModel):
    """Base of the parameters of an operation: closed and frozen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def conflict(self) -> Refusal | None:
        """Return why parameters that are right one by one don't go together, if they don't."""
        return None


def _check_odd(value: int) -> int:
    if value % 2 == 0:
        raise ValueError(f"must be odd, for example {value - 1} or {value + 1}")
    return value


class _Odd:
    """Allow odd numbers only, as the sides of windows with a middle pixel are. Stands after the bounds."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(_check_odd, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), "odd": True}


ODD = _Odd()


@dataclass(frozen=True, kw_only=True)
class Operation[P: Parameters]:
    """What the planner, the API and the documentation know of an operation.

    ``rate`` is megapixels per second of one core, ``scratch`` the bytes per pixel that a run holds
    beside its input and output; both are rough and only size the tiles. ``delicate`` says why the bits may
    depend on the kind of processor; most operations compute in whole numbers and give the same everywhere.
    ``split`` names an operation on single pixels, and one that does the rest of the work on colours. With
    ``lines``, its result is bright lines of a pixel, which the means of a small picture would dim.
    """

    name: str
    summary: str
    kind: Class
    parameters: type[P]
    channels: Sequence[int] = (1, 2, 3, 4)
    depths: Sequence[Depth] = (8, 16)
    refuse: Callable[[Shape, P], Refusal | None] = field(default=lambda _shape, _parameters: None)
    produces: Callable[[Pixels, P], Pixels] = field(default=lambda pixels, _parameters: pixels)
    halo: Callable[[P], int] = field(default=lambda _parameters: 0)
    rate: Callable[[P], float] = field(default=lambda _parameters: 1000.0)
    scratch: int = 0
    delicate: str | None = None
    split: tuple[str, str] | None = None
    lines: bool = False


@dataclass(frozen=True, kw_only=True)
class LocalOperation[P: Parameters](Operation[P]):
    """An operation whose result at a pixel depends on at most ``halo`` pixels around it.

    ``apply`` takes a region (an aligned window) and returns one of the same height and width; pixels
    closer than the halo to an edge of the region that is not an edge of the image are not exact.
    """

    apply: Callable[[Array, P], Array]


@dataclass(frozen=True, kw_only=True)
class GeometryOperation[P: Parameters](Operation[P]):
    """An operation that moves pixels: a box of its result comes from another box of its input.

    ``size`` takes width and height and returns those of the result. ``needs`` takes a box of the result and
    the frame of the input, and returns the box of the input, never empty, that it is made of. ``apply``
    takes exactly the pixels of that box, the box, the frame, and the box of the result to make. With
    ``turns``, rows may become columns, so that a band of the result comes from a strip or a diagonal of the
    input.
    """

    size: Callable[[int, int, P], tuple[int, int]]
    needs: Callable[[Rect, Rect, P], Rect]
    apply: Callable[[Array, Rect, Rect, Rect, P], Array]
    turns: Callable[[P], bool] = field(default=lambda _parameters: False)


@dataclass(frozen=True)
class Measured:
    """What one tile contributes: a summary that is merged with the others', and labels if there are any."""

    summary: bytes
    labels: Array | None = None


@dataclass(frozen=True, kw_only=True)
class GlobalOperation[P: Parameters](Operation[P]):
    """An operation that needs the whole image: measured per tile, merged once, resolved per tile.

    ``measure`` takes an aligned window with the halo around its core. ``merge`` takes the tiles and their
    summaries in order, and returns tables: one for all tiles, or one for each. ``resolve`` takes pixels and
    a table. With ``labelled``, the tiles' labels are kept, there is a table for each tile, and ``resolve``
    takes labels of one tile with that tile's table; otherwise it takes the same pixels as ``measure`` did.
    With ``report``, the only table is a JSON document for the user, and pixels pass untouched.
    """

    measure: Callable[[Array, Placement, P], Measured]
    merge: Callable[[Grid, Iterator[bytes], P], list[bytes]]
    resolve: Callable[[Array, Placement, P, bytes], Array]
    labelled: bool = False
    report: bool = False


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


def rows_at_once(raster: Array, least: int = 1) -> Iterator[slice]:
    """Yield the rows of a raster, top to bottom: what stays in a processor's cache, and *least* of them."""
    height = max(least, _PIXELS_AT_ONCE // raster.shape[1])
    for top in range(0, len(raster), height):
        yield slice(top, min(top + height, len(raster)))


def without_alpha(raster: Array) -> Array:
    """Return the colour channels alone."""
    channels = raster.shape[2]
    return raster if channels in (1, 3) else np.ascontiguousarray(raster[:, :, :-1])


def gray(raster: Array) -> Array:
    """Return the luma of the colour channels (Rec. 601), or the gray channel: (rows, columns, 1)."""
    colour = without_alpha(raster)
    return with_channels(cv2.cvtColor(colour, cv2.COLOR_BGR2GRAY)) if colour.shape[2] == 3 else colour


def white(raster: Array) -> int:
    """Return the brightest level of the raster's depth: 255 or 65535."""
    return int(np.iinfo(raster.dtype).max)


def gray_pixels(pixels: Pixels, _: Parameters) -> Pixels:
    """Return the kind of pixels that a mask or an edge image has: gray of the same depth, no alpha."""
    return Pixels(channels=1, depth=pixels.depth)
