"""Uploads of PNG and JPEG, as they were opened before there was `tessera.formats`."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from numpy.typing import NDArray

from tessera import formats
from tessera.errors import UnsupportedFormat
from tessera.formats import ReadRange
from tessera.plan import ImageInfo, InputFormat

__all__ = ["Decoder", "ReadRange", "sniff"]


def sniff(first_bytes: bytes) -> InputFormat:
    """Return the format that an upload's first bytes (at least 8) belong to.

    Raises
    ------
    CorruptImage
        If there are none.
    UnsupportedFormat
        If they are neither those of PNG nor of JPEG.
    """
    with suppress(UnsupportedFormat):
        name = formats.sniff(first_bytes)
        if name == "png" or name == "jpeg":
            return name
    raise UnsupportedFormat(
        f"the upload begins with {first_bytes[:8].hex(' ')}, which is neither PNG nor JPEG",
        hint="send one of png, jpeg",
    )


class Decoder:
    """An upload opened for one pass from top to bottom. Errors are those of `tessera.formats.open_image`."""

    def __init__(self, read: ReadRange, size: int) -> None:
        self.size = size
        self.format = sniff(read(0, formats.FIRST_BYTES))
        self._image = formats.open_image(read, size)
        self.width, self.height, self.pixels = self._image.width, self._image.height, self._image.pixels
        self.icc = self._image.icc

    def info(self, etag: str) -> ImageInfo:
        """Return what the header says, for an upload whose bytes are pinned by *etag*."""
        return ImageInfo(
            format=self.format,
            width=self.width,
            height=self.height,
            pixels=self.pixels,
            size=self.size,
            etag=etag,
            orientation=self._image.orientation,
            icc=bool(self.icc),
            progressive=self._image.progressive,
        )

    def bands(self, rows: int) -> Iterator[NDArray[Any]]:
        """Yield the image from top to bottom, *rows* rows at a time, as `ImageFile.bands` does."""
        return self._image.bands(rows)
