"""Histograms of tiles: integer counts that add up to those of the whole image, and what is read off them."""

import json
import math
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from tessera import compiled

type Counts = NDArray[np.int64]
"""(channels, levels): how many pixels of each channel have each level."""


def count(pixels: NDArray[Any], channels: int | None = None) -> Counts:
    """Return the counts of a raster of (rows, columns, channels), 8 or 16 bits, or its first ones."""
    levels = 1 << 8 * pixels.itemsize
    total = np.zeros((channels or pixels.shape[2], levels), np.int64)
    if compiled.takes(pixels):
        name = f"tessera_count_{8 * pixels.itemsize}"
        compiled.call(name, compiled.with_whole_rows(pixels), len(total), total)
        return total
    # OpenCV counts in single precision, which holds whole numbers up to 2**24.
    rows = max(1, (1 << 24) // pixels.shape[1])
    for start in range(0, pixels.shape[0], rows):
        part = pixels[start : start + rows]
        for channel in range(len(total)):
            found = cv2.calcHist([part], [channel], None, [levels], [0, levels])
            total[channel] += found.ravel().astype(np.int64)
    return total


def pack(counts: Counts) -> bytes:
    """Return counts as bytes, deflated."""
    head = np.array(counts.shape, "<i8")
    return isal_zlib.compress(head.tobytes() + counts.astype("<i8").tobytes(), 1)


def merge(summaries: Iterator[bytes]) -> Counts:
    """Return the sum of packed counts; there is at least one."""
    total = unpack(next(summaries))
    for summary in summaries:
        total += unpack(summary)
    return total


def unpack(summary: bytes) -> Counts:
    """Return what `pack` was given."""
    values = np.frombuffer(isal_zlib.decompress(summary), "<i8").astype(np.int64)
    return values[2:].reshape(values[:2].tolist())


def otsu(counts: Counts) -> int:
    """Return the level that splits one channel's counts into classes of largest variance between them.

    (N. Otsu, A Threshold Selection Method from Gray-Level Histograms, IEEE SMC 9(1), 1979, in the order of
    additions that OpenCV uses, so that it gives OpenCV's level.)
    """
    (values,) = counts.tolist()
    scale = 1.0 / sum(values)
    mean = sum(float(level * number) for level, number in enumerate(values)) * scale
    below, mean_below, best, best_level = 0.0, 0.0, 0.0, 0
    smallest = float(np.finfo(np.float32).eps)
    for level, number in enumerate(values):
        share = number * scale
        mean_below *= below
        below += share
        above = 1.0 - below
        if min(below, above) < smallest or max(below, above) > 1.0 - smallest:
            continue
        mean_below = (mean_below + level * share) / below
        mean_above = (mean - below * mean_below) / above
        variance = below * above * (mean_below - mean_above) * (mean_below - mean_above)
        if variance > best:
            best, best_level = variance, level
    return best_level


def triangle(counts: Counts) -> int:
    """Return the level farthest below the line from the peak of one channel's counts to their farther end.

    (G. Zack et al., Automatic measurement of sister chromatid exchange frequency, 1977; as OpenCV does it.)
    """
    (values,) = counts.tolist()
    last = len(values) - 1
    used = [level for level, number in enumerate(values) if number]
    left, right = max(used[0] - 1, 0), min(used[-1] + 1, last)
    peak = values.index(max(values))
    flipped = peak - left < right - peak
    if flipped:
        values, left, peak = values[::-1], last - right, last - peak
    farthest, level = 0, left
    for index in range(left + 1, peak + 1):
        distance = values[peak] * index + (left - peak) * values[index]
        if distance > farthest:
            farthest, level = distance, index
    level -= 1
    return last - level if flipped else level


def percentile(counts: Counts, percent: float) -> int:
    """Return the lowest level of one channel that *percent* of the pixels don't exceed; thousandths count."""
    cumulated = np.cumsum(counts[0])
    wanted = max(1, -(-int(cumulated[-1]) * round(percent * 1000) // 100_000))
    return int(np.searchsorted(cumulated, wanted))


def equalizing_table(counts: Counts) -> NDArray[np.uint8]:
    """Return the 256 levels that spread one channel's counts evenly, in single precision as OpenCV does."""
    values = counts[0]
    first, total = int(np.flatnonzero(values)[0]), int(values.sum())
    if values[first] == total:
        return np.full(256, first, np.uint8)
    scale = np.float32(255) / np.float32(total - values[first])
    cumulated = np.cumsum(values) - values[first]
    table = np.rint(cumulated.astype(np.float32) * scale)
    table[: first + 1] = 0
    return np.asarray(np.clip(table, 0, 255), np.uint8)


def report(counts: Counts) -> bytes:
    """Return what the counts tell of each channel, as a JSON document.

    Mean and standard deviation are of the population, computed from whole numbers. The histogram has 256
    bins, which of 16-bit levels hold 256 levels each.
    """
    names = _NAMES[len(counts)]
    channels = {name: _channel_report(counts[place]) for place, name in names}
    depth = counts.shape[1].bit_length() - 1
    return json.dumps({"depth": depth, "pixels": int(counts[0].sum()), "channels": channels}).encode()


_NAMES = {
    1: ((0, "gray"),),
    2: ((0, "gray"), (1, "alpha")),
    3: ((2, "red"), (1, "green"), (0, "blue")),
    4: ((2, "red"), (1, "green"), (0, "blue"), (3, "alpha")),
}


def _channel_report(counts: NDArray[np.int64]) -> dict[str, Any]:
    values, used = counts.tolist(), np.flatnonzero(counts)
    number = sum(values)
    total = sum(level * count for level, count in enumerate(values))
    squares = sum(level * level * count for level, count in enumerate(values))
    return {
        "min": int(used[0]),
        "max": int(used[-1]),
        "mean": total / number,
        "std": math.sqrt(number * squares - total * total) / number,
        "histogram": counts.reshape(256, -1).sum(axis=1).tolist(),
    }


def stretching_table(low: int, high: int, levels: int) -> NDArray[Any]:
    """Return the table that takes *low* to 0 and *high* to the brightest of *levels*, rounded half up."""
    brightest = levels - 1
    values = np.clip(np.arange(levels, dtype=np.int64), low, max(low, high)) - low
    span = max(high - low, 1)
    return ((2 * values * brightest + span) // (2 * span)).astype(_dtype(levels))


def scaling_table(numerator: int, denominator: int, levels: int) -> NDArray[Any]:
    """Return the table that multiplies by a fraction, rounded half up, and stops at the brightest level."""
    brightest = levels - 1
    table = [
        min(brightest, (2 * value * numerator + denominator) // (2 * denominator)) for value in range(levels)
    ]
    return np.array(table, _dtype(levels))


def _dtype(levels: int) -> np.dtype[Any]:
    return np.dtype(np.uint8 if levels == 256 else np.uint16)
