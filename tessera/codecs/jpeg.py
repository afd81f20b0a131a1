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
from tessera.codecs.base import Array, Encoded, Picture
from tessera.codecs.metadata import exif_orientation, icc_segments
from tessera.errors import InvalidOutput
from tessera.geometry import ceil_div
from tessera.plan import Pixels, Subsampling

_MAX_SIDE = 65_500
"""What OpenCV, Pillow and libvips write and read; the format itself ends at 65,535."""
_APP0, _START_OF_FRAME, _START_OF_SCAN, _END = 0xE0, 0xC0, 0xDA, b"\xff\xd9"
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
_SAMPLING = {
    "4:2:0": (cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420, 16, 16),
    "4:2:2": (cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422, 16, 8),
    "4:4:4": (cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444, 8, 8),
}


@dataclass(frozen=True)
class JpegCodec:
    """Baseline JPEG, gray or colour, 8 bits."""

    quality: int = 90
    subsampling: Subsampling = "4:2:0"
    media_type = "image/jpeg"
    extension = "jpg"

    def check(self, width: int, height: int, pixels: Pixels) -> None:
        """Raise `InvalidOutput` for alpha, 16 bits, or a side that JPEG can't have."""
        reason = None
        if pixels.has_alpha:
            reason = "JPEG has no alpha channel"
        elif pixels.depth != 8:
            reason = f"JPEG has 8 bits, and the result has {pixels.depth}"
        elif max(width, height) > _MAX_SIDE:
            reason = f"JPEG sides end at {_MAX_SIDE}, and the result is {width} x {height}"
        if reason:
            raise InvalidOutput(reason, hint="choose png", pointer="/output/format")

    def encode(self, band: Array, y0: int, *, last: bool) -> Encoded:
        """Return the entropy-coded data of the band.

        Raises
        ------
        ValueError
            If the band doesn't begin and, unless it is the *last*, end with a row of coding units.
        """
        _, unit_rows = self._unit(band.shape[2])
        if y0 % unit_rows or (not last and band.shape[0] % unit_rows):
            raise ValueError(
                f"rows {y0} to {y0 + band.shape[0]} don't fall on rows of coding units of {unit_rows}"
            )
        coded = self._imencode(band)
        data = coded[_header_end(coded) : -len(_END)]
        first = y0 // unit_rows
        if first % 8:
            data = _renumbered(data, first)
        if not last:
            data += bytes((0xFF, 0xD0 + (first + band.shape[0] // unit_rows - 1) % 8))
        return Encoded(data)

    def frame(self, picture: Picture, checksum: Adler) -> tuple[bytes, bytes]:
        """Return the headers of a blank picture of this width with the true height, and the end marker."""
        channels = picture.pixels.channels
        _, unit_rows = self._unit(channels)
        blank = self._imencode(np.zeros((unit_rows, picture.width, channels), np.uint8))
        head = bytearray(blank[: _header_end(blank)])
        starts = {marker: (start, start + length) for marker, start, length in _segments(head)}
        struct.pack_into(">H", head, starts[_START_OF_FRAME][0] + 5, picture.height)
        _, after_app0 = starts[_APP0]
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
    segments = icc_segments(picture.icc)
    if picture.orientation != 1:
        body = b"Exif\0\0" + exif_orientation(picture.orientation)
        segments = b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + segments
    return segments


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
