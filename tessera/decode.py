"""Reading uploads: what the header says, and rows from top to bottom in bounded memory.

The decoder is libvips through a source that reads byte ranges; every warning of the decoder is an error, so
that a truncated or damaged file never turns into grey pixels.
"""

import struct
from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
import pyvips
from numpy.typing import NDArray

from tessera.errors import CorruptImage, UnsupportedFormat
from tessera.geometry import Rect
from tessera.plan import Depth, ImageInfo, InputFormat, Pixels

type ReadRange = Callable[[int, int], bytes]
"""Return up to *length* bytes from *offset*; fewer only at the end of the upload."""

MAGIC: dict[InputFormat, bytes] = {"png": b"\x89PNG\r\n\x1a\n", "jpeg": b"\xff\xd8\xff"}
_CHUNK = 4 << 20
_HEADER_CHUNK = 64 << 10
_DEPTHS: dict[str, Depth] = {"uchar": 8, "ushort": 16}
_DECODED_WHOLE = ("jpeg-multiscan", "interlaced")
_FROM_RGB = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}

pyvips.cache_set_max(0)


def sniff(first_bytes: bytes) -> InputFormat:
    """Return the format that an upload's first bytes (at least 8) belong to.

    Raises
    ------
    CorruptImage
        If there are none.
    UnsupportedFormat
        If they are those of no format that is read here.
    """
    if not first_bytes:
        raise CorruptImage("the upload is empty", hint="upload the file again", limit=1, actual=0)
    for name, magic in MAGIC.items():
        if first_bytes.startswith(magic):
            return name
    raise UnsupportedFormat(
        f"the upload begins with {first_bytes[:8].hex(' ')}, which is neither PNG nor JPEG",
        hint=f"send one of {', '.join(MAGIC)}",
    )


class Decoder:
    """An upload opened for one pass from top to bottom.

    Parameters
    ----------
    read
        Gives byte ranges of the upload.
    size
        Its bytes.

    Raises
    ------
    UnsupportedFormat
        If it isn't an image of a format, colour space or depth that is read here.
    CorruptImage
        If its header is damaged, or says that there are no pixels.
    """

    def __init__(self, read: ReadRange, size: int) -> None:
        self.size = size
        self.format = sniff(read(0, 8))
        if self.format == "png":
            _check_png_sides(read(16, 8))
        self._stream = _Stream(read, size)
        self._source = pyvips.SourceCustom()
        self._source.on_read(self._stream.next)
        self._image = _open(self._source, self._stream, self.format)
        self._region = pyvips.Region.new(self._image)
        self.width: int = self._image.width
        self.height: int = self._image.height
        self.pixels = _pixels(self._image)

    def info(self, etag: str) -> ImageInfo:
        """Return what the header says, for an upload whose bytes are pinned by *etag*."""
        return ImageInfo(
            format=self.format,
            width=self.width,
            height=self.height,
            pixels=self.pixels,
            size=self.size,
            etag=etag,
            orientation=self._orientation,
            icc=bool(self.icc),
            progressive=any(name in self._fields and self._image.get(name) for name in _DECODED_WHOLE),
        )

    @property
    def icc(self) -> bytes:
        """Return the colour profile, or nothing."""
        if "icc-profile-data" not in self._fields:
            return b""
        return bytes(self._image.get("icc-profile-data"))

    def bands(self, rows: int, start: int = 0, stop: int | None = None) -> Iterator[NDArray[Any]]:
        """Yield rows ``start <= row < stop`` from top to bottom, *rows* at a time; the rest isn't decoded.

        Yields
        ------
        numpy.ndarray
            (rows, columns, channels), uint8 or uint16, C-contiguous, BGR(A); the last may have fewer rows.

        Raises
        ------
        CorruptImage
            If the data ends early or is damaged.
        """
        dtype = np.dtype(f"u{self.pixels.depth // 8}")
        stop = self.height if stop is None else stop
        for y0 in range(start, stop, rows):
            band = Rect(0, y0, self.width, min(y0 + rows, stop))
            try:
                data = self._region.fetch(0, y0, band.width, band.height)
            except pyvips.Error as error:
                raise _cause(
                    self._stream, error, f"its pixels end or break by row {band.y1} of {self.height}"
                ) from error
            raster: NDArray[Any] = np.frombuffer(data, dtype)
            raster = raster.reshape(band.height, band.width, self.pixels.channels)
            conversion = _FROM_RGB.get(self.pixels.channels)
            yield raster if conversion is None else cv2.cvtColor(raster, conversion)

    @property
    def _fields(self) -> list[str]:
        return list(self._image.get_fields())

    @property
    def _orientation(self) -> int:
        orientation = self._image.get("orientation") if "orientation" in self._fields else 1
        return orientation if 1 <= orientation <= 8 else 1


class _Stream:
    """A stream over byte ranges, read ahead in large pieces.

    It knows nothing of the source that it feeds: a cycle of the two would outlive the job.
    """

    def __init__(self, read: ReadRange, size: int) -> None:
        self._read, self._size = read, size
        self._position, self._start, self._buffer = 0, 0, b""
        self.fault: Exception | None = None

    def next(self, length: int) -> bytes:
        """Return up to *length* bytes; none at the end, or at a fault of the storage, which is kept."""
        try:
            return self._take(length)
        except Exception as error:
            self.fault = error
            return b""

    def _take(self, length: int) -> bytes:
        offset = self._position - self._start
        if offset >= len(self._buffer) and self._position < self._size:
            piece = _HEADER_CHUNK if self._position == 0 else _CHUNK
            self._buffer = self._read(self._position, min(piece, self._size - self._position))
            self._start, offset = self._position, 0
        data = self._buffer[offset : offset + length]
        self._position += len(data)
        return data


def _open(source: pyvips.SourceCustom, stream: _Stream, name: InputFormat) -> Any:
    loader = pyvips.Image.pngload_source if name == "png" else pyvips.Image.jpegload_source
    try:
        return loader(source, access="sequential", fail_on="warning")
    except pyvips.Error as error:
        raise _cause(stream, error, "its header is damaged or incomplete") from error


def _pixels(image: Any) -> Pixels:
    if image.interpretation == "cmyk":
        raise UnsupportedFormat("the image is CMYK", hint="convert it to RGB or gray")
    depth = _DEPTHS.get(image.format)
    if depth is None or not 1 <= image.bands <= 4:
        raise UnsupportedFormat(
            f"the image has {image.bands} channels of {image.format}", hint="send 8 or 16 bits"
        )
    return Pixels(channels=image.bands, depth=depth)


def _check_png_sides(width_and_height: bytes) -> None:
    if len(width_and_height) == 8 and 0 in struct.unpack(">II", width_and_height):
        width, height = struct.unpack(">II", width_and_height)
        raise _no_pixels(f"{width} x {height}")


def _no_pixels(size: str) -> CorruptImage:
    return CorruptImage(f"the image has 0 pixels ({size})", hint="export it again", limit=1, actual=0)


def _cause(stream: _Stream, error: pyvips.Error, where: str) -> Exception:
    """Return the fault of the storage if there was one; else what the decoder says of the file."""
    if stream.fault is not None:
        return stream.fault
    message = error.detail.strip().splitlines()[-1] if error.detail.strip() else "no reason given"
    if "Empty JPEG image" in message:
        return _no_pixels("its header names no rows or columns")
    return CorruptImage(
        f"the image is truncated or damaged: {where} ({message})", hint="upload the file again"
    )
