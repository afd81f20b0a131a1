"""Directories of TIFF and BigTIFF, read by ranges with bounds on everything a file can ask for.

TIFF revision 6.0 and its supplements; BigTIFF as libtiff defines it.
"""

import struct
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np

from tessera.formats.base import Limits, check_limit, damaged
from tessera.formats.pages import check_page
from tessera.formats.ranges import Ranges


class Tag(IntEnum):
    """The tags that are looked at."""

    WIDTH = 256
    HEIGHT = 257
    BITS = 258
    COMPRESSION = 259
    PHOTOMETRIC = 262
    FILL_ORDER = 266
    STRIP_OFFSETS = 273
    ORIENTATION = 274
    SAMPLES = 277
    ROWS_PER_STRIP = 278
    STRIP_BYTES = 279
    X_RESOLUTION = 282
    Y_RESOLUTION = 283
    PLANAR = 284
    T4_OPTIONS = 292
    T6_OPTIONS = 293
    RESOLUTION_UNIT = 296
    PREDICTOR = 317
    COLOR_MAP = 320
    TILE_WIDTH = 322
    TILE_HEIGHT = 323
    TILE_OFFSETS = 324
    TILE_BYTES = 325
    INK_SET = 332
    EXTRA_SAMPLES = 338
    SAMPLE_FORMAT = 339
    JPEG_TABLES = 347
    YCBCR_SUBSAMPLING = 530
    ICC = 34675


SEGMENT_TAGS = (Tag.STRIP_OFFSETS, Tag.STRIP_BYTES, Tag.TILE_OFFSETS, Tag.TILE_BYTES)
_BYTES_TAGS = (Tag.ICC, Tag.JPEG_TABLES)
_FEW = 16
"""Values that a tag of the others may have, but for those of one per colour."""
_COLOURS = 3 << 16
_ENTRIES = 4096
_RATIONAL = 5
_TYPES = {1: "u1", 3: "u2", 4: "u4", _RATIONAL: "u4", 6: "i1", 7: "u1", 8: "i2", 9: "i4", 13: "u4"}
_TYPES |= {16: "u8", 18: "u8"}
_KNOWN = frozenset(Tag)


@dataclass(frozen=True)
class Form:
    """What differs between classic TIFF and BigTIFF, and between byte orders."""

    order: str
    big: bool

    @property
    def count(self) -> str:
        """Return the struct format of a directory's number of entries."""
        return self.order + ("Q" if self.big else "H")

    @property
    def offset(self) -> str:
        """Return the struct format of an offset."""
        return self.order + ("Q" if self.big else "I")

    @property
    def entry(self) -> str:
        """Return the struct format of an entry: tag, type, count, value or offset."""
        return self.order + ("HHQ8s" if self.big else "HHI4s")


@dataclass
class Directory:
    """One page, which begins at byte *start*: the values of its tags as integers (a rational is two)."""

    form: Form
    page: int
    pages: int
    start: int
    values: dict[int, np.ndarray] = field(default_factory=dict)

    def one(self, tag: int, default: int | None = None) -> int:
        """Return the first value of a tag.

        Raises
        ------
        CorruptImage
            If the tag is missing and has no *default*.
        """
        values = self.values.get(tag)
        if values is None or not len(values):
            if default is None:
                raise damaged(f"page {self.page} has no tag {tag}")
            return default
        return int(values[0])

    def all(self, tag: int, default: tuple[int, ...] = ()) -> tuple[int, ...]:
        """Return all values of a tag, at most a few."""
        values = self.values.get(tag)
        return default if values is None else tuple(int(value) for value in values)

    def rational(self, tag: int) -> float:
        """Return a rational value; 0 where there is none."""
        values = self.values.get(tag)
        return float(values[0] / values[1]) if values is not None and len(values) == 2 and values[1] else 0.0


def read_directory(ranges: Ranges, page: int, limits: Limits) -> Directory:
    """Return directory *page* of the main chain, having walked all of it.

    Raises
    ------
    CorruptImage
        If the chain loops or leaves the file, or a tag's values do.
    LimitExceeded
        If there are more pages, entries or values than *limits* allow.
    UnsupportedFormat
        If there is no such page.
    """
    form, offset = _read_header(ranges)
    starts: list[int] = []
    seen: set[int] = set()
    while offset:
        if offset in seen:
            raise damaged(f"its directories are a loop: {len(starts)} lead back to byte {offset:,}")
        starts.append(offset)
        seen.add(offset)
        check_limit("the file", len(starts), limits.pages, "pages")
        size = struct.calcsize(form.count) + count_entries(ranges, form, offset) * struct.calcsize(form.entry)
        what = f"directory {len(starts) - 1}"
        (offset,) = struct.unpack(form.offset, ranges.at(offset + size, struct.calcsize(form.offset), what))
    if not starts:
        raise damaged("it has no directory")
    check_page(page, len(starts), limits)
    directory = Directory(form, page, len(starts), starts[page])
    _read_entries(ranges, directory, starts[page], limits)
    return directory


def _read_header(ranges: Ranges) -> tuple[Form, int]:
    head = ranges.at(0, 8)
    order = "<" if head[:2] == b"II" else ">"
    (version,) = struct.unpack_from(f"{order}H", head, 2)
    if version == 42:
        return Form(order, big=False), struct.unpack_from(f"{order}I", head, 4)[0]
    width, zero, offset = struct.unpack(f"{order}HHQ", ranges.at(4, 12))
    if (version, width, zero) != (43, 8, 0):
        raise damaged(f"it is neither TIFF nor BigTIFF (version {version}, offsets of {width} bytes)")
    return Form(order, big=True), offset


def count_entries(ranges: Ranges, form: Form, offset: int) -> int:
    """Return the number of entries of the directory at *offset*, which is bounded."""
    (count,) = struct.unpack(form.count, ranges.at(offset, struct.calcsize(form.count), "a directory"))
    check_limit(f"the directory at byte {offset:,}", count, _ENTRIES, "entries")
    return int(count)


def _read_entries(ranges: Ranges, directory: Directory, offset: int, limits: Limits) -> None:
    form = directory.form
    count, size = count_entries(ranges, form, offset), struct.calcsize(form.entry)
    table = ranges.at(offset + struct.calcsize(form.count), count * size, f"directory {directory.page}")
    for tag, kind, number, inline in struct.iter_unpack(form.entry, table):
        if tag in _KNOWN and kind in _TYPES and tag not in directory.values:
            directory.values[tag] = _values(ranges, form, (tag, kind, number, inline), limits)


def _values(ranges: Ranges, form: Form, entry: tuple[int, int, int, bytes], limits: Limits) -> Any:
    tag, kind, number, inline = entry
    if tag in SEGMENT_TAGS:
        check_limit(f"tag {tag} of the TIFF", number, limits.segments, "values")
    elif tag in _BYTES_TAGS:
        check_limit(f"tag {tag} of the TIFF", number, limits.metadata, "bytes")
    else:
        check_limit(f"tag {tag} of the TIFF", number, _COLOURS if tag == Tag.COLOR_MAP else _FEW, "values")
    dtype = np.dtype(_TYPES[kind]).newbyteorder(form.order)  # type: ignore[arg-type]
    length = number * dtype.itemsize * (2 if kind == _RATIONAL else 1)
    if length <= len(inline):
        data = inline[:length]
    else:
        (where,) = struct.unpack(form.offset, inline)
        data = ranges.at(where, length, f"tag {tag} of the TIFF")
    values = np.frombuffer(data, dtype)
    return values if tag in _BYTES_TAGS else values.astype(np.int64)
