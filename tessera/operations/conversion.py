"""Operations that change the channels or the depth."""

from collections.abc import Callable
from typing import Annotated, Literal

import cv2
import numpy as np
from pydantic import Field

from tessera.operations.base import (
    Array,
    LocalOperation,
    Parameters,
    Refusal,
    gray,
    gray_pixels,
    on_colour,
    with_channels,
    without_alpha,
)
from tessera.plan import Pixels, Shape

type Map = Literal[
    "autumn", "bone", "jet", "winter", "rainbow", "ocean", "summer", "spring", "cool", "hsv", "pink", "hot",
    "parula", "magma", "inferno", "plasma", "viridis", "cividis", "twilight", "turbo", "deepgreen",
]  # fmt: skip

type Name = Literal[
    "red", "green", "blue", "alpha", "hue", "saturation", "value", "lightness", "a", "b", "luma", "cr", "cb"
]

_FROM_SPACE = {
    "hue": (cv2.COLOR_BGR2HSV_FULL, 0),
    "saturation": (cv2.COLOR_BGR2HSV_FULL, 1),
    "value": (cv2.COLOR_BGR2HSV_FULL, 2),
    "lightness": (cv2.COLOR_BGR2LAB, 0),
    "a": (cv2.COLOR_BGR2LAB, 1),
    "b": (cv2.COLOR_BGR2LAB, 2),
    "luma": (cv2.COLOR_BGR2YCrCb, 0),
    "cr": (cv2.COLOR_BGR2YCrCb, 1),
    "cb": (cv2.COLOR_BGR2YCrCb, 2),
}
_STORED = {"blue": 0, "green": 1, "red": 2, "alpha": -1}
_NEEDS_8_BITS = ("hue", "saturation", "value", "lightness", "a", "b")


class GrayscaleParameters(Parameters):
    """How gray is made."""

    method: Annotated[
        Literal["luma", "average", "maximum", "minimum"],
        Field(description="luma weighs the colours as the eye does (Rec. 601); the others are of the three"),
    ] = "luma"


class ChannelParameters(Parameters):
    """Which channel."""

    name: Annotated[
        Name,
        Field(
            description="one that is stored; hue (0 to 255), saturation or value of HSV; lightness, a or b"
            " of Lab; luma, cr or cb of YCrCb; those of HSV and Lab need 8-bit pixels"
        ),
    ] = "luma"


class ColormapParameters(Parameters):
    """Which colours."""

    map: Annotated[Map, Field(description="name of the colour map, as in OpenCV")] = "viridis"


class ToRgbParameters(Parameters):
    """None."""


class To8BitParameters(Parameters):
    """None."""


def _grayscale(raster: Array, parameters: GrayscaleParameters) -> Array:
    if raster.shape[2] < 3:
        return raster
    return on_colour(lambda colour: _gray_by(parameters.method, colour), raster)


