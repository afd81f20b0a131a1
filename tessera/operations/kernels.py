"""Operations that weigh the pixels around each one by a kernel, in whole numbers.

Coefficients become integers of at most 26 bits together, so that every sum of products is exact in a double
and no order of adding, and no processor, gives another bit. Where the sums are exact in single precision too,
OpenCV's own filter takes them and rounds them.
"""

import math
from collections.abc import Sequence
from typing import Annotated, Literal, override

import cv2
import numpy as np
from pydantic import Field

from tessera.operations.base import Array, LocalOperation, Parameters, Refusal, on_colour, white
from tessera.operations.smoothing import gaussian_radius, gaussian_rate

type Kernel = Sequence[Sequence[float]]

MAX_SIDE = 31
_BITS = 26
_SINGLE = 1 << 24
"""Whole numbers up to here are exact in single precision."""
_FOURIER = 50
"""Coefficients of a kernel for which OpenCV may take a Fourier transform, which is not exact."""
_MOST_SHORT = 32767
_SHORTS = np.arange(1 << 16, dtype=np.uint16).view(np.int16).astype(np.float64)
"""The sums of 16 bits, in the order of their bits."""
_RING = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))
"""The eight neighbours clockwise, as row and column, from the upper left."""
_DIRECTIONS = ("northwest", "north", "northeast", "east", "southeast", "south", "southwest", "west")
_RELIEF = (2, 1, 0, -1, -2, -1, 0, 1)


class SharpenParameters(Parameters):
    """How much."""

    amount: Annotated[
        float, Field(ge=0, le=10, description="part of the difference to the four neighbours that is added")
    ] = 1.0


class UnsharpMaskParameters(Parameters):
    """The blur that details are measured against, and how they are strengthened."""

    sigma: Annotated[float, Field(ge=0.1, le=50, description="standard deviation of the blur in pixels")] = (
        2.0
    )
    amount: Annotated[float, Field(ge=0, le=10, description="part of the detail that is added")] = 1.0
    threshold: Annotated[
        float, Field(ge=0, le=1, description="smaller details stay as they are; a part of the range")
    ] = 0.0


class EmbossParameters(Parameters):
    """The light."""

    direction: Annotated[
        Literal["northwest", "north", "northeast", "east", "southeast", "south", "southwest", "west"],
        Field(description="where the light comes from"),
    ] = "northwest"
    strength: Annotated[float, Field(ge=0, le=10, description="height of the relief; 0 is none")] = 1.0


type Coefficient = Annotated[float, Field(ge=-1000, le=1000)]
type Row = Annotated[tuple[Coefficient, ...], Field(min_length=1, max_length=MAX_SIDE)]


class KernelParameters(Parameters):
    """The kernel and what is done to its sum."""

    values: Annotated[
        tuple[Row, ...],
        Field(
            min_length=1,
            max_length=MAX_SIDE,
            description="rows of coefficients for the pixels around the middle one (correlation);"
            " as many in each row, both sides odd",
        ),
    ] = ((1.0, 2.0, 1.0), (2.0, 4.0, 2.0), (1.0, 2.0, 1.0))
    normalize: Annotated[
        bool, Field(description="divide by the sum of the coefficients, so that brightness stays")
    ] = True
    offset: Annotated[float, Field(ge=-1, le=1, description="added at the end, as a part of the range")] = 0.0

    @override
    def conflict(self) -> Refusal | None:
        reason = self._unusable()
        return Refusal(reason, "values") if reason else None

    def _unusable(self) -> str | None:
        rows, columns = len(self.values), len(self.values[0])
        if any(len(row) != columns for row in self.values):
            return "rows of values must have as many coefficients each"
        if rows % 2 == 0 or columns % 2 == 0:
            return f"values must have odd sides, not {rows} x {columns}"
        whole, _ = _integers(self.values)
        if not whole.any():
            return "values must not all be 0"
        if self.normalize and not whole.sum():
            return "values with a sum of 0 can't be normalized; set normalize to false"
        return None


def _integers(kernel: Kernel) -> tuple[Array, float]:
    """Return whole numbers in proportion to *kernel*, and how much larger they are (a power of two)."""
    total = math.fsum(abs(value) for row in kernel for value in row)
    factor = math.ldexp(1.0, _BITS - math.frexp(total)[1])
    return np.array([[math.floor(value * factor + 0.5) for value in row] for row in kernel], float), factor


def _correlate(raster: Array, kernel: Kernel, *, normalize: bool = False, offset: float = 0.0) -> Array:
    whole, factor = _integers(kernel)
    divisor = float(whole.sum()) if normalize else factor
    brightest = white(raster)

    def level(sums: Array) -> Array:
        sums /= divisor
        sums += offset * brightest + 0.5
        np.floor(sums, out=sums)
        return np.clip(sums, 0, brightest, out=sums)

    common = int(np.gcd.reduce(whole.astype(np.int64), axis=None))
    step, coefficients = 1 / (common / divisor).as_integer_ratio()[1], whole / divisor
    if _single_precision_holds(coefficients, step, offset * brightest, brightest):
        halves_up = step / 4
        filtered = cv2.filter2D(raster, -1, coefficients, delta=offset * brightest + halves_up)
        return filtered.reshape(raster.shape)
    if np.abs(whole).sum() / common * brightest <= _MOST_SHORT:
        return _by_table(raster, whole / common, level(_SHORTS * float(common)))
    filtered = np.empty_like(raster)
    for channel in range(raster.shape[2]):
        sums: Array = cv2.filter2D(np.ascontiguousarray(raster[:, :, channel]), cv2.CV_64F, whole)
        np.rint(sums, out=sums)  # a large kernel goes through a Fourier transform: near the whole number
        filtered[:, :, channel] = level(sums)
    return filtered


