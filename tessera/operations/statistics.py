"""Operations that need counts of the whole image: taken per tile, read off once, applied per tile."""

from collections.abc import Callable, Iterator
from typing import Annotated, Any

import cv2
import numpy as np
from pydantic import Field

from tessera import histogram
from tessera.geometry import Grid, Placement
from tessera.histogram import Counts
from tessera.operations.base import (
    Array,
    GlobalOperation,
    Measured,
    Parameters,
    gray,
    gray_pixels,
    white,
    with_channels,
)

_LEVEL = np.dtype("<u2")
"""Of a threshold in its table."""


class AutomaticThresholdParameters(Parameters):
    """Which side becomes white."""

    inverse: Annotated[bool, Field(description="white below the level instead of above")] = False


class StatisticsParameters(Parameters):
    """None."""


def counting(
    select: Callable[[Array], Array], channels: int | None = None
) -> Callable[[Array, Placement, Any], Measured]:
    """Return the measurement that counts the first *channels* of what *select* gives of the tile's core."""

    def measure(window: Array, placement: Placement, _: Any) -> Measured:
        core = np.ascontiguousarray(window[placement.inner.slices])
        return Measured(histogram.pack(histogram.count(select(core), channels)))

    return measure


def reading(read: Callable[[Counts, Any], Array]) -> Callable[[Grid, Iterator[bytes], Any], list[bytes]]:
    """Return the merge that makes one table for all tiles of the counts of the image."""

    def merge(_: Grid, summaries: Iterator[bytes], parameters: Any) -> list[bytes]:
        return [read(histogram.merge(summaries), parameters).tobytes()]

    return merge


def _cut(raster: Array, _: Placement, parameters: AutomaticThresholdParameters, table: bytes) -> Array:
    kind = cv2.THRESH_BINARY_INV if parameters.inverse else cv2.THRESH_BINARY
    level = int(np.frombuffer(table, _LEVEL)[0])
    return with_channels(cv2.threshold(gray(raster), level, white(raster), kind)[1])


THRESHOLD_OTSU = GlobalOperation(
    name="threshold_otsu",
    summary="Black and white, cut at the gray level that best separates two groups of pixels (Otsu 1979).",
    kind="global",
    parameters=AutomaticThresholdParameters,
    produces=gray_pixels,
    rate=lambda _: 300.0,
    scratch=9,
    split=("grayscale", "threshold_otsu"),
    measure=counting(gray),
    merge=reading(lambda counts, _: np.array([histogram.otsu(counts)], _LEVEL)),
    resolve=_cut,
)

THRESHOLD_TRIANGLE = GlobalOperation(
    name="threshold_triangle",
    summary="Black and white, cut at the foot of the histogram's peak: for few objects on a plain ground.",
    kind="global",
    parameters=AutomaticThresholdParameters,
    depths=(8,),
    produces=gray_pixels,
    rate=lambda _: 300.0,
    scratch=9,
    split=("grayscale", "threshold_triangle"),
    measure=counting(gray),
    merge=reading(lambda counts, _: np.array([histogram.triangle(counts)], _LEVEL)),
    resolve=_cut,
)

REPORT = GlobalOperation(
    name="statistics",
    summary="Report minimum, maximum, mean, deviation and histogram of each channel; the image stays.",
    kind="global",
    parameters=StatisticsParameters,
    rate=lambda _: 150.0,
    scratch=11,
    measure=counting(lambda raster: raster),
    merge=lambda _grid, summaries, _parameters: [histogram.report(histogram.merge(summaries))],
    resolve=lambda raster, _placement, _parameters, _table: raster,
    report=True,
)
