"""Morphology: the darkest and the brightest level around each pixel, and what is built of them."""

from functools import partial
from typing import Annotated, Literal

import cv2
from pydantic import Field

from tessera.operations.base import ODD, Array, LocalOperation, Parameters, on_colour


class MorphologyParameters(Parameters):
    """The neighbourhood."""

    shape: Annotated[Literal["rectangle", "ellipse", "cross"], Field(description="of the neighbourhood")] = (
        "rectangle"
    )
    ksize: Annotated[int, Field(ge=3, le=31, description="side of the neighbourhood in pixels, odd"), ODD] = 3
    iterations: Annotated[
        int, Field(ge=1, le=10, description="how often each erosion or dilation is done")
    ] = 1


_SHAPES = {"rectangle": cv2.MORPH_RECT, "ellipse": cv2.MORPH_ELLIPSE, "cross": cv2.MORPH_CROSS}


def _morphology(operation: int, raster: Array, parameters: MorphologyParameters) -> Array:
    side = (parameters.ksize, parameters.ksize)
    element = cv2.getStructuringElement(_SHAPES[parameters.shape], side)
    return on_colour(
        lambda colour: cv2.morphologyEx(colour, operation, element, iterations=parameters.iterations),
        raster,
    )


def _rate(passes: int, parameters: MorphologyParameters) -> float:
    side = parameters.ksize
    work = {"rectangle": 1 + side / 9, "cross": 1 + side / 5, "ellipse": 1 + side**2 / 16}
    return 3000.0 / (passes * parameters.iterations * work[parameters.shape])


def _entry(
    name: str, summary: str, operation: int, *, passes: int = 1
) -> LocalOperation[MorphologyParameters]:
    """Return the entry of an OpenCV morphology operation that looks *passes* neighbourhoods far."""
    return LocalOperation(
        name=name,
        summary=summary,
        kind="stencil",
        parameters=MorphologyParameters,
        halo=lambda parameters: passes * parameters.iterations * (parameters.ksize // 2),
        rate=partial(_rate, passes),
        scratch=16,
        apply=partial(_morphology, operation),
    )


ERODE = _entry("erode", "Replace each level by the darkest around it; alpha stays.", cv2.MORPH_ERODE)
DILATE = _entry("dilate", "Replace each level by the brightest around it; alpha stays.", cv2.MORPH_DILATE)
OPEN = _entry("open", "Erode, then dilate: removes bright specks; alpha stays.", cv2.MORPH_OPEN, passes=2)
CLOSE = _entry("close", "Dilate, then erode: removes dark specks; alpha stays.", cv2.MORPH_CLOSE, passes=2)
TOP_HAT = _entry(
    "top_hat", "Keep the bright specks that open removes; alpha stays.", cv2.MORPH_TOPHAT, passes=2
)
BLACK_HAT = _entry(
    "black_hat",
    "Keep, as bright, the dark specks that close removes; alpha stays.",
    cv2.MORPH_BLACKHAT,
    passes=2,
)
MORPHOLOGICAL_GRADIENT = _entry(
    "morphological_gradient", "Brightest less darkest around each pixel; alpha stays.", cv2.MORPH_GRADIENT
)
