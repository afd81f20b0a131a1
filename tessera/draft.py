"""A stage before its tiles are chosen, and what a tile of it would take.

That is found by going through the boxes that the tile would go through (`tessera.passes`).
"""

from typing import NamedTuple

from tessera.codecs import Unit
from tessera.geometry import Rect, ceil_div, window
from tessera.operations import GeometryOperation, GlobalOperation
from tessera.passes import passes
from tessera.pipeline import Bound
from tessera.plan import Shape

_BAND_PIXELS = 1 << 20
_COPIES_OF_A_FILE = 4
"""Of the size of the image that is encoded: its rows, these filtered, compressed, and all in one."""
_LABEL_BYTES = 2


class Draft(NamedTuple):
    """A stage without tiles: *shapes* are those before the first operation and after each.

    *measure* is the global operation that ends it; without one, tiles are encoded in multiples of *unit*.
    With *squares*, what it writes is not read by bands.
    """

    pipeline: tuple[Bound, ...]
    shapes: tuple[Shape, ...]
    measure: Bound | None
    unit: Unit
    squares: bool = False

    @property
    def is_labelled(self) -> bool:
        """Tell whether the tiles leave a label map to the next stage."""
        return self.measure is not None and _leaves_labels(self.measure)

    @property
    def turns(self) -> bool:
        """Tell whether rows may become columns."""
        return any(
            isinstance(operation, GeometryOperation) and operation.turns(parameters)
            for operation, parameters in self.pipeline
        )

    @property
    def halo(self) -> int:
        """Return the pixels that are looked at around a tile, in all."""
        return sum(bound.halo for bound in self._bounds)

    @property
    def most_pixels(self) -> int:
        """Return the pixels of the largest image on the way."""
        return max(shape.width * shape.height for shape in self.shapes)

    @property
    def seconds(self) -> float:
        """Return the seconds of one core that a pixel of the largest image takes, roughly."""
        return sum(map(_cost, self._bounds))

    @property
    def _bounds(self) -> tuple[Bound, ...]:
        return (*self.pipeline, *((self.measure,) if self.measure else ()))

    def duration(self, tile: Rect, chunk_width: int | None = None) -> float:
        """Return the seconds of one core that a tile takes, roughly, with all that is computed around it."""
        wanted = self._at_once(tile, chunk_width)
        seconds = wanted.pixels * _cost(self.measure) if self.measure else 0.0
        for each in passes(self.pipeline, [shape.frame for shape in self.shapes], wanted):
            local = sum(_cost(self.pipeline[index]) for index in range(each.first, each.last))
            seconds += each.region.pixels * local
            if each.move is not None:
                seconds += max(each.region.pixels, each.needed.pixels) * _cost(self.pipeline[each.first - 1])
        return seconds * ceil_div(tile.width, chunk_width or tile.width)

    def _at_once(self, tile: Rect, chunk_width: int | None) -> Rect:
        """Return the box that is made at once: with the measure's halo, or a chunk in the tile's middle."""
        halo = self.measure.halo if self.measure else 0
        wanted = window(tile, halo, self.shapes[-1].frame) if halo else tile
        if chunk_width is not None and chunk_width < tile.width:
            middle = tile.x0 + tile.width // 2 // chunk_width * chunk_width
            wanted = wanted._replace(x0=middle, x1=min(middle + chunk_width, tile.x1))
        return wanted

    def memory(self, tile: Rect, chunk_width: int | None = None) -> int:
        """Return the bytes that a task holds at its worst moment: what is read, made, and scratch."""
        made, wanted = self.shapes[-1].pixels, self._at_once(tile, chunk_width)
        read, worst = 0, 0
        for each in passes(self.pipeline, [shape.frame for shape in self.shapes], wanted):
            if each.move is None:
                read = each.region.pixels * self.shapes[0].pixels.bytes
                worst = max(worst, 2 * read)
            else:
                kind = self.shapes[each.first].pixels.bytes
                scratch = each.move[0].scratch
                worst = max(worst, read + each.needed.pixels * kind + each.region.pixels * (kind + scratch))
            for index in range(each.first, each.last):
                before, after = self.shapes[index].pixels.bytes, self.shapes[index + 1].pixels.bytes
                held = each.region.pixels * (before + after + self.pipeline[index].operation.scratch)
                worst = max(worst, read + held)
        if self.measure:
            return max(worst, read + wanted.pixels * (2 * made.bytes + self.measure.operation.scratch))
        return max(
            worst + (0 if wanted == tile else tile.pixels * made.bytes), read + 3 * tile.pixels * made.bytes
        )

    def memory_at_once(self) -> int:
        """Return the bytes that a task holds which makes all of it by bands, input and file included."""
        images = [shape.frame.pixels * shape.pixels.bytes for shape in self.shapes]
        worst = images[-1] * (1 + _COPIES_OF_A_FILE)
        for place in range(len(self.pipeline)):
            given = images[place] if place else 0
            worst = max(worst, given + images[place + 1] + self._scratch(place))
        return images[0] + worst

    def _scratch(self, place: int) -> int:
        """Return the bytes that an operation holds besides whole images."""
        operation, (given, made) = self.pipeline[place].operation, self.shapes[place : place + 2]
        frame = given.frame
        if isinstance(operation, GeometryOperation):
            return max(frame.pixels, made.frame.pixels) * operation.scratch
        rows = min(band_rows(frame.width, self.halo) + 2 * self.halo, frame.height)
        labels = _LABEL_BYTES * frame.pixels if _leaves_labels(self.pipeline[place]) else 0
        return labels + rows * frame.width * (given.pixels.bytes + made.pixels.bytes + operation.scratch)


def band_rows(width: int, halo: int) -> int:
    """Return the rows of a band of an image that is made at once: about a megapixel, and few halos."""
    return max(1, _BAND_PIXELS // width, 4 * halo)


def _leaves_labels(bound: Bound) -> bool:
    return isinstance(bound.operation, GlobalOperation) and bound.operation.labelled


def _cost(bound: Bound) -> float:
    """Return the seconds of one core that a pixel takes, roughly."""
    return float(1e-6 / bound.operation.rate(bound.parameters))
