"""PNG files of any kind, chunk by chunk, for what no library writes."""

import struct
import zlib

import numpy as np

from tests.support.images import Image

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def chunk(name: bytes, data: bytes) -> bytes:
    """Return a chunk with its length and checksum."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def header(width: int, height: int, bits: int = 8, kind: int = 2, interlaced: int = 0) -> bytes:
    """Return signature and IHDR."""
    return SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, interlaced))


def png(samples: Image, bits: int, kind: int, *, interlaced: bool = False, before: bytes = b"") -> bytes:
    """Return a PNG of *samples*, (height, width, channels), with the chunks *before* its pixels."""
    height, width = samples.shape[:2]
    passes = _PASSES if interlaced else ((0, 0, 1, 1),)
    raw = b"".join(_rows(samples[y::dy, x::dx], bits) for x, y, dx, dy in passes)
    data = zlib.compress(raw)
    pieces = [data[start : start + 2000] for start in range(0, len(data), 2000)]
    body = b"".join(chunk(b"IDAT", piece) for piece in pieces)
    return header(width, height, bits, kind, int(interlaced)) + before + body + chunk(b"IEND", b"")


def _rows(samples: Image, bits: int) -> bytes:
    if samples.size == 0:
        return b""
    flat = samples.reshape(len(samples), -1)
    if bits == 16:
        packed = flat.astype(">u2").view(np.uint8)
    elif bits == 8:
        packed = flat.astype(np.uint8)
    else:
        digits = np.unpackbits(flat.astype(np.uint8)[..., np.newaxis], axis=-1)[..., 8 - bits :]
        packed = np.packbits(digits.reshape(len(flat), -1), axis=1)
    return b"".join(b"\0" + row.tobytes() for row in packed)
