"""Operations that mix the colours of each pixel, in integers, so that every processor gives the same bits."""

import math
from collections.abc import Sequence
from typing import Annotated

import cv2
import numpy as np
from pydantic import Field

from tessera.operations.base import Array, LocalOperation, Parameters, on_colour, rows_at_once, white

type Matrix = Sequence[Sequence[float]]
"""Rows red, green, blue; columns red, green, blue, and in `color_matrix` an offset."""

_SHIFT = 14
"""Coefficients for 16-bit levels are taken as whole multiples of 2**-14, those for 8 bits of 2**-10."""

_NOTHING = 2.0**-20
"""A coefficient that is 0 in whole numbers, and enough for OpenCV not to take a matrix for a diagonal one,
which it would multiply by in floats and round halves to even."""

_IDENTITY: Matrix = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
_SEPIA: Matrix = ((0.393, 0.769, 0.189), (0.349, 0.686, 0.168), (0.272, 0.534, 0.131))
_LUMA: Matrix = ((0.213, 0.715, 0.072),) * 3
_QUARTER_TURN: Matrix = ((-0.213, -0.715, 0.928), (0.143, 0.140, -0.283), (-0.787, 0.715, 0.072))
"""What the sine of the angle adds to a rotation of the hue (W3C Filter Effects)."""

type Coefficient = Annotated[float, Field(ge=-16, le=16)]
type Row = tuple[Coefficient, Coefficient, Coefficient]
type RowWithOffset = tuple[Coefficient, Coefficient, Coefficient, Annotated[float, Field(ge=-1, le=1)]]


class ColorMatrixParameters(Parameters):
    """The matrix."""

    matrix: Annotated[
        tuple[RowWithOffset, RowWithOffset, RowWithOffset],
        Field(
            description="rows that make red, green and blue, each with the parts of red, green and blue"
            " and an offset as a part of the range"
        ),
    ] = ((1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0))


class ChannelMixerParameters(Parameters):
    """What each channel is made of."""

    red: Annotated[Row, Field(description="parts of red, green and blue in the new red")] = (1.0, 0.0, 0.0)
    green: Annotated[Row, Field(description="parts of red, green and blue in the new green")] = (
        0.0,
        1.0,
        0.0,
    )
    blue: Annotated[Row, Field(description="parts of red, green and blue in the new blue")] = (0.0, 0.0, 1.0)


class HueSaturationParameters(Parameters):
    """An angle on the colour wheel, and a factor."""

    hue: Annotated[int, Field(ge=-180, le=180, description="degrees that all hues are turned by")] = 0
    saturation: Annotated[float, Field(ge=0, le=4, description="factor: 0 is gray, 1 leaves it as it is")] = (
        1.0
    )


class VibranceParameters(Parameters):
    """How much."""

    amount: Annotated[
        float, Field(ge=-1, le=2, description="above 0 makes dull colours stronger, below 0 duller")
    ] = 0.5


class SepiaParameters(Parameters):
    """How much."""

    strength: Annotated[float, Field(ge=0, le=1, description="0 leaves the colours, 1 is all sepia")] = 1.0


def _nearest(value: float) -> int:
    """Return the nearest integer; a half, or a billionth less, goes up, whatever the last bit is."""
    return math.floor(value + 0.5 + 1e-9)


def _mix(raster: Array, matrix: Matrix, offsets: Sequence[float] = (0.0, 0.0, 0.0)) -> Array:
    """Return the colours (rows, columns, 3) times *matrix* plus *offsets*, rounded to the nearest level.

    Of 8 bits, by coefficients below 32, OpenCV makes whole numbers itself.
    """
    brightest = white(raster)
    if raster.dtype == np.uint8:
        plain = [[*row[::-1], offset * 255] for row, offset in zip(matrix, offsets, strict=True)]
        single = np.array(plain[::-1], np.float32)
        if abs(single[0, 1]) < _NOTHING:
            single[0, 1] = _NOTHING
        return cv2.transform(raster, single)
    whole = [
        [*(_nearest(coefficient * 2**_SHIFT) for coefficient in reversed(row)), _start(offset * brightest)]
        for row, offset in zip(matrix, offsets, strict=True)
    ]
    weights = np.array(whole[::-1], np.float64)
    mixed = np.empty_like(raster)
    for rows in rows_at_once(raster):
        scaled: Array = cv2.transform(raster[rows].astype(np.float64), weights)
        mixed[rows] = np.clip(np.floor(scaled / (1 << _SHIFT)), 0, brightest)
    return mixed


