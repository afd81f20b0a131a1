"""PNG in strips: each is one IDAT chunk of sync-flushed deflate data that needs no other strip.

The first row of a strip is filtered without the row above it, so none looks at its neighbour; the Adler-32
of the whole zlib stream is combined from theirs. A band is encoded strip by strip, each of which stays in the
processor's cache on its way.
(W3C Portable Network Graphics Specification, third edition; RFC 1950; RFC 1951.)
"""

import os
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from isal import isal_zlib

from tessera.checksum import Adler
from tessera.codecs import exif, holds
from tessera.codecs.base import Array, Codec, Compression, Encoded, Layout, Picture, Unit
from tessera.codecs.deflate import RAW, SYNC, deflated
from tessera.codecs.png_filters import UP, best_filter, filtered
from tessera.geometry import Grid, Rect
from tessera.plan import Pixels

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
_TO_RGB = {3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGBA}
_ZLIB_HEADER = b"\x78\x01"
_FINAL_EMPTY_BLOCK = b"\x03\x00"
_METRE = 1
_INCH = 0.0254
"""Metres."""
_STRIP_BYTES = 2 << 20
_LEAST_ROWS = 64
"""Of a strip: the sample of which a filter and a strategy are chosen has 16 rows at least."""
_THREADS = min(4, os.process_cpu_count() or 1)


@dataclass(frozen=True)
class PngCodec(Codec):
    """PNG, 8 and 16 bits, gray, gray with alpha, RGB and RGBA."""

    compression: Compression = "fast"
    media_type = "image/png"
    extension = "png"

    @property
    def unit(self) -> Unit:
        """Return that any full-width band will do."""
        return Unit(None, 1)

    def check(self, width: int, height: int, pixels: Pixels) -> None:
        """Raise `InvalidOutput` if a side is longer than a PNG's can be."""
        holds.check("png", width, height, pixels)

    def encode(self, tile: Array, rect: Rect, grid: Grid) -> Encoded:
        """Return a full-width band as IDAT chunks, and the Adler-32 of its filtered rows.

        Raises
        ------
        ValueError
            If the band isn't as wide as the image.
        """
        if rect.width != grid.width:
            raise ValueError(f"{rect} isn't as wide as the image, {grid.width}")
        rows = max(_LEAST_ROWS, _STRIP_BYTES // tile[0].nbytes)
        cut = [tile[start : start + rows] for start in range(0, len(tile), rows)]
        with ThreadPoolExecutor(_THREADS) as pool:
            strips = list(pool.map(self._strip, cut))
        checksum = Adler.combined(strip.checksum for strip in strips)
        return Encoded(b"".join(strip.data for strip in strips), checksum)

    def _strip(self, strip: Array) -> Encoded:
        rows, pixel_bytes = _raw_rows(strip), strip.shape[2] * strip.dtype.itemsize
        kind = UP if self.compression == "fast" else best_filter(rows, pixel_bytes)
        raw = filtered(rows, pixel_bytes, kind)
        data = deflated(raw, self.compression, form=RAW, end=SYNC)
        return Encoded(_chunk(b"IDAT", data), Adler(isal_zlib.adler32(raw), raw.nbytes))

    def frame(self, picture: Picture, checksum: Adler, layout: Layout | None = None) -> tuple[bytes, bytes]:
        """Return signature, header and metadata; and the end of the zlib stream and of the file."""
        pixels = picture.pixels
        colour_type = _COLOUR_TYPES[pixels.channels]
        header = struct.pack(">IIBBBBB", picture.width, picture.height, pixels.depth, colour_type, 0, 0, 0)
        head = [_SIGNATURE, _chunk(b"IHDR", header)]
        if picture.icc:
            head.append(_chunk(b"iCCP", b"icc\0\0" + zlib.compress(picture.icc)))
        if picture.resolution:
            across, down = (round(dots / _INCH) for dots in picture.resolution)
            head.append(_chunk(b"pHYs", struct.pack(">IIB", across, down, _METRE)))
        if block := exif.upright(picture.exif, picture.width, picture.height):
            head.append(_chunk(b"eXIf", block))
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


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = isal_zlib.crc32(data, isal_zlib.crc32(kind))
    return b"".join((struct.pack(">I", len(data)), kind, data, struct.pack(">I", checksum)))
