"""Operations that make a mask: one channel, without alpha."""

from typing import Annotated, Literal, override

import cv2
import numpy as np
from pydantic import Field

from tessera.operations.base import (
    ODD,
    Array,
    LocalOperation,
    Parameters,
    Refusal,
    gray,
    gray_pixels,
    white,
    with_channels,
    without_alpha,
)
from tessera.plan import Pixels, Shape


class ThresholdParameters(Parameters):
    """A gray level and what to do on either side of it."""

    value: Annotated[int, Field(ge=0, le=65535, description="gray level; brighter pixels are above it")] = 128
    type: Annotated[
        Literal["binary", "binary_inverse", "truncate", "to_zero", "to_zero_inverse"],
        Field(description="binary: white above and black below; the others as in OpenCV"),
    ] = "binary"


type Bound = Annotated[int, Field(ge=0, le=65535)]


class InRangeParameters(Parameters):
    """The colours that become white."""

    space: Annotated[
        Literal["rgb", "hsv", "lab", "ycrcb"],
        Field(
            description="colour space of the bounds, in the order of its name; hue is 0 to 255;"
            " hsv and lab need 8-bit pixels"
        ),
    ] = "rgb"
    lower: Annotated[
        tuple[Bound, ...],
        Field(min_length=1, max_length=3, description="lowest level, one for all channels or one for each"),
    ] = (128,)
    upper: Annotated[
        tuple[Bound, ...],
        Field(min_length=1, max_length=3, description="highest level, one for all channels or one for each"),
    ] = (255,)

    @override
    def conflict(self) -> Refusal | None:
        for name, bound in (("lower", self.lower), ("upper", self.upper)):
            if len(bound) == 2:
                return Refusal("lower and upper have 1 or 3 numbers each", name)
        for index, (low, high) in enumerate(zip(*self.bounds, strict=True)):
            wraps = self.space == "hsv" and index == 0
            if low > high and not wraps:
                return Refusal(f"lower ({low}) must not be above upper ({high})", "upper")
        return None

    @property
    def bounds(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return both bounds with as many numbers."""
        count = max(len(self.lower), len(self.upper))
        return self.lower * (count // len(self.lower)), self.upper * (count // len(self.upper))


class AdaptiveThresholdParameters(Parameters):
    """The neighbourhood that each pixel is compared with."""

    method: Annotated[Literal["mean", "gaussian"], Field(description="how the neighbourhood is averaged")] = (
        "gaussian"
    )
    ksize: Annotated[
        int, Field(ge=3, le=255, description="side of the neighbourhood in pixels, odd"), ODD
    ] = 11
    offset: Annotated[
        float, Field(ge=-255, le=255, description="white is what is above the average less this")
    ] = 2.0
    type: Annotated[
        Literal["binary", "binary_inverse"], Field(description="white above the average, or below")
    ] = "binary"


THRESHOLD_TYPES = {
    "binary": cv2.THRESH_BINARY,
    "binary_inverse": cv2.THRESH_BINARY_INV,
    "truncate": cv2.THRESH_TRUNC,
    "to_zero": cv2.THRESH_TOZERO,
    "to_zero_inverse": cv2.THRESH_TOZERO_INV,
}
_SPACES = {
    "hsv": cv2.COLOR_BGR2HSV_FULL,
    "lab": cv2.COLOR_BGR2LAB,
    "ycrcb": cv2.COLOR_BGR2YCrCb,
}
_AVERAGES = {"mean": cv2.ADAPTIVE_THRESH_MEAN_C, "gaussian": cv2.ADAPTIVE_THRESH_GAUSSIAN_C}


def _threshold(raster: Array, parameters: ThresholdParameters) -> Array:
    _, mask = cv2.threshold(gray(raster), parameters.value, white(raster), THRESHOLD_TYPES[parameters.type])
    return with_channels(mask)


def _in_range(raster: Array, parameters: InRangeParameters) -> Array:
    colour = without_alpha(raster)
    count = colour.shape[2]
    lows, highs = ((bound * count)[:count] for bound in parameters.bounds)
    if parameters.space == "rgb":
        return with_channels(cv2.inRange(colour, lows[::-1], highs[::-1]))
    colour = cv2.cvtColor(colour, _SPACES[parameters.space])
    mask = np.full((*colour.shape[:2], 1), 255, np.uint8)
    for channel, low, high in zip(cv2.split(colour), lows, highs, strict=True):
        if low <= high:
            inside = cv2.inRange(channel, low, high)
        else:
            inside = cv2.bitwise_or(cv2.inRange(channel, low, 255), cv2.inRange(channel, 0, high))
        mask &= with_channels(inside)
    return mask


def _adaptive_threshold(raster: Array, parameters: AdaptiveThresholdParameters) -> Array:
    mask = cv2.adaptiveThreshold(
        gray(raster),
        255,
        _AVERAGES[parameters.method],
        THRESHOLD_TYPES[parameters.type],
        parameters.ksize,
        parameters.offset,
    )
    return with_channels(mask)


def _value_fits(shape: Shape, parameters: ThresholdParameters) -> Refusal | None:
    depth = shape.pixels.depth
    if parameters.value < 2**depth:
        return None
    return Refusal(f"value {parameters.value} is above the brightest level of {depth}-bit pixels", "value")


def _bounds_fit(shape: Shape, parameters: InRangeParameters) -> Refusal | None:
    pixels, highest = shape.pixels, max(*parameters.lower, *parameters.upper)
    if highest >= 2**pixels.depth:
        name = "upper" if highest in parameters.upper else "lower"
        return Refusal(f"{highest} is above the brightest level of {pixels.depth}-bit pixels", name)
    if pixels.depth == 16 and parameters.space in ("hsv", "lab"):
        return Refusal(f"space {parameters.space} needs 8-bit colour pixels", "space")
    if pixels.channels < 3 and (meant := _meant_for_colours(parameters)):
        return Refusal("gray pixels are compared with one number in lower and upper, in space rgb", meant)
    return None


def _meant_for_colours(parameters: InRangeParameters) -> str | None:
    if parameters.space != "rgb":
        return "space"
    return next((name for name in ("lower", "upper") if len(getattr(parameters, name)) == 3), None)


THRESHOLD = LocalOperation(
    name="threshold",
    summary="Compare the gray level of each pixel with a value: black and white for type binary.",
    kind="point",
    parameters=ThresholdParameters,
    refuse=_value_fits,
    produces=gray_pixels,
    rate=lambda _: 2000.0,
    scratch=2,
    split=("grayscale", "threshold"),
    apply=_threshold,
)

IN_RANGE = LocalOperation(
    name="in_range",
    summary="Make an 8-bit mask: white where every channel is between two levels, black elsewhere.",
    kind="point",
    parameters=InRangeParameters,
    refuse=_bounds_fit,
    produces=lambda _pixels, _parameters: Pixels(channels=1),
    rate=lambda _: 300.0,
    scratch=14,
    apply=_in_range,
)

ADAPTIVE_THRESHOLD = LocalOperation(
    name="adaptive_threshold",
    summary="Compare the gray level of each pixel with the average around it: black and white.",
    kind="stencil",
    parameters=AdaptiveThresholdParameters,
    depths=(8,),
    produces=gray_pixels,
    halo=lambda parameters: parameters.ksize // 2,
    rate=lambda parameters: 300.0 if parameters.method == "mean" else 4000.0 / parameters.ksize,
    scratch=14,
    split=("grayscale", "adaptive_threshold"),
    apply=_adaptive_threshold,
)
