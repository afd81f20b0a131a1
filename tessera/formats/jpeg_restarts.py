"""JPEG with restart markers, read at random: an index of the markers says where rows of units begin.

Between two restart markers nothing depends on what comes before (ITU-T T.81, E.1.4), so some intervals under
the same header, with another height and the markers numbered from 0, are a JPEG file of those rows.
"""

import math
import zlib
from collections.abc import Iterator

import numpy as np

from tessera.formats.base import Array, ImageFile, Limits, damaged, rechunk
from tessera.formats.jpeg import EOI, JpegHead, describe, read_head
from tessera.formats.ranges import Feed, Ranges
from tessera.formats.vips import VipsRows
from tessera.geometry import Rect, ceil_div

_RST0, _RST7 = 0xD0, 0xD7
_GROUP_BYTES = 16 << 20
_ENTRY = np.dtype("<i8")
_MOST_GROUPS = 1 << 16
"""A JPEG has at most 65,535 rows."""


def index_restarts(ranges: Ranges, head: JpegHead, limits: Limits) -> bytes | None:
    """Return where the groups of rows begin, having read all of the file once, or None.

    A group is the fewest rows of units that begin and end with an interval. There is no index for a file
    without restart markers, one of several scans, or groups that take more than ``limits.block`` decoded.

    Returns
    -------
    bytes
        Deflated differences of 64-bit offsets: a few bytes for each group.

    Raises
    ------
    CorruptImage
        If markers are missing, or out of order.
    """
    if not head.interval or head.whole or _group_bytes(head) > limits.block:
        return None
    group = math.lcm(head.interval, _units_across(head)) // head.interval
    starts, count, end = [head.data_at], 0, 0
    for offset, markers in _markers(ranges, head.data_at):
        for position, marker in markers:
            if not _RST0 <= marker <= _RST7:
                end = offset + position
                break
            if marker != _RST0 + count % 8:
                raise damaged(f"restart marker {count:,} at byte {offset + position:,} is out of order")
            count += 1
            if count % group == 0:
                starts.append(offset + position + 2)
        if end:
            break
    wanted = ceil_div(_units(head), head.interval) - 1
    if count != wanted or not end:
        raise damaged(f"it has {count:,} restart markers of {wanted:,}, or no end")
    # As if one more restart marker came before the end.
    starts = starts[: ceil_div(_units(head), group * head.interval)]
    offsets = np.array([*starts, end + 2], _ENTRY)
    return zlib.compress(np.diff(offsets, prepend=0).astype(_ENTRY).tobytes())


def open_restarts(ranges: Ranges, index: bytes, limits: Limits) -> ImageFile:
    """Open a JPEG to be read at random with the *index* that `index_restarts` gave for it.

    Raises
    ------
    CorruptImage
        If the index isn't that of this file.
    """
    head = read_head(ranges, limits)
    inflated = zlib.decompressobj().decompress(index, _ENTRY.itemsize * _MOST_GROUPS)
    offsets = np.cumsum(np.frombuffer(inflated, _ENTRY))
    source = RestartRows(ranges, head, offsets)
    if len(offsets) != source.groups + 1 or int(offsets[0]) != head.data_at:
        raise damaged("the index of its restart markers is that of another file")
    probe = VipsRows("jpegload", Feed(iter([bytes(head.kept)])))
    block = (head.width, source.group_rows)
    return describe(head, probe.pixels, source, random=True, block=block)


class RestartRows:
    """Rows of a JPEG, each group decoded when its pixels are asked for."""

    def __init__(self, ranges: Ranges, head: JpegHead, offsets: Array) -> None:
        self._ranges, self._head, self._offsets = ranges, head, offsets
        self._intervals = math.lcm(head.interval, _units_across(head)) // head.interval
        self.group_rows = _group_rows(head)
        self.groups = ceil_div(head.height, self.group_rows)
        # Upsampling looks at the rows of chroma above and below.
        self._halo = int(len({vertical for _, vertical in head.sampling}) > 1)

    def bands(self, rows: int, stop: int) -> Iterator[Array]:
        """Yield rows 0 to *stop*, *rows* at a time."""
        step = self._step() * self.group_rows
        width = self._head.width
        parts = (self.read(Rect(0, y0, width, min(y0 + step, stop))) for y0 in range(0, stop, step))
        return rechunk(parts, rows)

    def read(self, rect: Rect) -> Array:
        """Return the pixels of *rect*."""
        first, last = rect.y0 // self.group_rows, ceil_div(rect.y1, self.group_rows)
        parts = []
        for group in range(first, last, self._step()):
            end = min(group + self._step(), last)
            top, bottom = max(rect.y0, group * self.group_rows), min(rect.y1, end * self.group_rows)
            parts.append(self._rows(group, end, top, bottom)[:, rect.x0 : rect.x1])
        return np.ascontiguousarray(np.concatenate(parts))

    def _step(self) -> int:
        return max(1, _GROUP_BYTES // _group_bytes(self._head))

    def _rows(self, first: int, last: int, y0: int, y1: int) -> Array:
        """Return rows *y0* to *y1* of groups *first* to *last*."""
        first, last = max(0, first - self._halo), min(self.groups, last + self._halo)
        top = first * self.group_rows
        height = min(last * self.group_rows, self._head.height) - top
        start, stop = int(self._offsets[first]), int(self._offsets[last]) - 2
        data = self._ranges.at(start, stop - start, "its pixels")
        file = [_header(self._head, height), _renumbered(data, first * self._intervals), bytes((0xFF, EOI))]
        rows = VipsRows("jpegload", Feed(iter(file)))
        return rows.fetch(0, y1 - top)[y0 - top :]


def _renumbered(data: bytes, first: int) -> bytes:
    """Return intervals whose markers, those of interval *first* and on, count from 0."""
    if first % 8 == 0:
        return data
    raw = np.frombuffer(data, np.uint8).copy()
    at = np.flatnonzero((raw[:-1] == 0xFF) & (raw[1:] >= _RST0) & (raw[1:] <= _RST7)) + 1
    raw[at] = _RST0 + ((raw[at] - _RST0 - first % 8) & 7)
    return raw.tobytes()


def _header(head: JpegHead, height: int) -> bytes:
    kept = bytearray(head.kept)
    kept[head.frame_at + 5 : head.frame_at + 7] = height.to_bytes(2)
    return bytes(kept)


def _markers(ranges: Ranges, start: int) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """Yield the offset of each piece of the file, and position and code of the markers that begin in it."""
    kept = b""
    for piece in ranges.stream(start):
        data = kept + piece
        raw = np.frombuffer(data, np.uint8)
        # FF 00 is a stuffed byte of data, and FF FF a fill byte.
        at = np.flatnonzero(raw[:-1] == 0xFF)
        codes = raw[at + 1]
        real = (codes != 0) & (codes != 0xFF)
        yield start, list(zip(at[real].tolist(), codes[real].tolist(), strict=True))
        kept = data[-1:]
        start += len(data) - 1


def _units_across(head: JpegHead) -> int:
    return ceil_div(head.width, head.mcu[0])


def _units(head: JpegHead) -> int:
    return _units_across(head) * ceil_div(head.height, head.mcu[1])


def _group_rows(head: JpegHead) -> int:
    across = _units_across(head)
    return math.lcm(head.interval, across) // across * head.mcu[1]


def _group_bytes(head: JpegHead) -> int:
    return min(_group_rows(head), head.height) * head.width * max(3, len(head.sampling))
