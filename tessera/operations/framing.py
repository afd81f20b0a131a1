"""Operations that take from an image's edges, or add to them."""

from typing import Annotated, Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tessera.geometry import Rect
from tessera.operations.base import Array, GeometryOperation, Parameters, Refusal, white, with_channels
from tessera.plan import Shape

_MOST = 1_000_000


class CropParameters(Parameters):
    """The box that stays."""

    x: Annotated[int, Field(ge=0, le=_MOST, description="columns cut off at the left")] = 0
    y: Annotated[int, Field(ge=0, le=_MOST, description="rows cut off at the top")] = 0
    width: Annotated[int, Field(ge=0, le=_MOST, description="columns kept; 0 for all up to the edge")] = 0
    height: Annotated[int, Field(ge=0, le=_MOST, description="rows kept; 0 for all up to the edge")] = 0


class PadParameters(Parameters):
    """How much is added on each side, and what."""

    left: Annotated[int, Field(ge=0, le=65_535, description="columns added at the left")] = 16
    top: Annotated[int, Field(ge=0, le=65_535, description="rows added at the top")] = 16
    right: Annotated[int, Field(ge=0, le=65_535, description="columns added at the right")] = 16
    bottom: Annotated[int, Field(ge=0, le=65_535, description="rows added at the bottom")] = 16
    mode: Annotated[
        Literal["constant", "replicate", "reflect"],
        Field(description="one level, the edge's pixels, or the image mirrored at its edge pixels"),
    ] = "constant"
    value: Annotated[
        float, Field(ge=0, le=1, description="level for constant, from 0 black to 1 white; alpha is opaque")
    ] = 0.0


def _crop_size(width: int, height: int, parameters: CropParameters) -> tuple[int, int]:
    return parameters.width or width - parameters.x, parameters.height or height - parameters.y


def _refuse_crop(shape: Shape, parameters: CropParameters) -> Refusal | None:
    for name, side, start, extent in (
        ("width", shape.width, parameters.x, parameters.width),
        ("height", shape.height, parameters.y, parameters.height),
    ):
        axis = "x" if name == "width" else "y"
        if start >= side:
            return Refusal(f"{axis} {start} is outside the image, whose {name} is {side} here", axis)
        if start + extent > side:
            return Refusal(
                f"{axis} {start} and {name} {extent} reach past the {name} {side} it has here", name
            )
    return None


def _crop_needs(wanted: Rect, _: Rect, parameters: CropParameters) -> Rect:
    return wanted.moved(parameters.x, parameters.y)


def _crop(pixels: Array, _needed: Rect, _frame: Rect, _wanted: Rect, _: CropParameters) -> Array:
    return pixels


def _pad_size(width: int, height: int, parameters: PadParameters) -> tuple[int, int]:
    return width + parameters.left + parameters.right, height + parameters.top + parameters.bottom


def _pad_needs(wanted: Rect, frame: Rect, parameters: PadParameters) -> Rect:
    x0, x1 = _span(
        _sources(wanted.x0 - parameters.left, wanted.x1 - parameters.left, frame.x1, parameters.mode)
    )
    y0, y1 = _span(
        _sources(wanted.y0 - parameters.top, wanted.y1 - parameters.top, frame.y1, parameters.mode)
    )
    return Rect(x0, y0, x1, y1)


def _pad(pixels: Array, needed: Rect, frame: Rect, wanted: Rect, parameters: PadParameters) -> Array:
    mode = parameters.mode
    columns = _sources(wanted.x0 - parameters.left, wanted.x1 - parameters.left, frame.x1, mode)
    rows = _sources(wanted.y0 - parameters.top, wanted.y1 - parameters.top, frame.y1, mode)
    if (columns >= 0).all() and (rows >= 0).all():
        return _taken(pixels, rows - needed.y0, columns - needed.x0)
    inside_rows, inside_columns = np.flatnonzero(rows >= 0), np.flatnonzero(columns >= 0)
    fill = _fill(pixels, parameters.value)
    if not inside_rows.size or not inside_columns.size:
        blank = np.array(fill, pixels.dtype)
        return np.broadcast_to(blank, (wanted.height, wanted.width, blank.size))
    top, left = int(inside_rows[0]), int(inside_columns[0])
    bottom, right = rows.size - 1 - int(inside_rows[-1]), columns.size - 1 - int(inside_columns[-1])
    made = cv2.copyMakeBorder(pixels, top, bottom, left, right, cv2.BORDER_CONSTANT, value=fill)
    return with_channels(made)


def _sources(start: int, stop: int, side: int, mode: str) -> NDArray[np.int64]:
    """Return the coordinate that each of ``start:stop`` is taken from, or -1 where there is none."""
    places = np.arange(start, stop)
    if mode == "replicate":
        return np.clip(places, 0, side - 1)
    if mode == "reflect":
        period = max(2 * (side - 1), 1)
        return np.minimum(places % period, -places % period)
    return np.where((places >= 0) & (places < side), places, -1)


def _span(sources: NDArray[np.int64]) -> tuple[int, int]:
    """Return the smallest range around the coordinates that are not -1; one pixel if there are none."""
    inside = sources[sources >= 0]
    return (int(inside.min()), int(inside.max()) + 1) if inside.size else (0, 1)


def _taken(pixels: Array, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Array:
    picked = pixels[rows]
    return picked if (np.diff(columns) == 1).all() and columns.size == pixels.shape[1] else picked[:, columns]


def _fill(pixels: Array, value: float) -> Any:
    """Return the level of each channel of a padding: *value* of white, rounded half up, and opaque."""
    brightest, channels = white(pixels), pixels.shape[2]
    level = int(np.floor(value * brightest + 0.5))
    return [level] * (channels - 1) + [level if channels in (1, 3) else brightest]


CROP = GeometryOperation(
    name="crop",
    summary="Keep a box of the image; what lies outside isn't read where that can be avoided.",
    kind="geometry",
    parameters=CropParameters,
    refuse=_refuse_crop,
    size=_crop_size,
    needs=_crop_needs,
    apply=_crop,
)

PAD = GeometryOperation(
    name="pad",
    summary="Add a border: one level, the edge's pixels, or the image mirrored.",
    kind="geometry",
    parameters=PadParameters,
    size=_pad_size,
    needs=_pad_needs,
    apply=_pad,
)
