"""Directories (IFDs) of TIFF and BigTIFF, little-endian, written before the data they describe.

(Aldus TIFF 6.0, section 2; the BigTIFF design of the AWare Systems page; TIFF Technical Note 1 for trees.)
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, LONG8 = 1, 2, 3, 4, 5, 7, 16
_DTYPES = {SHORT: "<u2", LONG: "<u4", RATIONAL: "<u4", LONG8: "<u8"}


@dataclass(frozen=True)
class Entry:
    """A tag and its values as little-endian bytes; or, with *directory*, a tag that points to a directory."""

    tag: int
    kind: int
    count: int
    data: bytes
    directory: tuple["Entry", ...] = ()

    @classmethod
    def of(cls, tag: int, kind: int, values: Sequence[int] | NDArray[Any]) -> "Entry":
        """Return the entry of integers; a RATIONAL takes numerator and denominator for each value."""
        data = np.asarray(values).astype(_DTYPES[kind]).tobytes()
        return cls(tag, kind, len(values) // 2 if kind == RATIONAL else len(values), data)

    @classmethod
    def tree(cls, tag: int, directory: Sequence["Entry"]) -> "Entry":
        """Return the entry of a directory below this one."""
        return cls(tag, LONG, 1, bytes(4), tuple(directory))


@dataclass(frozen=True)
class Form:
    """What differs between classic TIFF and BigTIFF."""

    header: bytes
    count: str
    entry: str
    pointer: str
    offsets: int

    @property
    def inline(self) -> int:
        """Return the bytes of a value that fit into its entry."""
        return struct.calcsize(self.pointer)

    def size(self, entries: Sequence[Entry]) -> int:
        """Return the bytes of a directory with its values and the directories below it."""
        return len(self.directory(entries, 0, 0))

    def directory(self, entries: Sequence[Entry], start: int, following: int) -> bytes:
        """Return the directory that lies at *start*; the next one lies at *following*, or is 0."""
        fixed = struct.calcsize(self.count) + len(entries) * struct.calcsize(self.entry) + self.inline
        parts, values, position = [struct.pack(self.count, len(entries))], list[bytes](), start + fixed
        for entry in sorted(entries, key=lambda one: one.tag):
            data = entry.data
            if entry.directory:
                data = self.directory(entry.directory, position, 0)
            if entry.directory or len(data) > self.inline:
                data += bytes(len(data) % 2)
                values.append(data)
                slot = struct.pack(self.pointer, position)
                position += len(data)
            else:
                slot = data.ljust(self.inline, b"\0")
            parts.append(struct.pack(self.entry, entry.tag, entry.kind, entry.count, slot))
        return b"".join([*parts, struct.pack(self.pointer, following), *values])


CLASSIC = Form(struct.pack("<2sHI", b"II", 42, 8), "<H", "<HHI4s", "<I", LONG)
BIG = Form(struct.pack("<2sHHHQ", b"II", 43, 8, 0, 16), "<Q", "<HHQ8s", "<Q", LONG8)


def chained(form: Form, directories: Sequence[Sequence[Entry]]) -> bytes:
    """Return the beginning of a file: header, and the directories one after the other."""
    parts, position = [form.header], len(form.header)
    for number, entries in enumerate(directories, 1):
        following = position + form.size(entries)
        parts.append(form.directory(entries, position, following if number < len(directories) else 0))
        position = following
    return b"".join(parts)
