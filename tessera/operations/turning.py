"""Operations that mirror and turn."""

from typing import Annotated, Literal

import cv2
from pydantic import Field

from tessera import rotation
from tessera.geometry import Rect
from tessera.operations.base import Array, GeometryOperation, Parameters, Refusal, white, with_channels
from tessera.plan import Shape

_QUARTERS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
_MIRRORS = {"horizontal": 1, "vertical": 0}


class FlipParameters(Parameters):
    """Which way."""

    direction: Annotated[
        Literal["horizontal", "vertical"],
        Field(description="horizontal swaps left and right, vertical top and bottom"),
    ] = "horizontal"


class RotateParameters(Parameters):
    """How far."""

    degrees: Annotated[Literal[90, 180, 270], Field(description="clockwise")] = 90


class TransposeParameters(Parameters):
    """None."""


class RotateByParameters(Parameters):
    """How far, and what happens at the edges."""

    degrees: Annotated[float, Field(ge=-360, le=360, description="clockwise")] = 10.0
    expand: Annotated[
        bool, Field(description="make room for the corners; else the size stays and they are cut off")
    ] = True
    interpolation: Annotated[
        Literal["nearest", "linear", "cubic"], Field(description="how levels between pixels are found")
    ] = "linear"
    value: Annotated[
        float, Field(ge=0, le=1, description="level of what was outside, 0 black to 1 white; alpha is 0")
    ] = 0.0


def _swapped(width: int, height: int, _: Parameters) -> tuple[int, int]:
    return height, width


def _flip_needs(wanted: Rect, frame: Rect, parameters: FlipParameters) -> Rect:
    if parameters.direction == "horizontal":
        return wanted._replace(x0=frame.x1 - wanted.x1, x1=frame.x1 - wanted.x0)
    return wanted._replace(y0=frame.y1 - wanted.y1, y1=frame.y1 - wanted.y0)


def _flip(pixels: Array, _needed: Rect, _frame: Rect, _wanted: Rect, parameters: FlipParameters) -> Array:
    return with_channels(cv2.flip(pixels, _MIRRORS[parameters.direction]))


def _rotate_size(width: int, height: int, parameters: RotateParameters) -> tuple[int, int]:
    return (width, height) if parameters.degrees == 180 else (height, width)


def _rotate_needs(wanted: Rect, frame: Rect, parameters: RotateParameters) -> Rect:
    x0, y0, x1, y1 = wanted
    if parameters.degrees == 180:
        return Rect(frame.x1 - x1, frame.y1 - y1, frame.x1 - x0, frame.y1 - y0)
    if parameters.degrees == 90:
        return Rect(y0, frame.y1 - x1, y1, frame.y1 - x0)
    return Rect(frame.x1 - y1, x0, frame.x1 - y0, x1)


def _rotate(pixels: Array, _needed: Rect, _frame: Rect, _wanted: Rect, parameters: RotateParameters) -> Array:
    return with_channels(cv2.rotate(pixels, _QUARTERS[parameters.degrees]))


def _transpose_needs(wanted: Rect, _frame: Rect, _: TransposeParameters) -> Rect:
    return Rect(wanted.y0, wanted.x0, wanted.y1, wanted.x1)


def _transpose(pixels: Array, _needed: Rect, _frame: Rect, _wanted: Rect, _: TransposeParameters) -> Array:
    return with_channels(cv2.transpose(pixels))


def _turn(frame: Rect, parameters: RotateByParameters) -> rotation.Turn:
    return rotation.Turn.by(parameters.degrees, frame.width, frame.height, expand=parameters.expand)


def _refuse_long(shape: Shape, _: RotateByParameters) -> Refusal | None:
    if max(shape.width, shape.height) <= rotation.LONGEST:
        return None
    return Refusal(
        f"turns images of up to {rotation.LONGEST} pixels a side, and this is {shape.width} x {shape.height}"
    )


def _rotate_by_size(width: int, height: int, parameters: RotateByParameters) -> tuple[int, int]:
    turn = _turn(Rect(0, 0, width, height), parameters)
    return turn.width, turn.height


def _rotate_by_needs(wanted: Rect, frame: Rect, parameters: RotateByParameters) -> Rect:
    return _turn(frame, parameters).needs(wanted, frame)


def _rotate_by(
    pixels: Array, needed: Rect, frame: Rect, wanted: Rect, parameters: RotateByParameters
) -> Array:
    brightest, channels = white(pixels), pixels.shape[2]
    level = int(parameters.value * brightest + 0.5)
    fill = [level] * (channels - 1) + [0 if channels in (2, 4) else level]
    turn = _turn(frame, parameters)
    return turn.apply(pixels, needed, wanted, parameters.interpolation, fill)


FLIP = GeometryOperation(
    name="flip",
    summary="Mirror the image.",
    kind="geometry",
    parameters=FlipParameters,
    size=lambda width, height, _: (width, height),
    needs=_flip_needs,
    apply=_flip,
)

ROTATE = GeometryOperation(
    name="rotate",
    summary="Turn the image by quarters.",
    kind="geometry",
    parameters=RotateParameters,
    rate=lambda _: 500.0,
    size=_rotate_size,
    needs=_rotate_needs,
    apply=_rotate,
    turns=lambda parameters: parameters.degrees != 180,
)

TRANSPOSE = GeometryOperation(
    name="transpose",
    summary="Swap rows and columns.",
    kind="geometry",
    parameters=TransposeParameters,
    rate=lambda _: 500.0,
    size=_swapped,
    needs=_transpose_needs,
    apply=_transpose,
    turns=lambda _: True,
)

ROTATE_BY = GeometryOperation(
    name="rotate_by",
    summary="Turn the image around its middle by any angle.",
    kind="geometry",
    parameters=RotateByParameters,
    refuse=_refuse_long,
    rate=lambda _: 60.0,
    scratch=24,
    delicate="floating-point interpolation",
    size=_rotate_by_size,
    needs=_rotate_by_needs,
    apply=_rotate_by,
    turns=lambda _: True,
)
