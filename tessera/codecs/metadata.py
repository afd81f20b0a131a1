"""Metadata in JPEG: colour profile, resolution and EXIF as segments."""

import struct

_ICC_MARKER = b"ICC_PROFILE\0"
_ICC_PART = 65_519
"""Bytes of a profile in one JPEG segment: 65,535 less length, marker and counters."""
_EXIF_MARKER = b"Exif\0\0"
_EXIF_MOST = 65_527
"""Bytes of an EXIF block in its one JPEG segment."""


def icc_segments(profile: bytes) -> bytes:
    """Return the APP2 segments of JPEG that hold *profile* (ICC.1, annex B.4); nothing for no profile."""
    parts = [profile[start : start + _ICC_PART] for start in range(0, len(profile), _ICC_PART)]
    return b"".join(
        _segment(0xE2, _ICC_MARKER + bytes((number, len(parts))) + part)
        for number, part in enumerate(parts, 1)
    )


def exif_segment(block: bytes) -> bytes:
    """Return the APP1 segment of JPEG that holds the block; nothing for none, or for one that is too long."""
    return _segment(0xE1, _EXIF_MARKER + block) if 0 < len(block) <= _EXIF_MOST else b""


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body
