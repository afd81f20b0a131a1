"""Adler-32 of parts, combined without their bytes."""

import zlib
from collections.abc import Iterable
from functools import reduce
from typing import NamedTuple

_BASE = 65521


class Adler(NamedTuple):
    """The Adler-32 checksum of *length* bytes; the default is that of no bytes.

    >>> Adler.of(b"tess").followed_by(Adler.of(b"era")) == Adler.of(b"tessera")
    True
    """

    value: int = 1
    length: int = 0

    @classmethod
    def of(cls, data: bytes) -> "Adler":
        """Return the checksum of *data*."""
        return cls(zlib.adler32(data), len(data))

    @classmethod
    def combined(cls, parts: Iterable["Adler"]) -> "Adler":
        """Return the checksum of the bytes of all *parts*, one after the other."""
        return reduce(cls.followed_by, parts, cls())

    def followed_by(self, other: "Adler") -> "Adler":
        """Return the checksum of these bytes and then the *other*'s (RFC 1950, section 9)."""
        low, high = self.value & 0xFFFF, self.value >> 16
        low_sum = (low + (other.value & 0xFFFF) - 1) % _BASE
        high_sum = (high + (other.value >> 16) + other.length * (low - 1)) % _BASE
        return Adler(high_sum << 16 | low_sum, self.length + other.length)
