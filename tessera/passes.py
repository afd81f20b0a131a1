"""Which boxes of pixels a tile goes through, from its place in a result back to the pixels that are read.

The steps of a stage fall into passes. A pass is one operation that moves pixels and the local operations that
follow it; these all run on the same aligned window, with the sum of their halos around what is wanted.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any, NamedTuple

from tessera.geometry import Rect, window
from tessera.operations import GeometryOperation
from tessera.pipeline import Bound

type Move = tuple[GeometryOperation[Any], Any]


class Pass(NamedTuple):
    """Operations between two cuts.

    *move*, if any, makes *region*, a box of an image of size *frame*, from the pixels of *needed*, a box of
    an image of size *before*. The *local* operations, ``first <= step < last`` of the stage, run on the
    region, of which *wanted* is then cut out.
    """

    move: Move | None
    needed: Rect
    before: Rect
    region: Rect
    frame: Rect
    first: int
    last: int
    wanted: Rect


def passes(pipeline: Sequence[Bound], frames: Sequence[Rect], wanted: Rect) -> list[Pass]:
    """Return the passes that make the box *wanted* of what *pipeline* gives; the first has no move.

    Parameters
    ----------
    frames
        The boxes of the whole images: before the first operation, and after each.
    """
    found: list[Pass] = []
    last = len(pipeline)
    while True:
        first = last
        while first and not isinstance(pipeline[first - 1].operation, GeometryOperation):
            first -= 1
        frame, halo = frames[last], sum(bound.halo for bound in pipeline[first:last])
        region = window(wanted, halo, frame) if first < last else wanted
        if first == 0:
            found.append(Pass(None, region, frame, region, frame, first, last, wanted))
            return found[::-1]
        operation, parameters = pipeline[first - 1]
        assert isinstance(operation, GeometryOperation)
        before = frames[first - 1]
        needed = operation.needs(region, before, parameters)
        found.append(Pass((operation, parameters), needed, before, region, frame, first, last, wanted))
        last, wanted = first - 1, needed


def frames_of(pipeline: Sequence[Bound], frame: Rect) -> tuple[Rect, ...]:
    """Return the boxes of the whole images: *frame*, and what each operation makes of it."""
    return tuple(accumulate(pipeline, _framed, initial=frame))


def _framed(frame: Rect, bound: Bound) -> Rect:
    operation, parameters = bound
    if not isinstance(operation, GeometryOperation):
        return frame
    return Rect(0, 0, *operation.size(frame.width, frame.height, parameters))
