"""What every output format can do: encode tiles alone, and frame them without looking at them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple, Protocol

from numpy.typing import NDArray

from tessera.checksum import Adler
from tessera.geometry import Grid, Rect
from tessera.plan import Pixels

type Array = NDArray[Any]
_LEAST_DPI, _MOST_DPI = 0.1, 1e6
type Compression = Literal["fast", "small"]


@dataclass(frozen=True)
class Coded:
    """Bytes as they stand in the file, and what the head must know of them (nothing for most formats)."""

    data: bytes
    index: bytes = b""


@dataclass(frozen=True)
class Encoded:
    """What encoding one tile gives.

    *data* and *index* belong together: encoding the tile again may give other bytes, of the same pixels.
    *checksum* is that of what was compressed. *overviews* holds the tile at half its size, at a quarter and
    so on, each to be put elsewhere in the file; *rest* is the tile once more by half, as pixels, where
    further overviews span several tiles.
    """

    data: bytes
    checksum: Adler = field(default_factory=Adler)
    index: bytes = b""
    overviews: tuple[Coded, ...] = ()
    rest: Array | None = None


class Unit(NamedTuple):
    """What the sides of tiles are multiples of, save at the right and the bottom edge of the image.

    *width* is None where a tile is as wide as the image.
    """

    width: int | None
    height: int


@dataclass(frozen=True)
class Layout:
    """Where everything lies: for each level (the image, its overviews) the grid and the index of its parts.

    *index* holds for each level the `Coded.index` of its parts in the grid's order. The data lies in the
    file level by level, the last one (the smallest) first, and in each level part by part.
    """

    grids: tuple[Grid, ...]
    index: Sequence[Sequence[bytes]]


@dataclass(frozen=True)
class Picture:
    """What the head of a file says.

    *icc* and *exif* are blocks of bytes or nothing; *exif* begins with its TIFF header. *dpi* is dots per
    inch across and down. The pixels are upright, and the file says so whatever *exif* says.
    """

    width: int
    height: int
    pixels: Pixels
    icc: bytes = b""
    dpi: tuple[float, float] | None = None
    exif: bytes = b""

    @property
    def resolution(self) -> tuple[float, float] | None:
        """Return *dpi*, or nothing if it makes no sense: files come with 0, infinity and other mistakes."""
        sound = self.dpi and all(_LEAST_DPI <= dots <= _MOST_DPI for dots in self.dpi)
        return self.dpi if sound else None


class Codec(Protocol):
    """An output format whose tiles concatenate: head, tiles, tail."""

    media_type: ClassVar[str]
    extension: ClassVar[str]

    @property
    def unit(self) -> Unit:
        """Return what the sides of tiles must be multiples of."""

    def check(self, width: int, height: int, pixels: Pixels) -> None:
        """Raise `tessera.errors.InvalidOutput` if the format can't hold such an image."""

    def levels(self, grid: Grid) -> tuple[Grid, ...]:
        """Return the parts of the image cut by *grid*, which comes first, and of its overviews."""
        return (grid,)

    def encode(self, tile: Array, rect: Rect, grid: Grid) -> Encoded:
        """Return the bytes of the tile of *grid* that is *rect*.

        *tile* is (rows, columns, channels), uint8 or uint16, BGR(A). The same tile gives the same pixels, but
        fast deflate was seen to give other bytes in another run: the index of one run must not be put
        together with the data of another.

        Raises
        ------
        ValueError
            If *rect* doesn't fall on the format's unit.
        """

    def frame(self, picture: Picture, checksum: Adler, layout: Layout | None = None) -> tuple[bytes, bytes]:
        """Return the head and the tail (which may be empty) around the tiles.

        *checksum* is that of the tiles combined in order. *layout* is needed where tiles have an index.
        """
