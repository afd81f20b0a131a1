"""BMP: uncompressed, so any rows are one range read.

Structures as in Microsoft's documentation of BITMAPFILEHEADER and BITMAPINFOHEADER to BITMAPV5HEADER.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tessera.errors import UnsupportedFormat
from tessera.formats import exif
from tessera.formats.base import Array, ImageFile, Limits, check_size, damaged, rechunk
from tessera.formats.ranges import Ranges
from tessera.geometry import Rect
from tessera.plan import Pixels

_CORE, _INFO = 12, 40
_HEADERS = (_CORE, _INFO, 52, 56, 64, 108, 124)
_RGB, _BITFIELDS, _ALPHA_BITFIELDS = 0, 3, 6
_COMPRESSIONS = {1: "RLE8", 2: "RLE4", 4: "JPEG", 5: "PNG"}
_MASKS = {16: (0x7C00, 0x03E0, 0x001F, 0), 32: (0xFF0000, 0xFF00, 0xFF, 0)}
_READ_BYTES = 8 << 20


@dataclass(frozen=True)
class _Layout:
    """Where rows lie and how their pixels are packed. *masks* are red, green, blue, alpha."""

    width: int
    height: int
    bottom_up: bool
    bits: int
    offset: int
    masks: tuple[int, int, int, int]
    palette: Array | None

    @property
    def stride(self) -> int:
        return (self.width * self.bits + 31) // 32 * 4

    @property
    def channels(self) -> int:
        if self.palette is not None:
            return int(self.palette.shape[1])
        return 4 if self.masks[3] else 3


def open_bmp(ranges: Ranges, page: int, limits: Limits) -> ImageFile:
    """Open a BMP.

    Raises
    ------
    CorruptImage
        If the header is damaged, says that there are no pixels, or the file ends before they do.
    UnsupportedFormat
        If the pixels are compressed, or of an unknown number of bits.
    LimitExceeded
        If it has more pixels than *limits* allow.
    """
    layout, dpi = _read_header(ranges, limits)
    end = layout.offset + layout.stride * layout.height
    if end > ranges.size:
        raise damaged(f"its pixels end at byte {end:,} of {ranges.size:,}")
    return ImageFile(
        format="bmp",
        width=layout.width,
        height=layout.height,
        pixels=Pixels(channels=layout.channels),
        source=BmpRows(ranges, layout),
        dpi=dpi,
        random=True,
        block=(layout.width, 1),
    )


class BmpRows:
    """Rows of a BMP, each read when it is asked for."""

    def __init__(self, ranges: Ranges, layout: _Layout) -> None:
        self._ranges, self._layout = ranges, layout

    def bands(self, rows: int, stop: int) -> Iterator[Array]:
        """Yield rows 0 to *stop*, *rows* at a time."""
        for y0 in range(0, stop, rows):
            yield self.read(Rect(0, y0, self._layout.width, min(y0 + rows, stop)))

    def read(self, rect: Rect) -> Array:
        """Return the pixels of *rect*."""
        layout = self._layout
        step = max(1, _READ_BYTES // layout.stride)
        parts = (self._rows(y, min(y + step, rect.y1), rect) for y in range(rect.y0, rect.y1, step))
        return next(rechunk(parts, rect.height))

    def _rows(self, y0: int, y1: int, rect: Rect) -> Array:
        layout = self._layout
        first = layout.height - y1 if layout.bottom_up else y0
        offset = layout.offset + first * layout.stride
        data = self._ranges.at(offset, (y1 - y0) * layout.stride, "its pixels")
        packed = np.frombuffer(data, np.uint8).reshape(y1 - y0, layout.stride)
        if layout.bottom_up:
            packed = packed[::-1]
        return _unpack(packed, layout, rect.x0, rect.x1)


def _unpack(packed: Array, layout: _Layout, x0: int, x1: int) -> Array:
    if layout.palette is not None:
        return layout.palette[_indices(packed, layout.bits, layout.width)[:, x0:x1]]
    if layout.bits == 24:
        return packed[:, 3 * x0 : 3 * x1].reshape(len(packed), x1 - x0, 3)
    step = layout.bits // 8
    columns = np.ascontiguousarray(packed[:, step * x0 : step * x1])
    values = columns.view(f"<u{step}").astype(np.uint32)
    red, green, blue, alpha = layout.masks
    order = (blue, green, red, alpha) if alpha else (blue, green, red)
    return np.stack([_masked(values, mask) for mask in order], axis=-1)


def _masked(values: Array, mask: int) -> Array:
    """Return the bits under *mask*, scaled to 0 to 255."""
    if not mask:
        return np.zeros(values.shape, np.uint8)
    shift = (mask & -mask).bit_length() - 1
    top = mask >> shift
    part = ((values & np.uint32(mask)) >> np.uint32(shift)).astype(np.uint64)
    return (part * 255 // top).astype(np.uint8)


def _indices(packed: Array, bits: int, width: int) -> Array:
    if bits == 8:
        return packed[:, :width]
    if bits == 1:
        return np.unpackbits(packed, axis=1)[:, :width]
    return np.stack([packed >> 4, packed & 15], axis=-1).reshape(len(packed), -1)[:, :width]


def _read_header(ranges: Ranges, limits: Limits) -> tuple[_Layout, tuple[float, float] | None]:
    offset, size = struct.unpack("<I4xI", ranges.at(10, 12)[:4] + bytes(4) + ranges.at(14, 4))
    if size not in _HEADERS:
        raise damaged(f"its header says it has {size} bytes")
    header = ranges.at(14, size)
    compression, x, y, colours = 0, 0, 0, 0
    if size == _CORE:
        width, height, planes, bits = struct.unpack_from("<HHHH", header, 4)
    else:
        width, height, planes, bits, compression, _, x, y, colours = struct.unpack_from(
            "<iiHHIIiiI", header, 4
        )
    check_size(max(width, 0), abs(height), limits)
    if compression not in (_RGB, _BITFIELDS, _ALPHA_BITFIELDS):
        name = _COMPRESSIONS.get(compression, f"number {compression}")
        raise UnsupportedFormat(f"the BMP is compressed ({name})", hint="save it without compression")
    if planes != 1 or bits not in (1, 4, 8, 16, 24, 32):
        raise UnsupportedFormat(
            f"the BMP has {planes} planes of {bits} bits", hint="save it with 8, 24 or 32 bits"
        )
    masks = _masks(ranges, header, compression, bits)
    palette = _palette(ranges, 14 + size, size, bits, colours) if bits <= 8 else None
    if offset < 14 + size:
        raise damaged(f"its pixels begin at byte {offset}, inside its header")
    layout = _Layout(width, abs(height), height > 0, bits, offset, masks, palette)
    return layout, exif.to_dpi(x / 100, y / 100, 3)


def _masks(ranges: Ranges, header: bytes, compression: int, bits: int) -> tuple[int, int, int, int]:
    if compression == _RGB or bits not in _MASKS:
        return _MASKS.get(bits, (0, 0, 0, 0))
    if len(header) >= 56:
        red, green, blue, alpha = struct.unpack_from("<IIII", header, 40)
    else:
        count = 4 if compression == _ALPHA_BITFIELDS else 3
        given = struct.unpack(f"<{count}I", ranges.at(54, 4 * count))
        red, green, blue, alpha = (*given, 0)[:4]
    masks = (red, green, blue, alpha)
    contiguous = all(mask == 0 or (mask // (mask & -mask) + 1).bit_count() == 1 for mask in masks)
    if not contiguous or (red | green | blue | alpha) >> bits or not (red and green and blue):
        raise damaged(f"its colour masks make no sense ({', '.join(f'{mask:x}' for mask in masks)})")
    return masks


def _palette(ranges: Ranges, at: int, size: int, bits: int, colours: int) -> Array:
    """Return the palette padded to all indices: (2 ** bits, 3), or (2 ** bits, 1) if it is gray."""
    entry = 3 if size == _CORE else 4
    count = colours or 1 << bits
    if count > 1 << bits:
        raise damaged(f"it says {count:,} colours of {bits} bits")
    table = np.frombuffer(ranges.at(at, entry * count), np.uint8).reshape(count, entry)[:, :3]
    palette = np.zeros((1 << bits, 3), np.uint8)
    palette[:count] = table
    gray = bool((table == table[:, :1]).all())
    return palette[:, :1] if gray else palette
