"""What decoding does on the way to the raster, so that tiles read less and an image is looked at once.

Operations on single pixels that leave fewer bytes of each run before the raster is written, such as the gray
in front of a threshold; and a global operation that comes next is measured there.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from tessera.geometry import Grid, Placement, Rect
from tessera.operations import PLANNED, GlobalOperation, LocalOperation
from tessera.operations.base import Array
from tessera.pipeline import Bound, bind_global, bind_planned, produced
from tessera.plan import Ingest, Measurement, Shape, Stage

_MOST_SECONDS = 1 / 300
"""Of one core per megapixel: decoding isn't shared out, and takes about three times as long itself."""


class Early(NamedTuple):
    """The *steps* to run while decoding, what is left of the pipeline, and how much shorter this is."""

    steps: tuple[Bound, ...]
    left: tuple[Bound, ...]
    shorter: int


def early(pipeline: Sequence[Bound], shape: Shape, *, measured: bool) -> Early:
    """Return what to do while an image of *shape* is decoded, which may be nothing.

    Parameters
    ----------
    measured
        A global operation right after the steps can be measured there, too.
    """
    chosen, smallest = Early((), tuple(pipeline), 0), shape.pixels.bytes
    steps: list[Bound] = []
    made = shape
    for index, bound in enumerate(pipeline):
        if bound.operation.split and made.pixels.channels > 2:
            first, bound = _halves(bound)
            steps.append(first)
            made = produced(*first, made)
        measures = measured and is_measured_early(bound.operation) and made.pixels.bytes <= shape.pixels.bytes
        if _is_cheap(steps) and (made.pixels.bytes < smallest or measures):
            chosen = Early(tuple(steps), (bound, *pipeline[index + 1 :]), index)
            smallest = made.pixels.bytes
        steps.append(bound)
        if not isinstance(bound.operation, LocalOperation) or bound.halo or not _is_cheap(steps):
            break
        made = produced(*bound, made)
        if made.pixels.bytes < smallest:
            chosen = Early(tuple(steps), tuple(pipeline[index + 1 :]), index + 1)
            smallest = made.pixels.bytes
    return chosen


def _halves(bound: Bound) -> tuple[Bound, Bound]:
    """Return what a split operation does to each pixel first, and what it does to that."""
    assert bound.operation.split is not None
    first, second = (PLANNED[name] for name in bound.operation.split)
    return Bound(first, first.parameters()), Bound(second, bound.parameters)


def _is_cheap(steps: Sequence[Bound]) -> bool:
    return sum(1.0 / bound.operation.rate(bound.parameters) for bound in steps) <= _MOST_SECONDS


def is_measured_early(operation: Any) -> bool:
    """Tell whether bands of rows suffice to measure the operation, and no labels come of it."""
    return isinstance(operation, GlobalOperation) and not operation.labelled


def measured_early(stages: Sequence[Stage]) -> int:
    """Return how many stages only measure what the raster will hold."""
    for count, stage in enumerate(stages):
        if stage.steps or stage.measure is None or not is_measured_early(bind_global(stage.measure)[0]):
            return count
    return len(stages)


class Decoding:
    """The steps and measures of *ingest*, run on an image of size *frame* as it is decoded."""

    def __init__(self, ingest: Ingest, frame: Rect) -> None:
        self._frame = frame
        self._steps = bind_planned(ingest.steps)
        self._measures = [(each, *bind_global(each.step)) for each in ingest.measures]
        self._summaries: list[list[bytes]] = [[] for _ in ingest.measures]
        self._height = 1

    def band(self, rows: Array, box: Rect) -> Array:
        """Return what becomes of the *rows* of *box*; all boxes but the last are of one height."""
        self._height = max(self._height, box.height)
        for operation, parameters in self._steps:
            assert isinstance(operation, LocalOperation)
            rows = operation.apply(np.ascontiguousarray(rows), parameters)
        if self._measures:
            rows = np.ascontiguousarray(rows)
        place = Placement(box, box, self._frame)
        for (_, operation, parameters), summaries in zip(self._measures, self._summaries, strict=True):
            summaries.append(operation.measure(rows, place, parameters).summary)
        return rows

    def tables(self) -> Iterator[tuple[Measurement, list[bytes]]]:
        """Yield the tables that resolve each operation measured, once the whole image was seen."""
        grid = Grid.bands(self._frame.width, self._frame.height, self._height)
        for (each, operation, parameters), summaries in zip(self._measures, self._summaries, strict=True):
            yield each, operation.merge(grid, iter(summaries), parameters)
