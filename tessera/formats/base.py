"""What an opened upload is, whatever its format: facts of the header, and pixels by bands or by rect."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from tessera.errors import CorruptImage, LimitExceeded
from tessera.geometry import Rect
from tessera.plan import Pixels

type ReadRange = Callable[[int, int], bytes]
"""Return up to *length* bytes from *offset*; fewer only at the end of the upload."""
type Array = NDArray[Any]
type FormatName = Literal["jpeg", "png", "tiff", "webp", "gif", "bmp"]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a file may ask for before any pixel is decoded. Each bounds memory or time.

    Parameters
    ----------
    pixels
        Width times height.
    metadata
        Bytes of one metadata block (profile, EXIF), after decompression.
    header
        Bytes before the first pixel that are looked at, metadata included.
    segments
        Strips or tiles of a TIFF page.
    block
        Bytes of one tile, or of the rows between restart markers, decoded.
    whole
        Bytes of a file that its decoder takes whole even for its header (WebP, GIF).
    pages
        Pages of a file.
    """

    pixels: int = 4 << 30
    metadata: int = 16 << 20
    header: int = 64 << 20
    segments: int = 4 << 20
    block: int = 64 << 20
    whole: int = 128 << 20
    pages: int = 1_000


class PixelSource(Protocol):
    """Where the pixels of an image come from."""

    def bands(self, rows: int, stop: int) -> Iterator[Array]:
        """Yield rows 0 to *stop*, *rows* at a time, the last fewer."""

    def read(self, rect: Rect) -> Array:
        """Return the pixels of *rect*, for a source that is random."""


@dataclass(frozen=True, kw_only=True)
class ImageFile:
    """An upload that was opened: nothing of its pixels is decoded yet.

    Parameters
    ----------
    format
        The format by its magic bytes.
    width, height, pixels
        Of the pixels as they are returned: palettes expanded, CMYK as sRGB, 1 to 8 bits as 8.
    orientation
        That of EXIF or TIFF, 1 to 8; the pixels are returned unrotated.
    icc
        Colour profile of the returned pixels; empty if there is none, and for what was CMYK (now sRGB).
    dpi
        Horizontal and vertical dots per inch, where the file says it.
    exif
        The EXIF block (a TIFF structure, without any prefix), or nothing.
    pages
        Pages, frames or directories in the file.
    progressive
        Whether the decoder holds the whole image.
    held
        Bytes that the decoder holds of the whole image, or of a strip that is nearly all of it; 0 where
        memory doesn't grow with the height.
    random
        Whether `read` is cheap for any rect.
    skips
        Whether `read` gives boxes of which each is below the one before; what is between them is decoded, but
        not kept.
    block
        Width and height of a strip or tile, for an image that is random.
    restarts
        Rows of a JPEG's groups of restart intervals, which can be indexed to make it random; 0 without any.
    source
        Gives the pixels.
    """

    format: FormatName
    width: int
    height: int
    pixels: Pixels
    source: PixelSource
    orientation: int = 1
    icc: bytes = b""
    dpi: tuple[float, float] | None = None
    exif: bytes = b""
    pages: int = 1
    progressive: bool = False
    held: int = 0
    random: bool = False
    skips: bool = False
    block: tuple[int, int] | None = None
    restarts: int = 0

    @property
    def frame(self) -> Rect:
        """Return the box of the whole image."""
        return Rect(0, 0, self.width, self.height)

    def bands(self, rows: int, stop: int | None = None, start: int = 0) -> Iterator[Array]:
        """Yield the image from top to bottom, *rows* rows at a time, in bounded memory unless *progressive*.

        A streamed image gives its rows once: open the file again for a second pass.

        Parameters
        ----------
        rows
            Rows of a band, at least 1; the last may have fewer.
        stop
            Row to stop before; by default the height.
        start
            First row to yield.

        Yields
        ------
        numpy.ndarray
            (rows, columns, channels), uint8 or uint16, C-contiguous, gray or BGR, with alpha last.

        Raises
        ------
        tessera.errors.CorruptImage
            If the data ends early or is damaged, as soon as the first row that is not whole would be due.
        """
        found = self.source.bands(rows, self.height if stop is None else min(stop, self.height))
        return rechunk(_without(found, start), rows) if start else found

    def read(self, rect: Rect) -> Array:
        """Return the pixels of *rect*, (rows, columns, channels) as those of `bands`.

        Raises
        ------
        ValueError
            If *rect* isn't inside the image, or the image neither is *random* nor *skips*.
        tessera.errors.CorruptImage
            If the data of the rect ends early or is damaged.
        """
        if not (self.random or self.skips):
            raise ValueError(f"this {self.format} is read from top to bottom only")
        if rect.pixels <= 0 or rect != rect.intersection(self.frame):
            raise ValueError(f"{rect} is not inside {self.width} x {self.height} pixels")
        return self.source.read(rect)


def damaged(where: str) -> CorruptImage:
    """Return the error for a file whose bytes are not what its format demands."""
    return CorruptImage(f"the image is truncated or damaged: {where}", hint="upload the file again")


def check_size(width: int, height: int, limits: Limits) -> None:
    """Refuse an image without pixels, or with more than allowed.

    Raises
    ------
    CorruptImage
        If a side is 0.
    LimitExceeded
        If the pixels exceed ``limits.pixels``.
    """
    if width < 1 or height < 1:
        raise CorruptImage(
            f"the image has 0 pixels ({width} x {height})", hint="export it again", limit=1, actual=0
        )
    if width * height > limits.pixels:
        raise LimitExceeded(
            f"the image has {width:,} x {height:,} pixels, and {limits.pixels:,} are allowed",
            hint="make the image smaller, or raise the setting max_pixels",
            limit=limits.pixels,
            actual=width * height,
        )


def check_limit(what: str, actual: int, limit: int, unit: str = "bytes") -> None:
    """Refuse more of something than a file may have.

    Raises
    ------
    LimitExceeded
        If *actual* exceeds *limit*.
    """
    if actual > limit:
        raise LimitExceeded(
            f"{what}: {actual:,} {unit}, and {limit:,} are allowed",
            hint="export the image without it, or in another way",
            limit=limit,
            actual=actual,
        )


def _without(strips: Iterator[Array], rows: int) -> Iterator[Array]:
    """Yield *strips* without their first *rows* rows."""
    for strip in strips:
        if rows < len(strip):
            yield strip[rows:]
        rows = max(0, rows - len(strip))


def rechunk(strips: Iterator[Array], rows: int) -> Iterator[Array]:
    """Yield the rows of *strips* in bands of *rows*, the last with what is left."""
    held: list[Array] = []
    count = 0
    for strip in strips:
        while count + len(strip) >= rows:
            taken = rows - count
            whole = [*held, strip[:taken]]
            yield np.ascontiguousarray(whole[0] if len(whole) == 1 else np.concatenate(whole))
            held, count, strip = [], 0, strip[taken:]
        if len(strip):
            held.append(strip)
            count += len(strip)
    if held:
        yield np.ascontiguousarray(held[0] if len(held) == 1 else np.concatenate(held))
