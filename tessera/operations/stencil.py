"""Operations on a neighbourhood of each pixel."""

from typing import Annotated

import cv2
from pydantic import AfterValidator, Field

from tessera.operations.base import Array, LocalOperation, Parameters, on_colour
from tessera.plan import Pixels


def _odd(value: int) -> int:
    if value % 2 == 0:
        raise ValueError(f"must be odd, for example {value - 1} or {value + 1}")
    return value


class MedianBlurParameters(Parameters):
    """The side of the square whose median is taken."""

    ksize: Annotated[
        int,
        Field(ge=3, le=255, json_schema_extra={"odd": True}, description="side in pixels, odd"),
        AfterValidator(_odd),
    ] = 5


def _median_blur(raster: Array, parameters: MedianBlurParameters) -> Array:
    return on_colour(lambda colour: cv2.medianBlur(colour, parameters.ksize), raster)


def _refuse_wide_16_bit(pixels: Pixels, parameters: MedianBlurParameters) -> str | None:
    if pixels.depth == 8 or parameters.ksize <= 5:
        return None
    return f"ksize {parameters.ksize} needs 8-bit pixels; 16-bit ones are filtered with ksize 3 or 5"


def _median_rate(parameters: MedianBlurParameters) -> float:
    return {3: 1000.0, 5: 200.0}.get(parameters.ksize, 10.0)


MEDIAN_BLUR = LocalOperation(
    name="median_blur",
    summary="Replace each pixel by the median around it: removes specks, keeps edges; alpha stays.",
    kind="stencil",
    parameters=MedianBlurParameters,
    refuse=_refuse_wide_16_bit,
    halo=lambda parameters: parameters.ksize // 2,
    rate=_median_rate,
    apply=_median_blur,
)
