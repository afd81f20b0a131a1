"""EXIF blocks: made upright, freed of their thumbnail, and moved into the directories of a TIFF.

A block is a small TIFF file of its own, in either byte order. One that is damaged counts as none: nothing is
written of it. (CIPA DC-008, Exif 3.0, sections 4.5 and 4.6; Aldus TIFF 6.0, section 2.)
"""

import struct
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from tessera.codecs.tiff_head import Entry

_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_UNITS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 4, 6: 1, 7: 1, 8: 2, 9: 4, 10: 4, 11: 4, 12: 8, 13: 4}
"""Bytes of what is swapped between byte orders, by type; the types 5 and 10 are pairs."""
_PAIRS = (5, 10)
_ORIENTATION, _EXIF, _GPS = 0x0112, 0x8769, 0x8825
_THUMBNAILS = ((0x0201, 0x0202), (0x0111, 0x0117))
_OF_IMAGE = (0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x8298)
"""Description, make, model, software, date, artist, copyright: all else of IFD 0 is about its own pixels."""
_SIDES = (0xA002, 0xA003)
"""Width and height of the photograph."""
_NOT_MOVED = (0x927C, 0xA005, *_SIDES)
"""Also the maker's note, whose offsets nobody else knows, and the interoperability directory."""


@dataclass(frozen=True)
class _Field:
    tag: int
    kind: int
    count: int
    start: int
    """Where the value lies in the block."""
    data: bytes


@dataclass(frozen=True)
class _Directory:
    fields: dict[int, _Field]
    end: int
    """Where the offset of the next directory lies."""


def upright(block: bytes, width: int, height: int) -> bytes:
    """Return the block with orientation 1 and these sides, if it has such tags, and without the thumbnail.

    Nothing else moves, so that what refers to places in the block, as makers' notes do, stays right. A
    damaged block gives none: b"".
    """
    try:
        order, first = _header(block)
        directory, made = _directory(block, order, first), bytearray(block)
        if field := directory.fields.get(_ORIENTATION):
            _set(made, order, field, 1)
        if pointer := directory.fields.get(_EXIF):
            below = _directory(block, order, _number(pointer, order)).fields
            for tag, side in zip(_SIDES, (width, height), strict=True):
                if tag in below:
                    _set(made, order, below[tag], side)
        (second,) = struct.unpack_from(f"{order}I", block, directory.end)
        struct.pack_into(f"{order}I", made, directory.end, 0)
        if second:
            _blank_thumbnail(made, order, second, keep=directory.end + 4)
    except (ValueError, struct.error):
        return b""
    return bytes(made)


def tiff_entries(block: bytes) -> list[Entry]:
    """Return what of the block describes the photograph, as entries of a TIFF's first directory.

    The maker's note is left out, because it refers to places in the block. A damaged block gives nothing.
    """
    if not block:
        return []
    try:
        order, first = _header(block)
        fields = _directory(block, order, first).fields
        entries = [_entry(fields[tag], order) for tag in _OF_IMAGE if tag in fields]
        for tag in (_EXIF, _GPS):
            if pointer := fields.get(tag):
                below = _directory(block, order, _number(pointer, order), without=_NOT_MOVED).fields
                if below:
                    entries.append(Entry.tree(tag, [_entry(field, order) for field in below.values()]))
    except (ValueError, struct.error):
        return []
    return entries


def _header(block: bytes) -> tuple[str, int]:
    """Return the byte order and the place of the first directory."""
    order = _ORDERS.get(block[:4])
    if order is None:
        raise ValueError("not an EXIF block")
    return order, *struct.unpack_from(f"{order}I", block, 4)


def _directory(block: bytes, order: str, start: int, without: Collection[int] = ()) -> _Directory:
    (count,) = struct.unpack_from(f"{order}H", block, start)
    fields, total = {}, 0
    for place in range(start + 2, start + 2 + 12 * count, 12):
        tag, kind, values = struct.unpack_from(f"{order}HHI", block, place)
        size = values * _UNITS.get(kind, 0) * (2 if kind in _PAIRS else 1)
        if tag in without or not size:
            continue
        (at,) = struct.unpack_from(f"{order}I", block, place + 8) if size > 4 else (place + 8,)
        total += size
        if at + size > len(block) or total > len(block):
            raise ValueError("values lie outside the block, or on each other")
        fields[tag] = _Field(tag, kind, values, at, bytes(block[at : at + size]))
    return _Directory(fields, start + 2 + 12 * count)


def _set(made: bytearray, order: str, field: _Field, value: int) -> None:
    """Overwrite a single integer; it stays of its type, or becomes LONG where it is too large for SHORT."""
    if field.count != 1 or field.kind not in (3, 4):
        raise ValueError("not an integer")
    kind = field.kind if value <= 0xFFFF else 4
    struct.pack_into(f"{order}HI", made, field.start - 6, kind, 1)
    struct.pack_into(f"{order}{'H' if kind == 3 else 'I'}", made, field.start, value)


def _blank_thumbnail(made: bytearray, order: str, start: int, keep: int) -> None:
    """Overwrite the thumbnail of the directory at *start* with zeros, and cut it off if it comes last."""
    fields = _directory(bytes(made), order, start).fields
    for where, length in _THUMBNAILS:
        if where not in fields or length not in fields:
            continue
        begin = _number(fields[where], order)
        end = min(begin + _number(fields[length], order), len(made))
        if begin < keep:
            raise ValueError("the thumbnail lies on the directory")
        made[begin:end] = bytes(end - begin)
        if end == len(made):
            del made[begin:]


def _number(field: _Field, order: str) -> int:
    return int.from_bytes(field.data[: _UNITS[field.kind]], "little" if order == "<" else "big")


def _entry(field: _Field, order: str) -> Entry:
    unit = _UNITS[field.kind]
    data = np.frombuffer(field.data, f"{order}u{unit}").astype(f"<u{unit}").tobytes()
    return Entry(field.tag, field.kind, field.count, data)
