"""Operations that smooth: each pixel becomes an average or a median of those around it."""

import math
from typing import Annotated

import cv2
import numpy as np
from pydantic import Field

from tessera.ipp import without_ipp
from tessera.median import median
from tessera.operations.base import ODD, Array, LocalOperation, Parameters, Refusal, on_colour
from tessera.plan import Shape


class MedianBlurParameters(Parameters):
    """The side of the square whose median is taken."""

    ksize: Annotated[
        int, Field(ge=3, le=255, description="side in pixels, odd; above 5 needs 8-bit pixels"), ODD
    ] = 5


class BoxBlurParameters(Parameters):
    """The side of the square whose mean is taken."""

    ksize: Annotated[int, Field(ge=3, le=101, description="side in pixels, odd"), ODD] = 5


class GaussianBlurParameters(Parameters):
    """The width of the bell."""

    sigma: Annotated[float, Field(ge=0.1, le=50, description="standard deviation in pixels")] = 2.0


class BilateralParameters(Parameters):
    """Which pixels are averaged."""

    diameter: Annotated[int, Field(ge=3, le=31, description="of the neighbourhood in pixels, odd"), ODD] = 9
    sigma_color: Annotated[
        float, Field(ge=1, le=765, description="colours further apart than this are hardly mixed")
    ] = 50.0
    sigma_space: Annotated[
        float, Field(ge=0.1, le=50, description="pixels further away than this count for little")
    ] = 3.0


class DenoiseParameters(Parameters):
    """How strong, and which patches are compared."""

    strength: Annotated[
        float, Field(ge=0.5, le=50, description="higher removes more noise, and more detail")
    ] = 5.0
    strength_color: Annotated[
        float, Field(ge=0.5, le=50, description="the same for colour noise; gray pixels have none")
    ] = 5.0
    template: Annotated[int, Field(ge=3, le=11, description="side of a patch in pixels, odd"), ODD] = 7
    search: Annotated[int, Field(ge=3, le=35, description="side of the window searched, odd"), ODD] = 21


def _median_blur(raster: Array, parameters: MedianBlurParameters) -> Array:
    return on_colour(lambda colour: median(colour, parameters.ksize), raster)


def _refuse_wide_16_bit(shape: Shape, parameters: MedianBlurParameters) -> Refusal | None:
    if shape.pixels.depth == 8 or parameters.ksize <= 5:
        return None
    return Refusal(
        f"ksize {parameters.ksize} needs 8-bit pixels; 16-bit ones are filtered with ksize 3 or 5", "ksize"
    )


def _median_rate(parameters: MedianBlurParameters) -> float:
    return {3: 1000.0, 5: 200.0, 7: 80.0, 9: 50.0, 11: 30.0, 13: 20.0, 15: 15.0}.get(parameters.ksize, 10.0)


def _box_blur(raster: Array, parameters: BoxBlurParameters) -> Array:
    mean = _mean_of_8_bits if raster.dtype.itemsize == 1 else _mean_of_16_bits
    return on_colour(lambda colour: mean(colour, parameters.ksize), raster)


def _mean_of_8_bits(colour: Array, side: int) -> Array:
    return cv2.blur(colour, (side, side))


def _mean_of_16_bits(colour: Array, side: int) -> Array:
    """Return the exact mean, a half rounded up: OpenCV's own depends on the processor's vector width."""
    total = cv2.boxFilter(colour, cv2.CV_32S, (side, side), normalize=False)
    return np.asarray((total + side * side // 2) // (side * side), np.uint16)


def gaussian_radius(sigma: float) -> int:
    """Return the pixels on each side that OpenCV's Gaussian of *sigma* takes at most, at any depth."""
    return math.ceil(4 * sigma)


def gaussian_rate(sigma: float) -> float:
    """Return megapixels per second, fitted to measurements."""
    return 1 / (0.001 + 0.0025 * sigma + 0.00012 * sigma**2)


def _gaussian_blur(raster: Array, parameters: GaussianBlurParameters) -> Array:
    return on_colour(lambda colour: cv2.GaussianBlur(colour, (0, 0), parameters.sigma), raster)


def _bilateral(raster: Array, parameters: BilateralParameters) -> Array:
    return on_colour(lambda colour: _bilateral_colour(colour, parameters), raster)


def _bilateral_colour(colour: Array, parameters: BilateralParameters) -> Array:
    """Run OpenCV's own code: what Intel's library in its place gives depends on the processor."""
    with without_ipp():
        return cv2.bilateralFilter(
            colour, parameters.diameter, parameters.sigma_color, parameters.sigma_space
        )


def _denoise(raster: Array, parameters: DenoiseParameters) -> Array:
    windows = parameters.template, parameters.search

    def denoise(colour: Array) -> Array:
        if colour.shape[2] == 1:
            return cv2.fastNlMeansDenoising(colour, None, parameters.strength, *windows)
        return cv2.fastNlMeansDenoisingColored(
            colour, None, parameters.strength, parameters.strength_color, *windows
        )

    return on_colour(denoise, raster)


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

BOX_BLUR = LocalOperation(
    name="box_blur",
    summary="Replace each pixel by the mean of a square around it; alpha stays.",
    kind="stencil",
    parameters=BoxBlurParameters,
    halo=lambda parameters: parameters.ksize // 2,
    rate=lambda _: 300.0,
    scratch=32,
    apply=_box_blur,
)

GAUSSIAN_BLUR = LocalOperation(
    name="gaussian_blur",
    summary="Soften with a Gaussian bell; alpha stays.",
    kind="stencil",
    parameters=GaussianBlurParameters,
    halo=lambda parameters: gaussian_radius(parameters.sigma),
    rate=lambda parameters: gaussian_rate(parameters.sigma),
    scratch=16,
    apply=_gaussian_blur,
)

BILATERAL = LocalOperation(
    name="bilateral",
    summary="Smooth surfaces and keep edges: nearby pixels of like colour are averaged; alpha stays.",
    kind="stencil",
    parameters=BilateralParameters,
    depths=(8,),
    halo=lambda parameters: parameters.diameter // 2,
    rate=lambda parameters: 2000.0 / parameters.diameter**2,
    scratch=16,
    delicate="floating-point sums that differ without AVX2",
    apply=_bilateral,
)

DENOISE = LocalOperation(
    name="denoise",
    summary="Average pixels whose surroundings look alike (non-local means); slow; alpha stays.",
    kind="stencil",
    parameters=DenoiseParameters,
    depths=(8,),
    halo=lambda parameters: parameters.template // 2 + parameters.search // 2,
    rate=lambda parameters: 250.0 / parameters.search**2,
    scratch=40,
    apply=_denoise,
)
