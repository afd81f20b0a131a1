"""The EXIF of a TIFF, whose entries lie about in the file, as a block like those of other formats.

Tags and directories as in Exif 3.0 (CIPA DC-008). Pointers inside a maker's note don't survive the move.
"""

import struct
from contextlib import suppress
from typing import NamedTuple

from tessera.errors import CorruptImage
from tessera.formats.base import Limits
from tessera.formats.ranges import Ranges
from tessera.formats.tiff_directory import Directory, Form, Tag, count_entries

_EXIF, _GPS, _INTEROPERABILITY = 34665, 34853, 40965
# Description, make, model, software, date, artist, copyright
_DESCRIPTIVE = {270, 271, 272, 305, 306, 315, 33432}
_KEPT = _DESCRIPTIVE | {Tag.ORIENTATION, Tag.X_RESOLUTION, Tag.Y_RESOLUTION, Tag.RESOLUTION_UNIT}
_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_LONG = 4
_POINTERS = {_LONG: "I", 13: "I", 16: "Q", 18: "Q"}
_STRUCTURE = {*Tag, _INTEROPERABILITY} - _KEPT
_VALUE_BYTES = 1 << 16


class _Entry(NamedTuple):
    tag: int
    kind: int
    number: int
    data: bytes


def read_exif(ranges: Ranges, directory: Directory, limits: Limits) -> bytes:
    """Return the EXIF block of a page; nothing if it has none, or it is damaged or larger than allowed."""
    form = directory.form
    with suppress(CorruptImage):
        own, pointers = _read(ranges, form, directory.start)
        parts = {tag: list(_read(ranges, form, where)[0]) for tag, where in pointers.items()}
        first = [entry for entry in own if entry.tag in _KEPT]
        if parts or any(entry.tag in _DESCRIPTIVE for entry in first):
            block = _block(form.order, first, parts)
            return block if len(block) <= limits.metadata else b""
    return b""


def _read(ranges: Ranges, form: Form, offset: int) -> tuple[list[_Entry], dict[int, int]]:
    """Return the entries of a directory that EXIF may have, and where those lie that it points to."""
    count, size = count_entries(ranges, form, offset), struct.calcsize(form.entry)
    table = ranges.at(offset + struct.calcsize(form.count), count * size)
    entries, pointers = [], {}
    for tag, kind, number, inline in struct.iter_unpack(form.entry, table):
        length = number * _BYTES.get(kind, 0)
        if tag in (_EXIF, _GPS) and kind in _POINTERS:
            (pointers[tag],) = struct.unpack_from(form.order + _POINTERS[kind], inline)
        elif tag not in _STRUCTURE and 0 < length <= _VALUE_BYTES:
            where = struct.unpack(form.offset, inline)[0] if length > len(inline) else 0
            data = ranges.at(where, length) if where else inline[:length]
            entries.append(_Entry(tag, kind, number, data))
    return entries, pointers


def _block(order: str, first: list[_Entry], parts: dict[int, list[_Entry]]) -> bytes:
    """Return a TIFF of the entries *first* and, behind them, the directories *parts*."""
    pointers = [_Entry(tag, _LONG, 1, bytes(4)) for tag in parts]
    offset = 8 + len(_directory(order, [*first, *pointers], 8))
    body = []
    for index, part in enumerate(parts.values()):
        body.append(_directory(order, part, offset))
        pointers[index] = pointers[index]._replace(data=struct.pack(f"{order}I", offset))
        offset += len(body[-1])
    mark = b"II" if order == "<" else b"MM"
    head = mark + struct.pack(f"{order}HI", 42, 8)
    return b"".join((head, _directory(order, [*first, *pointers], 8), *body))


def _directory(order: str, entries: list[_Entry], offset: int) -> bytes:
    """Return a directory of *entries* at *offset*, its values behind it."""
    table, values = [struct.pack(f"{order}H", len(entries))], []
    end = offset + 2 + 12 * len(entries) + 4
    for entry in sorted(entries):
        inline = entry.data.ljust(4, b"\0")
        if len(entry.data) > 4:
            inline = struct.pack(f"{order}I", end)
            values.append(entry.data + bytes(len(entry.data) % 2))
            end += len(values[-1])
        table.append(struct.pack(f"{order}HHI", entry.tag, entry.kind, entry.number) + inline)
    return b"".join((*table, bytes(4), *values))
