"""Operations that spread or balance levels by what the whole image has of them: one table for all tiles."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, override

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
    Refusal,
    gray,
    on_colour,
    rows_at_once,
    white,
    without_alpha,
)
from tessera.operations.statistics import counting, reading

_LEVEL, _SUM = np.dtype("<u2"), np.dtype("<u8")


class EqualizeParameters(Parameters):
    """None."""


class AutoContrastParameters(Parameters):
    """How much is cut off at either end."""

    low: Annotated[float, Field(ge=0, le=100, description="percent of the pixels that may turn black")] = 0.5
    high: Annotated[float, Field(ge=0, le=100, description="percent of the pixels below white")] = 99.5

    @override
    def conflict(self) -> Refusal | None:
        if self.low < self.high:
            return None
        return Refusal(f"low ({self.low:g}) must be below high ({self.high:g})", "high")


class NormalizeParameters(Parameters):
    """None."""


class GrayWorldParameters(Parameters):
    """None."""


def _brightness_first(raster: Array) -> Array:
    """Return gray as it is, and colour as Y, Cr, Cb."""
    colour = without_alpha(raster)
    return colour if colour.shape[2] == 1 else cv2.cvtColor(colour, cv2.COLOR_BGR2YCrCb)


def _equalize(raster: Array, _placement: Placement, _: EqualizeParameters, table: bytes) -> Array:
    return on_colour(lambda colour: _equalized(colour, table), raster)


def _equalized(colour: Array, table: bytes) -> Array:
    if colour.shape[2] == 1:
        return cv2.LUT(colour, np.frombuffer(table, np.uint8))
    return _with_brightness(cv2.cvtColor(colour, cv2.COLOR_BGR2YCrCb), table)


def _equalize_ycrcb(raster: Array, _placement: Placement, _: EqualizeParameters, table: bytes) -> Array:
    return on_colour(lambda colour: _with_brightness(colour, table), raster)


def _with_brightness(converted: Array, table: bytes) -> Array:
    """Return Y, Cr, Cb as colours, with Y looked up, some rows at a time."""
    levels, made = np.frombuffer(table, np.uint8), np.empty_like(converted)
    for rows in rows_at_once(converted):
        brightness = cv2.LUT(cv2.extractChannel(converted[rows], 0), levels)
        cv2.cvtColor(
            cv2.insertChannel(brightness, converted[rows].copy(), 0), cv2.COLOR_YCrCb2BGR, dst=made[rows]
        )
    return made


def _extremes(window: Array, placement: Placement, _: NormalizeParameters) -> Measured:
    core = np.ascontiguousarray(without_alpha(window[placement.inner.slices]))
    low, high, _least, _most = cv2.minMaxLoc(core.reshape(len(core), -1))
    return Measured(np.array([low, high, white(core)], _LEVEL).tobytes())


def _full_range_table(_: Grid, summaries: Iterator[bytes], _parameters: NormalizeParameters) -> list[bytes]:
    found = np.array([np.frombuffer(summary, _LEVEL) for summary in summaries], np.int64)
    low, high, brightest = int(found[:, 0].min()), int(found[:, 1].max()), int(found[0, 2])
    return [histogram.stretching_table(low, high, brightest + 1).tobytes()]


def _sums(window: Array, placement: Placement, _: GrayWorldParameters) -> Measured:
    core = np.ascontiguousarray(window[placement.inner.slices])
    return Measured(np.array([*cv2.sumElems(core)[:3], white(core)], _SUM).tobytes())


def _gray_world_tables(_: Grid, summaries: Iterator[bytes], _parameters: GrayWorldParameters) -> list[bytes]:
    """Return a table per channel that brings each channel's mean to the mean of all three."""
    found = np.array([np.frombuffer(summary, _SUM) for summary in summaries])
    sums, levels = found[:, :3].sum(axis=0).tolist(), int(found[0, 3]) + 1
    tables = [histogram.scaling_table(sum(sums) if one else 3, 3 * one or 3, levels) for one in sums]
    return [np.stack(tables).tobytes()]


def _look_up(raster: Array, _placement: Placement, _: Parameters, table: bytes) -> Array:
    levels = np.frombuffer(table, raster.dtype)
    if np.array_equal(levels, np.arange(levels.size)):
        return raster
    return on_colour(lambda colour: cv2.LUT(colour, levels), raster)


def _look_up_each(raster: Array, _placement: Placement, _: Parameters, table: bytes) -> Array:
    levels = np.ascontiguousarray(np.frombuffer(table, raster.dtype).reshape(3, -1).T)[np.newaxis]
    return on_colour(lambda colour: cv2.LUT(colour, levels), raster)


def _contrast_table(counts: Counts, parameters: AutoContrastParameters) -> Array:
    low = histogram.percentile(counts, parameters.low)
    high = histogram.percentile(counts, parameters.high)
    return histogram.stretching_table(low, high, counts.shape[1])


EQUALIZE = GlobalOperation(
    name="equalize",
    summary="Spread brightness evenly over all levels; hue and alpha stay.",
    kind="global",
    parameters=EqualizeParameters,
    depths=(8,),
    rate=lambda _: 100.0,
    scratch=11,
    measure=counting(_brightness_first, 1),
    split=("ycrcb", "equalize/ycrcb"),
    merge=reading(lambda counts, _: histogram.equalizing_table(counts)),
    resolve=_equalize,
)

EQUALIZE_YCRCB = replace(
    EQUALIZE,
    name="equalize/ycrcb",
    channels=(3, 4),
    split=None,
    measure=counting(lambda raster: raster, 1),
    resolve=_equalize_ycrcb,
)

AUTO_CONTRAST = GlobalOperation(
    name="auto_contrast",
    summary="Stretch the gray levels between two percentiles to the whole range; alpha stays.",
    kind="global",
    parameters=AutoContrastParameters,
    rate=lambda _: 200.0,
    scratch=9,
    measure=counting(gray),
    merge=reading(_contrast_table),
    resolve=_look_up,
)

NORMALIZE = GlobalOperation(
    name="normalize",
    summary="Stretch the levels between the darkest and the brightest of all channels to the whole range.",
    kind="global",
    parameters=NormalizeParameters,
    rate=lambda _: 150.0,
    scratch=11,
    measure=_extremes,
    merge=_full_range_table,
    resolve=_look_up,
)

GRAY_WORLD = GlobalOperation(
    name="gray_world",
    summary="Balance white: bring the means of blue, green and red to one value; alpha stays.",
    kind="global",
    parameters=GrayWorldParameters,
    channels=(3, 4),
    rate=lambda _: 100.0,
    scratch=11,
    measure=_sums,
    merge=_gray_world_tables,
    resolve=_look_up_each,
)
