"""Gradients: how much the gray level changes around each pixel. One channel, without alpha."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Literal

import cv2
import numpy as np
from pydantic import Field

from tessera.operations.base import (
    Array,
    LocalOperation,
    Parameters,
    gray,
    gray_pixels,
    rows_at_once,
    white,
    with_channels,
)

type Direction = Literal["magnitude", "x", "y"]

_LEAST_ROWS = 32
"""Of a part; there are up to three around it on each side."""


class ScharrParameters(Parameters):
    """Which gradient, and how bright it becomes."""

    direction: Annotated[
        Direction, Field(description="size of the gradient, or only along a row (x) or a column (y)")
    ] = "magnitude"
    scale: Annotated[float, Field(gt=0, le=100, description="factor on the result")] = 1.0


class SobelParameters(ScharrParameters):
    """Which gradient, and how bright it becomes."""

    ksize: Annotated[Literal[3, 5, 7], Field(description="side of the kernel in pixels")] = 3


class LaplacianParameters(Parameters):
    """The kernel, and how bright the result becomes."""

    ksize: Annotated[Literal[1, 3, 5], Field(description="side of the kernel in pixels; 1 is 3 x 3")] = 3
    scale: Annotated[float, Field(gt=0, le=100, description="factor on the result")] = 1.0


def _precision(levels: Array, scale: float) -> int:
    """Return the kind of number that holds responses so that they round as exact ones do.

    Single precision does for 8 bits as they are: a root is never nearer to a half than 1/2044, and squares
    that don't fit are those of responses beyond white.
    """
    return cv2.CV_32F if levels.dtype == np.uint8 and scale == 1 else cv2.CV_64F


def _scaled(response: Array, scale: float, levels: Array) -> Array:
    """Return the size of whole-number responses, times *scale*, as levels like those of *levels*."""
    if response.dtype != np.float64:
        return with_channels(cv2.convertScaleAbs(response))
    np.abs(response, out=response)
    response *= scale
    np.rint(response, out=response)
    return with_channels(np.clip(response, 0, white(levels), out=response).astype(levels.dtype))


def _gradient(derivative: Callable[[int, int], Array], direction: Direction) -> Array:
    if direction == "x":
        return derivative(1, 0)
    if direction == "y":
        return derivative(0, 1)
    across, down = derivative(1, 0), derivative(0, 1)
    if across.dtype == np.float32:
        return cv2.magnitude(across, down)
    across *= across
    down *= down
    across += down
    return np.asarray(np.sqrt(across, out=across))


def _in_parts(levels: Array, halo: int, measure: Callable[[Array], Array]) -> Array:
    """Measure some rows at a time, with *halo* rows around them: responses are larger than levels by far."""
    made = np.empty_like(levels)
    for rows in rows_at_once(levels, least=_LEAST_ROWS):
        top = max(0, rows.start - halo)
        made[rows] = measure(levels[top : rows.stop + halo])[rows.start - top :][: rows.stop - rows.start]
    return made


def _measured(raster: Array, parameters: ScharrParameters, derive: Callable[..., Array], halo: int) -> Array:
    def measure(levels: Array) -> Array:
        derivative = partial(derive, levels, _precision(levels, parameters.scale))
        return _scaled(_gradient(derivative, parameters.direction), parameters.scale, levels)

    return _in_parts(gray(raster), halo, measure)


def _sobel(raster: Array, parameters: SobelParameters) -> Array:
    return _measured(raster, parameters, partial(cv2.Sobel, ksize=parameters.ksize), parameters.ksize // 2)


def _scharr(raster: Array, parameters: ScharrParameters) -> Array:
    return _measured(raster, parameters, cv2.Scharr, 1)


def _laplacian(raster: Array, parameters: LaplacianParameters) -> Array:
    levels = gray(raster)
    small = _precision(levels, parameters.scale) == cv2.CV_32F
    depth = cv2.CV_16S if small else cv2.CV_64F

    def measure(levels: Array) -> Array:
        return _scaled(cv2.Laplacian(levels, depth, ksize=parameters.ksize), parameters.scale, levels)

    return measure(levels) if small else _in_parts(levels, max(1, parameters.ksize // 2), measure)


SOBEL = LocalOperation(
    name="sobel",
    summary="Measure the gradient by Sobel kernels: bright where the gray level changes.",
    kind="stencil",
    parameters=SobelParameters,
    produces=gray_pixels,
    halo=lambda parameters: parameters.ksize // 2,
    rate=lambda _: 120.0,
    scratch=4,
    split=("grayscale", "sobel"),
    apply=_sobel,
)

SCHARR = LocalOperation(
    name="scharr",
    summary="Measure the gradient by Scharr kernels, more even in all directions than Sobel's.",
    kind="stencil",
    parameters=ScharrParameters,
    produces=gray_pixels,
    halo=lambda _: 1,
    rate=lambda _: 120.0,
    scratch=4,
    split=("grayscale", "scharr"),
    apply=_scharr,
)

LAPLACIAN = LocalOperation(
    name="laplacian",
    summary="Measure the second derivative: bright on both sides of an edge.",
    kind="stencil",
    parameters=LaplacianParameters,
    produces=gray_pixels,
    halo=lambda parameters: max(1, parameters.ksize // 2),
    rate=lambda _: 180.0,
    scratch=4,
    split=("grayscale", "laplacian"),
    apply=_laplacian,
)
