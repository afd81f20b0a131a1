"""JPEG with restart markers, read at random: an index of the markers says where rows of units begin.

Between two restart markers nothing depends on what comes before (ITU-T T.81, E.1.4), so some intervals under
the same header, with another height and the markers numbered from 0, are a JPEG file of those rows.
"""

import math
import zlib
from collections.abc import Iterator
from itertools import chain

import numpy as np

from tessera.formats.base import Array, ImageFile, Limits, damaged
from tessera.formats.jpeg import JpegHead, describe, read_head
from tessera.formats.ranges import Feed, Ranges
from tessera.formats.vips import VipsRows
from tessera.geometry import Rect, ceil_div

_RST0, _RST7 = 0xD0, 0xD7
_FETCHED_ROWS = 64
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
    if not head.has_groups(limits):
        return None
    group = math.lcm(head.interval, head.units_across) // head.interval
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
    wanted = ceil_div(head.units, head.interval) - 1
    if count != wanted or not end:
        raise damaged(f"it has {count:,} restart markers of {wanted:,}, or no end")
    # As if one more restart marker came before the end.
    starts = starts[: ceil_div(head.units, group * head.interval)]
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
        self._intervals = math.lcm(head.interval, head.units_across) // head.interval
        self.group_rows = head.group_rows
        self.groups = ceil_div(head.height, self.group_rows)
        # Upsampling looks at the rows of chroma above and below.
        self._halo = int(len({vertical for _, vertical in head.sampling}) > 1)

    def bands(self, rows: int, stop: int) -> Iterator[Array]:
        """Yield rows 0 to *stop*, *rows* at a time."""
        return self._open(0, self.groups).bands(rows, stop)

    def read(self, rect: Rect) -> Array:
        """Return the pixels of *rect*."""
        first = max(0, rect.y0 // self.group_rows - self._halo)
        last = min(self.groups, ceil_div(rect.y1, self.group_rows) + self._halo)
        rows, top = self._open(first, last), first * self.group_rows
        out = None
        for y0 in range(top, rect.y1, _FETCHED_ROWS):
            y1 = min(y0 + _FETCHED_ROWS, rect.y1)
            found = rows.fetch(y0 - top, y1 - top)
            if out is None:
                out = np.empty((rect.height, rect.width, found.shape[2]), found.dtype)
            if y1 > rect.y0:
                start = max(y0, rect.y0)
                out[start - rect.y0 : y1 - rect.y0] = found[start - y0 :, rect.x0 : rect.x1]
        assert out is not None
        return out

    def _open(self, first: int, last: int) -> VipsRows:
        """Return groups *first* to *last* as an image of their own."""
        height = min(last * self.group_rows, self._head.height) - first * self.group_rows
        start, stop = int(self._offsets[first]), int(self._offsets[last]) - 2
        pieces = self._ranges.stream(start, stop)
        shift = first * self._intervals % 8
        if shift:
            pieces = iter([_renumbered(b"".join(pieces), shift)])
        return VipsRows("jpegload", Feed(chain([_header(self._head, height)], pieces, [b"\xff\xd9"])))


def _renumbered(data: bytes, shift: int) -> bytes:
    """Return intervals whose markers count from 0 instead of from *shift*."""
    raw = np.frombuffer(data, np.uint8).copy()
    at = np.flatnonzero((raw[:-1] == 0xFF) & (raw[1:] >= _RST0) & (raw[1:] <= _RST7)) + 1
    raw[at] = _RST0 + ((raw[at] - _RST0 - shift) & 7)
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