def _single_precision_holds(coefficients: Array, step: float, offset: float, brightest: int) -> bool:
    """Tell whether sums, all multiples of *step*, and a quarter of it are exact in single precision."""
    if not (offset / step).is_integer() or coefficients.size >= _FOURIER:
        return False
    largest = float(np.abs(coefficients).sum()) * brightest + abs(offset) + step
    return largest / (step / 4) <= _SINGLE


def _by_table(raster: Array, kernel: Array, levels: Array) -> Array:
    """Take sums that are whole numbers of 16 bits, and look up which level each one is."""
    sums = cv2.filter2D(raster, cv2.CV_16S, kernel).view(np.uint16)
    filtered = np.empty_like(raster)
    np.take(levels.astype(np.uint8), sums.reshape(raster.shape), out=filtered, mode="clip")
    return filtered


def _sharpen(raster: Array, parameters: SharpenParameters) -> Array:
    part = parameters.amount
    kernel = ((0, -part, 0), (-part, 1 + 4 * part, -part), (0, -part, 0))
    return on_colour(lambda colour: _correlate(colour, kernel), raster)


def _emboss(raster: Array, parameters: EmbossParameters) -> Array:
    kernel = [[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    first = _DIRECTIONS.index(parameters.direction)
    for index, height in enumerate(_RELIEF):
        row, column = _RING[(first + index) % len(_RING)]
        kernel[1 + row][1 + column] = -parameters.strength * height
    return on_colour(lambda colour: _correlate(colour, kernel), raster)


def _kernel(raster: Array, parameters: KernelParameters) -> Array:
    return on_colour(
        lambda colour: _correlate(
            colour, parameters.values, normalize=parameters.normalize, offset=parameters.offset
        ),
        raster,
    )


def _unsharp_mask(raster: Array, parameters: UnsharpMaskParameters) -> Array:
    return on_colour(lambda colour: _unsharp(colour, parameters), raster)


def _unsharp(colour: Array, parameters: UnsharpMaskParameters) -> Array:
    """Add *amount*, in whole parts of 256, of each level's distance to the blurred one; halves go up."""
    blurred = cv2.GaussianBlur(colour, (0, 0), parameters.sigma).reshape(colour.shape)
    part = math.floor(parameters.amount * 256 + 0.5)
    if colour.dtype == np.uint8:  # every number is exact in single precision
        sharp = cv2.addWeighted(colour, 1 + part / 256, blurred, -part / 256, 1 / 1024).reshape(colour.shape)
        if parameters.threshold:
            plain = cv2.absdiff(colour, blurred).reshape(colour.shape) < parameters.threshold * 255
            np.copyto(sharp, colour, where=plain)
        return sharp
    detail: Array = cv2.subtract(colour, blurred, dtype=cv2.CV_32S).reshape(colour.shape)
    if parameters.threshold:
        detail[np.abs(detail) < parameters.threshold * white(colour)] = 0
    detail *= part
    detail += 128
    detail >>= 8
    detail += colour
    return np.clip(detail, 0, white(colour), out=detail).astype(colour.dtype)


SHARPEN = LocalOperation(
    name="sharpen",
    summary="Strengthen the difference of each pixel to its four neighbours; alpha stays.",
    kind="stencil",
    parameters=SharpenParameters,
    halo=lambda _: 1,
    rate=lambda _: 80.0,
    scratch=32,
    apply=_sharpen,
)

UNSHARP_MASK = LocalOperation(
    name="unsharp_mask",
    summary="Strengthen details that a Gaussian blur takes away; alpha stays.",
    kind="stencil",
    parameters=UnsharpMaskParameters,
    halo=lambda parameters: gaussian_radius(parameters.sigma),
    rate=lambda parameters: 1 / (0.005 + 1 / gaussian_rate(parameters.sigma)),
    scratch=40,
    apply=_unsharp_mask,
)

EMBOSS = LocalOperation(
    name="emboss",
    summary="Make the image look like a relief under light from one side; alpha stays.",
    kind="stencil",
    parameters=EmbossParameters,
    halo=lambda _: 1,
    rate=lambda _: 80.0,
    scratch=32,
    apply=_emboss,
)

KERNEL = LocalOperation(
    name="kernel",
    summary="Weigh the pixels around each one by a kernel of your own; alpha stays.",
    kind="stencil",
    parameters=KernelParameters,
    halo=lambda parameters: max(len(parameters.values), len(parameters.values[0])) // 2,
    rate=lambda parameters: max(15.0, 200.0 / len(parameters.values)),
    scratch=64,
    apply=_kernel,
)
