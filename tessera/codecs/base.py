"""What every output format can do: encode bands alone, and frame them without looking at them."""

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from numpy.typing import NDArray

from tessera.checksum import Adler
from tessera.plan import Pixels

type Array = NDArray[Any]


class Encoded(NamedTuple):
    """The bytes of one band as they stand in the file, and the checksum of what was compressed."""

    data: bytes
    checksum: Adler = Adler()


@dataclass(frozen=True)
class Picture:
    """What the head of a file says. *icc* is a profile or nothing; *orientation* is that of EXIF, 1 to 8."""

    width: int
    height: int
    pixels: Pixels
    icc: bytes = b""
    orientation: int = 1


class Codec(Protocol):
    """An output format whose bands concatenate: head, bands in order, tail."""

    media_type: str
    extension: str

    def check(self, width: int, height: int, pixels: Pixels) -> None:
        """Raise `tessera.errors.InvalidOutput` if the format can't hold such an image."""

    def encode(self, band: Array, y0: int, *, last: bool) -> Encoded:
        """Return the bytes of a full-width band whose first row is row *y0* of the image.

        *band* is (rows, columns, channels), uint8 or uint16, BGR(A). The same band gives the same bytes.
        """

    def frame(self, picture: Picture, checksum: Adler) -> tuple[bytes, bytes]:
        """Return the head and the tail around the bands whose combined checksum is *checksum*."""
