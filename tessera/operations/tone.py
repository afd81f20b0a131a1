"""Operations that map the levels of each channel by one table.

A table is computed in plain Python floats. A level that falls within a billionth of a half is rounded up, so
that the last bit of a float, in which mathematical libraries differ, never decides a level.
"""

import math
from collections.abc import Callable
from functools import lru_cache, partial
from itertools import pairwise
from typing import Annotated, override

import cv2
import numpy as np
from pydantic import Field

from tessera.operations.base import Array, LocalOperation, Parameters, Refusal, on_colour, white

_HALF = 0.5 + 1e-9
_TABLE_RATE = 600.0


class InvertParameters(Parameters):
    """None."""


class BrightnessContrastParameters(Parameters):
    """What is added to each level, and how far levels are spread around the middle."""

    brightness: Annotated[
        float, Field(ge=-1, le=1, description="added, as a part of the range; 0 leaves it as it is")
    ] = 0.0
    contrast: Annotated[
        float, Field(ge=0, le=10, description="factor around mid-gray; 1 leaves it as it is")
    ] = 1.0


class GammaParameters(Parameters):
    """The exponent."""

    gamma: Annotated[
        float, Field(ge=0.1, le=10, description="above 1 brightens the middle tones, below 1 darkens them")
    ] = 1.5


class LevelsParameters(Parameters):
    """Which levels become black and white, and the gamma between them."""

    black: Annotated[
        float, Field(ge=0, le=1, description="becomes black with everything below; a part of the range")
    ] = 0.0
    white: Annotated[
        float, Field(ge=0, le=1, description="becomes white with everything above; a part of the range")
    ] = 1.0
    gamma: Annotated[float, Field(ge=0.1, le=10, description="above 1 brightens the middle tones")] = 1.0

    @override
    def conflict(self) -> Refusal | None:
        if self.white - self.black >= 1 / 256:
            return None
        return Refusal(
            f"white ({self.white:g}) must be above black ({self.black:g}) by 1/256 or more", "white"
        )


type Level = Annotated[float, Field(ge=0, le=1)]


class CurvesParameters(Parameters):
    """The points of the curve."""

    points: Annotated[
        tuple[tuple[Level, Level], ...],
        Field(
            min_length=2,
            max_length=32,
            description="pairs of input and output level, as parts of the range, by rising input;"
            " a smooth curve goes through them and overshoots none",
        ),
    ] = ((0.0, 0.0), (0.25, 0.18), (0.75, 0.82), (1.0, 1.0))

    @override
    def conflict(self) -> Refusal | None:
        for (left, _), (right, _) in pairwise(self.points):
            if right - left < 1 / 1024:
                return Refusal(f"inputs must rise by 1/1024 or more, {right:g} follows {left:g}", "points")
        return None


class PosterizeParameters(Parameters):
    """The number of levels."""

    levels: Annotated[int, Field(ge=2, le=64, description="levels that are left of each channel")] = 4


class SolarizeParameters(Parameters):
    """Where inverting begins."""

    value: Annotated[
        float, Field(ge=0, le=1, description="levels from here on are inverted; a part of the range")
    ] = 0.5


def _brightness_contrast(level: float, parameters: BrightnessContrastParameters) -> float:
    return (level - 0.5) * parameters.contrast + 0.5 + parameters.brightness


def _gamma(level: float, parameters: GammaParameters) -> float:
    return math.pow(level, 1 / parameters.gamma)


def _levels(level: float, parameters: LevelsParameters) -> float:
    inside = (level - parameters.black) / (parameters.white - parameters.black)
    return math.pow(min(max(inside, 0.0), 1.0), 1 / parameters.gamma)


def _posterize(level: float, parameters: PosterizeParameters) -> float:
    steps = parameters.levels
    return min(math.floor(level * steps + 1e-9), steps - 1) / (steps - 1)


def _solarize(level: float, parameters: SolarizeParameters) -> float:
    return 1 - level if level >= parameters.value else level


@lru_cache(maxsize=8)
def _slopes(points: tuple[tuple[float, float], ...]) -> tuple[float, ...]:
    """Return slopes with which a cubic through *points* is monotone between any two of them.

    Weighted harmonic means of the slopes of the neighbouring chords (Fritsch and Butland 1984).
    """
    widths = [right[0] - left[0] for left, right in pairwise(points)]
    chords = [(right[1] - left[1]) / (right[0] - left[0]) for left, right in pairwise(points)]
    inner = []
    for (before, after), (width, next_width) in zip(pairwise(chords), pairwise(widths), strict=True):
        weights = (width + 2 * next_width, 2 * width + next_width)
        flat = before * after <= 0
        inner.append(0.0 if flat else sum(weights) / (weights[0] / before + weights[1] / after))
    return (chords[0], *inner, chords[-1])


def _curves(level: float, parameters: CurvesParameters) -> float:
    points = parameters.points
    if level <= points[0][0]:
        return points[0][1]
    slopes = _slopes(points)
    for index, ((x0, y0), (x1, y1)) in enumerate(pairwise(points)):
        if level <= x1:
            width, t = x1 - x0, (level - x0) / (x1 - x0)
            rise = (3 - 2 * t) * t * t * (y1 - y0)
            bend = (1 - t) * ((1 - t) * slopes[index] - t * slopes[index + 1])
            return y0 + rise + width * t * bend
    return points[-1][1]


@lru_cache(maxsize=8)
def _table[P: Parameters](curve: Callable[[float, P], float], parameters: P, brightest: int) -> Array:
    levels = (brightest * curve(level / brightest, parameters) for level in range(brightest + 1))
    rounded = [min(max(math.floor(level + _HALF), 0), brightest) for level in levels]
    return np.array(rounded, np.uint8 if brightest == 255 else np.uint16)


def _through_table[P: Parameters](curve: Callable[[float, P], float], raster: Array, parameters: P) -> Array:
    table = _table(curve, parameters, white(raster))
    return on_colour(lambda colour: cv2.LUT(colour, table), raster)


def _tone[P: Parameters](
    name: str, summary: str, parameters: type[P], curve: Callable[[float, P], float]
) -> LocalOperation[P]:
    return LocalOperation(
        name=name,
        summary=summary,
        kind="point",
        parameters=parameters,
        rate=lambda _: _TABLE_RATE,
        apply=partial(_through_table, curve),
    )


def _invert(raster: Array, _: InvertParameters) -> Array:
    return on_colour(cv2.bitwise_not, raster)


INVERT = LocalOperation(
    name="invert",
    summary="Turn each colour into its opposite; alpha stays.",
    kind="point",
    parameters=InvertParameters,
    rate=lambda _: 2000.0,
    apply=_invert,
)

BRIGHTNESS_CONTRAST = _tone(
    "brightness_contrast",
    "Add to each level, and spread the levels around mid-gray; alpha stays.",
    BrightnessContrastParameters,
    _brightness_contrast,
)
GAMMA = _tone("gamma", "Brighten or darken the middle tones; alpha stays.", GammaParameters, _gamma)
LEVELS = _tone(
    "levels",
    "Spread the levels between a new black and a new white, with a gamma; alpha stays.",
    LevelsParameters,
    _levels,
)
CURVES = _tone(
    "curves",
    "Map levels by a smooth monotone curve through given points; alpha stays.",
    CurvesParameters,
    _curves,
)
POSTERIZE = _tone(
    "posterize", "Leave a few levels of each channel; alpha stays.", PosterizeParameters, _posterize
)
SOLARIZE = _tone(
    "solarize", "Invert the levels from a given one on; alpha stays.", SolarizeParameters, _solarize
)
