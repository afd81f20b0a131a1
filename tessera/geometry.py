"""Boxes of pixels: bands, tiles, halos and aligned windows, in integers only.

All boxes are half open, ``x0 <= x < x1`` and ``y0 <= y < y1``, in absolute coordinates of the image.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Self

ALIGNMENT = 64
"""Columns: OpenCV's vector loops and their scalar tails fall alike for a region that starts at a
multiple of this and ends at one, or at the right edge of the image."""


class Rect(NamedTuple):
    """A half-open box of pixels.

    >>> Rect(2, 3, 10, 5).width, Rect(2, 3, 10, 5).height
    (8, 2)
    """

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def width(self) -> int:
        """Return the number of columns."""
        return self.x1 - self.x0

    @property
    def height(self) -> int:
        """Return the number of rows."""
        return self.y1 - self.y0

    @property
    def pixels(self) -> int:
        """Return the number of pixels."""
        return self.width * self.height

    def grown(self, halo: int, within: "Rect") -> "Rect":
        """Return the box with *halo* pixels more on each side, clamped to *within*.

        >>> Rect(0, 8, 8, 16).grown(3, within=Rect(0, 0, 9, 40))
        Rect(x0=0, y0=5, x1=9, y1=19)
        """
        return Rect(
            max(self.x0 - halo, within.x0),
            max(self.y0 - halo, within.y0),
            min(self.x1 + halo, within.x1),
            min(self.y1 + halo, within.y1),
        )

    def aligned(self, within: "Rect") -> "Rect":
        """Return the smallest box around this one whose columns suit ``ALIGNMENT``, inside *within*.

        >>> Rect(70, 5, 130, 9).aligned(within=Rect(0, 0, 1000, 100))
        Rect(x0=64, y0=5, x1=192, y1=9)
        >>> Rect(70, 5, 130, 9).aligned(within=Rect(0, 0, 150, 100))
        Rect(x0=64, y0=5, x1=150, y1=9)
        """
        return self._replace(
            x0=self.x0 // ALIGNMENT * ALIGNMENT,
            x1=min(ceil_div(self.x1, ALIGNMENT) * ALIGNMENT, within.x1),
        )

    def relative_to(self, origin: "Rect") -> "Rect":
        """Return the box in coordinates that start at the corner of *origin*.

        >>> Rect(5, 8, 6, 9).relative_to(Rect(4, 4, 20, 20))
        Rect(x0=1, y0=4, x1=2, y1=5)
        """
        return Rect(self.x0 - origin.x0, self.y0 - origin.y0, self.x1 - origin.x0, self.y1 - origin.y0)

    def intersection(self, other: "Rect") -> "Rect":
        """Return the common box; it has no pixels where the two don't meet.

        >>> Rect(0, 0, 4, 4).intersection(Rect(2, 3, 9, 9))
        Rect(x0=2, y0=3, x1=4, y1=4)
        """
        x0, y0 = max(self.x0, other.x0), max(self.y0, other.y0)
        return Rect(x0, y0, max(x0, min(self.x1, other.x1)), max(y0, min(self.y1, other.y1)))

    def moved(self, dx: int, dy: int) -> "Rect":
        """Return the box *dx* pixels further right and *dy* further down.

        >>> Rect(1, 2, 3, 4).moved(10, 20)
        Rect(x0=11, y0=22, x1=13, y1=24)
        """
        return Rect(self.x0 + dx, self.y0 + dy, self.x1 + dx, self.y1 + dy)

    @property
    def slices(self) -> tuple[slice, slice]:
        """Return the row and column slices that cut the box out of an array."""
        return slice(self.y0, self.y1), slice(self.x0, self.x1)


@dataclass(frozen=True, slots=True)
class Grid:
    """An image of *width* x *height* pixels cut into tiles, numbered row by row.

    >>> list(Grid(5, 3, tile_width=4, tile_height=2).tiles())[-1]
    Rect(x0=4, y0=2, x1=5, y1=3)
    """

    width: int
    height: int
    tile_width: int
    tile_height: int

    @classmethod
    def bands(cls, width: int, height: int, rows: int) -> Self:
        """Return the grid of full-width bands of *rows* rows.

        >>> Grid.bands(7, 5, rows=2).count
        3
        """
        return cls(width, height, width, rows)

    @property
    def frame(self) -> Rect:
        """Return the box of the whole image."""
        return Rect(0, 0, self.width, self.height)

    @property
    def columns(self) -> int:
        """Return the number of tiles side by side."""
        return ceil_div(self.width, self.tile_width)

    @property
    def rows(self) -> int:
        """Return the number of tiles one below the other."""
        return ceil_div(self.height, self.tile_height)

    @property
    def count(self) -> int:
        """Return the number of tiles."""
        return self.columns * self.rows

    def tile(self, index: int) -> Rect:
        """Return the box of tile *index*, ``0 <= index < count``.

        >>> Grid.bands(7, 5, rows=2).tile(2)
        Rect(x0=0, y0=4, x1=7, y1=5)

        Raises
        ------
        IndexError
            If there is no such tile.
        """
        if not 0 <= index < self.count:
            raise IndexError(f"tile {index} of {self.count}")
        row, column = divmod(index, self.columns)
        corner = Rect(column * self.tile_width, row * self.tile_height, self.width, self.height)
        return corner._replace(
            x1=min(corner.x0 + self.tile_width, self.width),
            y1=min(corner.y0 + self.tile_height, self.height),
        )

    def tiles(self) -> Iterator[Rect]:
        """Yield the boxes of all tiles in order."""
        return (self.tile(index) for index in range(self.count))

    def touching(self, rect: Rect) -> Iterator[int]:
        """Yield the numbers of the tiles that share pixels with *rect*, in order.

        >>> list(Grid(10, 10, 4, 4).touching(Rect(3, 0, 5, 5)))
        [0, 1, 3, 4]
        """
        for run in self.runs(rect):
            yield from run

    def runs(self, rect: Rect) -> list[range]:
        """Return the numbers of the tiles that share pixels with *rect*, as few runs without gaps.

        >>> Grid(10, 10, 4, 4).runs(Rect(3, 0, 5, 5))
        [range(0, 2), range(3, 5)]
        >>> Grid(10, 10, 10, 4).runs(Rect(3, 0, 5, 5))
        [range(0, 2)]
        """
        rows = range(rect.y0 // self.tile_height, ceil_div(rect.y1, self.tile_height))
        first, last = rect.x0 // self.tile_width, ceil_div(rect.x1, self.tile_width)
        if last - first == self.columns:
            return [range(rows.start * last, rows.stop * last)]
        return [range(row * self.columns + first, row * self.columns + last) for row in rows]


class Placement(NamedTuple):
    """Where an array of pixels lies: it is *region* of the image *frame*; *core* is the tile in it."""

    region: Rect
    core: Rect
    frame: Rect

    @property
    def inner(self) -> Rect:
        """Return the core in coordinates of the array.

        >>> Placement(Rect(0, 5, 9, 9), core=Rect(0, 6, 9, 8), frame=Rect(0, 0, 9, 50)).inner
        Rect(x0=0, y0=1, x1=9, y1=3)
        """
        return self.core.relative_to(self.region)


def ceil_div(dividend: int, divisor: int) -> int:
    """Return the quotient rounded up.

    >>> ceil_div(7, 3), ceil_div(6, 3), ceil_div(0, 3)
    (3, 2, 0)
    """
    return -(-dividend // divisor)


def window(core: Rect, halo: int, frame: Rect) -> Rect:
    """Return the region to read so that *core* comes out exact: halo around it, columns aligned.

    >>> window(Rect(64, 10, 128, 20), halo=2, frame=Rect(0, 0, 500, 500))
    Rect(x0=0, y0=8, x1=192, y1=22)
    """
    return core.grown(halo, frame).aligned(frame)
