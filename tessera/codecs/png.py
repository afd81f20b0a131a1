"""PNG in bands: every band is one IDAT chunk of sync-flushed deflate data that needs no other band.

The first row of a band is filtered with Sub and the others with Up, so no band looks at its neighbour; the
Adler-32 of the whole zlib stream is combined from those of the bands.
(W3C Portable Network Graphics Specification, third edition; RFC 1950; RFC 1951.)
"""

import struct
import zlib

import cv2
import numpy as np
from isal import isal_zlib

from tessera.checksum import Adler
from tessera.codecs.base import Array, Encoded, Picture
from tessera.codecs.metadata import exif_orientation
from tessera.errors import InvalidOutput
from tessera.plan import Pixels

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
_TO_RGB = {3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGBA}
_FILTER_SUB, _FILTER_UP = 1, 2
_ZLIB_HEADER = b"\x78\x01"
_FINAL_EMPTY_BLOCK = b"\x03\x00"
_MAX_SIDE = 2**31 - 1


class PngCodec:
    """PNG, 8 and 16 bits, gray, gray with alpha, RGB and RGBA."""

    media_type = "image/png"
    extension = "png"

    def check(self, width: int, height: int, pixels: Pixels) -> None:
        """Raise `InvalidOutput` if a side is longer than a PNG's can be."""
        if max(width, height) > _MAX_SIDE:
            raise InvalidOutput(
                f"PNG sides end at {_MAX_SIDE}",
                limit=_MAX_SIDE,
                actual=max(width, height),
                pointer="/output/format",
            )

    def encode(self, band: Array, y0: int, *, last: bool) -> Encoded:
        """Return the band as one IDAT chunk, and the Adler-32 of its filtered rows."""
        filtered = _filtered(_raw_rows(band), band.shape[2] * band.dtype.itemsize)
        deflate = isal_zlib.compressobj(level=1, wbits=-15)
        data = deflate.compress(filtered) + deflate.flush(isal_zlib.Z_SYNC_FLUSH)
        return Encoded(_chunk(b"IDAT", data), Adler(isal_zlib.adler32(filtered), filtered.nbytes))

    def frame(self, picture: Picture, checksum: Adler) -> tuple[bytes, bytes]:
        """Return signature, header and profile; and the end of the zlib stream and of the file."""
        pixels = picture.pixels
        colour_type = _COLOUR_TYPES[pixels.channels]
        header = struct.pack(">IIBBBBB", picture.width, picture.height, pixels.depth, colour_type, 0, 0, 0)
        head = [_SIGNATURE, _chunk(b"IHDR", header)]
        if picture.icc:
            head.append(_chunk(b"iCCP", b"icc\0\0" + zlib.compress(picture.icc)))
        if picture.orientation != 1:
            head.append(_chunk(b"eXIf", exif_orientation(picture.orientation)))
        head.append(_chunk(b"IDAT", _ZLIB_HEADER))
        tail = _chunk(b"IDAT", _FINAL_EMPTY_BLOCK + struct.pack(">I", checksum.value)) + _chunk(b"IEND", b"")
        return b"".join(head), tail


def _raw_rows(band: Array) -> Array:
    """Return the bytes of the rows as PNG wants them: RGB order, big-endian."""
    channels = band.shape[2]
    ordered = cv2.cvtColor(band, _TO_RGB[channels]) if channels in _TO_RGB else np.ascontiguousarray(band)
    if ordered.dtype.itemsize == 2:
        ordered = ordered.astype(">u2")
    return ordered.view(np.uint8).reshape(band.shape[0], -1)


def _filtered(rows: Array, pixel_bytes: int) -> Array:
    filtered = np.empty((rows.shape[0], rows.shape[1] + 1), np.uint8)
    filtered[0, 0], filtered[1:, 0] = _FILTER_SUB, _FILTER_UP
    filtered[0, 1 : 1 + pixel_bytes] = rows[0, :pixel_bytes]
    np.subtract(rows[0, pixel_bytes:], rows[0, :-pixel_bytes], out=filtered[0, 1 + pixel_bytes :])
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    return filtered


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = isal_zlib.crc32(data, isal_zlib.crc32(kind))
    return b"".join((struct.pack(">I", len(data)), kind, data, struct.pack(">I", checksum)))
