"""Squares of a large result, compared with plain OpenCV on the same part of the input."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyvips
from numpy.typing import NDArray

from benchmarks.large_inputs import SEED
from tessera import reference
from tessera.geometry import Rect
from tessera.pipeline import bind
from tessera.plan import Step

_SQUARE = 384
_MARGIN = 512
"""Pixels around a square that its reference is computed with: chains of weak edges end within."""

type Array = NDArray[Any]


def differing(result: Path, source: Path, step: Step) -> int:
    """Return how many pixels of the squares differ, of images of 8 bits.

    Parameters
    ----------
    step
        What made the result: a local operation with a reach below 512 pixels, scaling by a half, or a turn by
        90 degrees.
    """
    made = pyvips.Image.new_from_file(str(result), access="sequential", fail_on="warning")
    given = pyvips.Image.new_from_file(str(source), access="sequential")
    (bound,) = bind([step])
    squares = _squares(made.width, made.height)
    sources = [_source(square, bound.step, given) for square in squares]
    results, count = _cut(made, squares), 0
    for index, pixels in _cut(given, [around for around, _ in sources]).items():
        wanted = reference.run(pixels, [bound.step])[sources[index][1].slices]
        count += int(np.count_nonzero((results[index] != wanted).any(axis=2)))
    return count


def _squares(width: int, height: int) -> list[Rect]:
    """Return squares at the corners, and at random."""
    chance = np.random.default_rng(SEED)
    right, below = max(width - _SQUARE, 0), max(height - _SQUARE, 0)
    places = [(0, 0), (right, below)]
    places += [(int(chance.integers(right + 1)), int(chance.integers(below + 1))) for _ in range(3)]
    evens = [(x // 2 * 2, y // 2 * 2) for x, y in places]
    return [Rect(x, y, min(x + _SQUARE, width), min(y + _SQUARE, height)) for x, y in evens]


def _source(square: Rect, step: Step, given: pyvips.Image) -> tuple[Rect, Rect]:
    """Return the box of the input around a square of the result, and where the square is in its result."""
    frame = Rect(0, 0, given.width, given.height)
    if step.operation == "rotate":
        box = Rect(square.y0, frame.y1 - square.x1, square.y1, frame.y1 - square.x0)
        return box, Rect(0, 0, square.width, square.height)
    times = 2 if step.operation == "scale" else 1
    core = Rect(*(times * side for side in square)).intersection(frame)
    box = core.grown(_MARGIN, frame)
    inner = square.relative_to(Rect(*(side // times for side in box)))
    return box, inner


def _cut(image: pyvips.Image, boxes: Sequence[Rect]) -> dict[int, Array]:
    """Return boxes of an image by their index, in one pass from top to bottom."""
    region = pyvips.Region.new(image)
    found: dict[int, Array] = {}
    for index in sorted(range(len(boxes)), key=lambda each: boxes[each].y0):
        box = boxes[index]
        data: Array = np.frombuffer(region.fetch(box.x0, box.y0, box.width, box.height), np.uint8)
        pixels = data.reshape(box.height, box.width, image.bands)
        found[index] = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR) if image.bands == 3 else pixels
    return found
