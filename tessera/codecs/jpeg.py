"""JPEG in bands: restart markers let every band be coded alone, with its markers numbered as in the whole.

The bands together are byte for byte what OpenCV writes for the whole image with one restart interval per row
of coding units. (ITU-T T.81, restart intervals: B.2.1, B.2.4.4 and E.1.4.)
"""

import re
import struct
from dataclasses import dataclass

import cv2
import numpy as np

from tessera.checksum import Adler
from tessera.codecs import exif, holds
from tessera.codecs.base import Array, Codec, Encoded, Layout, Picture, Unit
from tessera.codecs.metadata import exif_segment, icc_segments
from tessera.geometry import Grid, Rect, ceil_div
from tessera.plan import Pixels, Subsampling

_APP0, _START_OF_FRAME, _START_OF_SCAN, _END = 0xE0, 0xC0, 0xDA, b"\xff\xd9"
_INCH = 1
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
_SAMPLING = {
    "4:2:0": (cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420, 16, 16),
    "4:2:2": (cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422, 16, 8),
    "4:4:4": (cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444, 8, 8),
    "4:1:1": (cv2.IMWRITE_JPEG_SAMPLING_FACTOR_411, 32, 8),
}


@dataclass(frozen=True)
class JpegCodec(Codec):
    """Baseline JPEG, gray or colour, 8 bits."""

    quality: int = 90
    subsampling: Subsampling = "4:2:0"
    media_type = "image/jpeg"
    extension = "jpg"

    @property
    def unit(self) -> Unit:
        """Return the rows of a coding unit of colour, of which those of gray are a part."""
        return Unit(None, self._unit(3)[1])

    def check(self, width: int, height: int, pixels: Pixels) -> None:
        """Raise `InvalidOutput` for alpha, 16 bits, or a side that JPEG can't have."""
        holds.check("jpeg", width, height, pixels)

    def encode(self, tile: Array, rect: Rect, grid: Grid) -> Encoded:
        """Return the entropy-coded data of a full-width band.

        Raises
        ------
        ValueError
            If the band doesn't begin and, unless it is the last, end with a row of coding units.
        """
        _, unit_rows = self._unit(tile.shape[2])
        last = rect.y1 == grid.height
        if rect.y0 % unit_rows or (not last and rect.y1 % unit_rows) or rect.width != grid.width:
            raise ValueError(f"{rect} doesn't fall on full rows of coding units of {unit_rows}")
        coded = self._imencode(tile)
        data = coded[_header_end(coded) : -len(_END)]
        first = rect.y0 // unit_rows
        if first % 8:
            data = _renumbered(data, first)
        if not last:
            data += bytes((0xFF, 0xD0 + (first + tile.shape[0] // unit_rows - 1) % 8))
        return Encoded(data)

    def frame(self, picture: Picture, checksum: Adler, layout: Layout | None = None) -> tuple[bytes, bytes]:
        """Return the headers of a blank picture of this width with the true height, and the end marker."""
        channels = picture.pixels.channels
        _, unit_rows = self._unit(channels)
        blank = self._imencode(np.zeros((unit_rows, picture.width, channels), np.uint8))
        head = bytearray(blank[: _header_end(blank)])
        starts = {marker: (start, start + length) for marker, start, length in _segments(head)}
        struct.pack_into(">H", head, starts[_START_OF_FRAME][0] + 5, picture.height)
        app0, after_app0 = starts[_APP0]
        if picture.resolution:
            struct.pack_into(">BHH", head, app0 + 11, _INCH, *map(_whole_dots, picture.resolution))
        head[after_app0:after_app0] = _application_segments(picture)
        return bytes(head), _END

    def _unit(self, channels: int) -> tuple[int, int]:
        """Return columns and rows of a coding unit (MCU)."""
        if channels == 1:
            return 8, 8
        return _SAMPLING[self.subsampling][1:]

    def _imencode(self, band: Array) -> bytes:
        unit_columns, _ = self._unit(band.shape[2])
        options = [
            cv2.IMWRITE_JPEG_QUALITY,
            self.quality,
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
            _SAMPLING[self.subsampling][0],
            cv2.IMWRITE_JPEG_RST_INTERVAL,
            ceil_div(band.shape[1], unit_columns),
        ]
        _, coded = cv2.imencode(".jpg", band, options)
        return coded.tobytes()


def _application_segments(picture: Picture) -> bytes:
    block = exif.upright(picture.exif, picture.width, picture.height)
    return exif_segment(block) + icc_segments(picture.icc)


def _whole_dots(dots: float) -> int:
    return min(max(round(dots), 1), 0xFFFF)


def _segments(data: bytes | bytearray) -> list[tuple[int, int, int]]:
    """Return marker, start and length (with marker) of each segment up to the start of scan."""
    segments, position = [], 2
    while True:
        marker, length = data[position + 1], 2 + int.from_bytes(data[position + 2 : position + 4])
        segments.append((marker, position, length))
        if marker == _START_OF_SCAN:
            return segments
        position += length


def _header_end(data: bytes) -> int:
    _, start, length = _segments(data)[-1]
    return start + length


def _renumbered(data: bytes, first: int) -> bytes:
    """Number the restart markers as in an image whose units above took *first* intervals."""
    counter = iter(range(first, first + len(data)))
    return _RESTART.sub(lambda _: bytes((0xFF, 0xD0 + next(counter) % 8)), data)
