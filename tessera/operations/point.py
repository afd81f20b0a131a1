"""Operations on each pixel alone."""

from typing import Annotated, Literal

import cv2
from pydantic import Field

from tessera.operations.base import Array, LocalOperation, Parameters, on_colour, with_channels, without_alpha
from tessera.plan import Pixels


class InvertParameters(Parameters):
    """None."""


class ThresholdParameters(Parameters):
    """A gray level and what to do on either side of it."""

    value: Annotated[int, Field(ge=0, le=65535, description="gray level; brighter pixels are above it")] = 128
    type: Annotated[
        Literal["binary", "binary_inverse", "truncate", "to_zero", "to_zero_inverse"],
        Field(description="binary: white above and black below; the others as in OpenCV"),
    ] = "binary"


THRESHOLD_TYPES = {
    "binary": cv2.THRESH_BINARY,
    "binary_inverse": cv2.THRESH_BINARY_INV,
    "truncate": cv2.THRESH_TRUNC,
    "to_zero": cv2.THRESH_TOZERO,
    "to_zero_inverse": cv2.THRESH_TOZERO_INV,
}


def _invert(raster: Array, _: InvertParameters) -> Array:
    return on_colour(cv2.bitwise_not, raster)


def _threshold(raster: Array, parameters: ThresholdParameters) -> Array:
    colour = without_alpha(raster)
    gray = cv2.cvtColor(colour, cv2.COLOR_BGR2GRAY) if colour.shape[2] == 3 else colour
    white = 255 if gray.dtype.itemsize == 1 else 65535
    _, mask = cv2.threshold(gray, parameters.value, white, THRESHOLD_TYPES[parameters.type])
    return with_channels(mask)


def _value_fits(pixels: Pixels, parameters: ThresholdParameters) -> str | None:
    if parameters.value < 2**pixels.depth:
        return None
    return f"value {parameters.value} is above the brightest level of {pixels.depth}-bit pixels"


INVERT = LocalOperation(
    name="invert",
    summary="Turn each colour into its opposite; alpha stays.",
    kind="point",
    parameters=InvertParameters,
    rate=lambda _: 2000.0,
    apply=_invert,
)

THRESHOLD = LocalOperation(
    name="threshold",
    summary="Compare the gray level of each pixel with a value: black and white for type binary.",
    kind="point",
    parameters=ThresholdParameters,
    refuse=_value_fits,
    produces=lambda pixels, _: Pixels(channels=1, depth=pixels.depth),
    rate=lambda _: 2000.0,
    scratch=2,
    apply=_threshold,
)
