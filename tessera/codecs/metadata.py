"""Metadata that is carried over: colour profile and orientation. All else of EXIF is dropped."""

import struct

_ICC_MARKER = b"ICC_PROFILE\0"
_ICC_PART = 65_519
"""Bytes of a profile in one JPEG segment: 65,535 less length, marker and counters."""


def exif_orientation(orientation: int) -> bytes:
    """Return an EXIF block (TIFF, big-endian) that holds the orientation, 1 to 8, and nothing else."""
    return struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def icc_segments(profile: bytes) -> bytes:
    """Return the APP2 segments of JPEG that hold *profile* (ICC.1, annex B.4); nothing for no profile."""
    parts = [profile[start : start + _ICC_PART] for start in range(0, len(profile), _ICC_PART)]
    segments = []
    for number, part in enumerate(parts, 1):
        body = _ICC_MARKER + bytes((number, len(parts))) + part
        segments.append(b"\xff\xe2" + struct.pack(">H", len(body) + 2) + body)
    return b"".join(segments)