def _gray_by(method: str, colour: Array) -> Array:
    if method == "luma":
        return gray(colour)
    blue, green, red = cv2.split(colour)
    if method == "maximum":
        return cv2.max(cv2.max(blue, green), red)
    if method == "minimum":
        return cv2.min(cv2.min(blue, green), red)
    total = cv2.add(cv2.add(blue, green, dtype=cv2.CV_32S), red, dtype=cv2.CV_32S)
    return np.asarray((total + 1) // 3, colour.dtype)


def _channel(raster: Array, parameters: ChannelParameters) -> Array:
    if parameters.name in _STORED:
        return raster[:, :, _STORED[parameters.name], np.newaxis]
    code, index = _FROM_SPACE[parameters.name]
    return with_channels(cv2.extractChannel(cv2.cvtColor(without_alpha(raster), code), index))


def _refuse_channel(shape: Shape, parameters: ChannelParameters) -> Refusal | None:
    name, pixels = parameters.name, shape.pixels
    if name == "alpha":
        return None if pixels.has_alpha else Refusal("there is no alpha channel", "name")
    if pixels.depth == 16 and name in _NEEDS_8_BITS:
        return Refusal(f"channel {name} needs 8-bit colour pixels", "name")
    if pixels.channels < 3:
        return Refusal(f"gray pixels have no channel {name}", "name")
    return None


def _colormap(raster: Array, parameters: ColormapParameters) -> Array:
    code = getattr(cv2, f"COLORMAP_{parameters.map.upper()}")
    return on_colour(lambda colour: cv2.applyColorMap(gray(colour), code), raster)


def _to_rgb(raster: Array, _: ToRgbParameters) -> Array:
    if raster.shape[2] >= 3:
        return raster
    return on_colour(lambda colour: cv2.cvtColor(colour, cv2.COLOR_GRAY2BGR), raster)


def _to_8_bit(raster: Array, _: To8BitParameters) -> Array:
    if raster.dtype.itemsize == 1:
        return raster
    # No level lies near enough to a half for the rounding of the processor to count.
    return with_channels(cv2.convertScaleAbs(raster, alpha=1 / 257))


def _gray_keeping_alpha(pixels: Pixels, _: Parameters) -> Pixels:
    return Pixels(channels=2 if pixels.has_alpha else 1, depth=pixels.depth)


def _colour_keeping_alpha(pixels: Pixels, _: Parameters) -> Pixels:
    return Pixels(channels=4 if pixels.has_alpha else 3, depth=pixels.depth)


GRAYSCALE = LocalOperation(
    name="grayscale",
    summary="Turn colours into gray; alpha stays.",
    kind="point",
    parameters=GrayscaleParameters,
    produces=_gray_keeping_alpha,
    rate=lambda parameters: 1500.0 if parameters.method == "luma" else 200.0,
    scratch=16,
    apply=_grayscale,
)

CHANNEL = LocalOperation(
    name="channel",
    summary="Take one channel of a colour space, or alpha, as a gray image.",
    kind="point",
    parameters=ChannelParameters,
    refuse=_refuse_channel,
    produces=gray_pixels,
    rate=lambda _: 300.0,
    scratch=12,
    apply=_channel,
)

COLORMAP = LocalOperation(
    name="colormap",
    summary="Paint gray levels with the colours of a map; alpha stays.",
    kind="point",
    parameters=ColormapParameters,
    depths=(8,),
    produces=_colour_keeping_alpha,
    rate=lambda _: 300.0,
    scratch=8,
    split=("grayscale", "colormap"),
    apply=_colormap,
)


def _converting(code: int) -> Callable[[Array, Parameters], Array]:
    """Return what brings the colours into another space; alpha stays."""
    return lambda raster, _: on_colour(lambda colour: cv2.cvtColor(colour, code), raster)


YCRCB = LocalOperation(
    name="ycrcb",
    summary="Turn blue, green, red into Y, Cr, Cb; alpha stays.",
    kind="point",
    parameters=ToRgbParameters,
    channels=(3, 4),
    depths=(8,),
    rate=lambda _: 1000.0,
    scratch=8,
    apply=_converting(cv2.COLOR_BGR2YCrCb),
)

LAB = LocalOperation(
    name="lab",
    summary="Turn blue, green, red into L, a, b; alpha stays.",
    kind="point",
    parameters=ToRgbParameters,
    channels=(3, 4),
    depths=(8,),
    rate=lambda _: 330.0,
    scratch=8,
    apply=_converting(cv2.COLOR_BGR2Lab),
)

TO_RGB = LocalOperation(
    name="to_rgb",
    summary="Turn gray into three equal colour channels, for operations on colours; alpha stays.",
    kind="point",
    parameters=ToRgbParameters,
    produces=_colour_keeping_alpha,
    rate=lambda _: 1500.0,
    scratch=8,
    apply=_to_rgb,
)

TO_8_BIT = LocalOperation(
    name="to_8_bit",
    summary="Turn 16-bit levels into the nearest of 8 bits, for operations on 8-bit pixels.",
    kind="point",
    parameters=To8BitParameters,
    produces=lambda pixels, _: Pixels(channels=pixels.channels),
    rate=lambda _: 500.0,
    scratch=4,
    apply=_to_8_bit,
)