def _start(offset: float) -> int:
    """Return what a sum begins with, so that cutting its fraction off rounds it."""
    return _nearest(offset * 2**_SHIFT) + (1 << _SHIFT - 1)


def _blend(first: Matrix, second: Matrix, weight: float) -> Matrix:
    return [
        [(1 - weight) * one + weight * other for one, other in zip(*rows, strict=True)]
        for rows in zip(first, second, strict=True)
    ]


def _product(left: Matrix, right: Matrix) -> Matrix:
    columns = list(zip(*right, strict=True))
    return [[math.sumprod(row, column) for column in columns] for row in left]


def _turned(degrees: int) -> Matrix:
    angle = math.radians(degrees)
    level = _blend(_LUMA, _IDENTITY, math.cos(angle))
    return [
        [one + math.sin(angle) * other for one, other in zip(*rows, strict=True)]
        for rows in zip(level, _QUARTER_TURN, strict=True)
    ]


def _color_matrix(raster: Array, parameters: ColorMatrixParameters) -> Array:
    matrix = [row[:3] for row in parameters.matrix]
    offsets = [row[3] for row in parameters.matrix]
    return on_colour(lambda colour: _mix(colour, matrix, offsets), raster)


def _channel_mixer(raster: Array, parameters: ChannelMixerParameters) -> Array:
    matrix = (parameters.red, parameters.green, parameters.blue)
    return on_colour(lambda colour: _mix(colour, matrix), raster)


def _hue_saturation(raster: Array, parameters: HueSaturationParameters) -> Array:
    matrix = _product(_blend(_LUMA, _IDENTITY, parameters.saturation), _turned(parameters.hue))
    return on_colour(lambda colour: _mix(colour, matrix), raster)


def _sepia(raster: Array, parameters: SepiaParameters) -> Array:
    matrix = _blend(_IDENTITY, _SEPIA, parameters.strength)
    return on_colour(lambda colour: _mix(colour, matrix), raster)


def _vibrance(raster: Array, parameters: VibranceParameters) -> Array:
    return on_colour(lambda colour: _vibrant(colour, _nearest(parameters.amount * 1024)), raster)


def _vibrant(colour: Array, amount: int) -> Array:
    """Move each channel away from the luma, by *amount* / 1024 of the distance where there is no colour."""
    brightest = white(colour)
    kind = np.int32 if brightest == 255 else np.int64
    planes: Sequence[Array] = cv2.split(colour)
    spread: Array = cv2.max(cv2.max(*planes[:2]), planes[2]) - cv2.min(cv2.min(*planes[:2]), planes[2])
    strength = (brightest - spread.astype(kind)) * amount
    luma: Array = cv2.cvtColor(colour, cv2.COLOR_BGR2GRAY).astype(kind)
    mixed = np.empty_like(colour)
    for channel, plane in enumerate(planes):
        moved: Array = (plane - luma) * strength
        moved += brightest * 512
        moved //= brightest * 1024
        moved += plane
        np.clip(moved, 0, brightest, out=moved)
        mixed[:, :, channel] = moved
    return mixed


COLOR_MATRIX = LocalOperation(
    name="color_matrix",
    summary="Mix red, green and blue by a matrix with offsets; alpha stays.",
    kind="point",
    parameters=ColorMatrixParameters,
    channels=(3, 4),
    rate=lambda _: 250.0,
    apply=_color_matrix,
)

CHANNEL_MIXER = LocalOperation(
    name="channel_mixer",
    summary="Make each of red, green and blue from parts of all three; alpha stays.",
    kind="point",
    parameters=ChannelMixerParameters,
    channels=(3, 4),
    rate=lambda _: 250.0,
    apply=_channel_mixer,
)

HUE_SATURATION = LocalOperation(
    name="hue_saturation",
    summary="Turn the hues and scale the saturation, keeping the luma; alpha stays.",
    kind="point",
    parameters=HueSaturationParameters,
    channels=(3, 4),
    rate=lambda _: 250.0,
    apply=_hue_saturation,
)

VIBRANCE = LocalOperation(
    name="vibrance",
    summary="Make dull colours stronger and leave strong ones; alpha stays.",
    kind="point",
    parameters=VibranceParameters,
    channels=(3, 4),
    rate=lambda _: 70.0,
    scratch=48,
    apply=_vibrance,
)

SEPIA = LocalOperation(
    name="sepia",
    summary="Tint like an old photograph; alpha stays.",
    kind="point",
    parameters=SepiaParameters,
    channels=(3, 4),
    rate=lambda _: 250.0,
    apply=_sepia,
)
