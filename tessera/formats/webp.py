"""WebP: decoded whole by libvips, without its metadata, which is read here.

Chunks as in the WebP container specification (RFC 9649).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tessera.formats import exif
from tessera.formats.base import ImageFile, Limits, check_limit, check_size, damaged
from tessera.formats.pages import check_page
from tessera.formats.ranges import Feed, Ranges
from tessera.formats.vips import VipsRows

_DROPPED_FLAGS = 0x20 | 0x08 | 0x04
"""Profile, EXIF and XMP, in the first byte of VP8X."""
_PIXELS = (b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF")
_CHUNKS = 100_000
_HELD_PER_PIXEL = 8


@dataclass
class _Parts:
    kept: list[tuple[int, int]] = field(default_factory=list)
    metadata: dict[bytes, bytes] = field(default_factory=dict)
    first: bytes = b""


def open_webp(ranges: Ranges, page: int, limits: Limits) -> ImageFile:
    """Open a frame of a WebP.

    Raises
    ------
    CorruptImage
        If the file is truncated or its chunks are damaged.
    LimitExceeded
        If it has more pixels, frames or metadata than *limits* allow.
    UnsupportedFormat
        If there is no such page.
    """
    parts = _walk(ranges, limits)
    if parts.first[:4] == b"VP8X" and len(parts.first) >= 18:
        width, height = (int.from_bytes(parts.first[at : at + 3], "little") + 1 for at in (12, 15))
        check_size(width, height, limits)
    rows = VipsRows("webpload", Feed(_as_decoded(ranges, parts)), page=0)
    pages = int(rows.field("n-pages", 1))
    check_page(page, pages, limits)
    if page:
        rows = VipsRows("webpload", Feed(_as_decoded(ranges, parts)), page=page)
    check_size(rows.width, rows.height, limits)
    block = parts.metadata.get(b"EXIF", b"").removeprefix(b"Exif\0\0")
    return ImageFile(
        format="webp",
        width=rows.width,
        height=rows.height,
        pixels=rows.pixels,
        source=rows,
        orientation=exif.orientation(block),
        icc=parts.metadata.get(b"ICCP", b""),
        dpi=exif.resolution(block),
        exif=block,
        pages=pages,
        progressive=True,
        held=_HELD_PER_PIXEL * rows.width * rows.height + ranges.size,
    )


def _walk(ranges: Ranges, limits: Limits) -> _Parts:
    check_limit("the WebP", ranges.size, limits.whole)
    end = int.from_bytes(ranges.at(4, 4), "little") + 8
    if end > ranges.size:
        raise damaged(f"it says {end:,} bytes and has {ranges.size:,}")
    parts, offset, count = _Parts(), 12, 0
    while offset + 8 <= end:
        check_limit("the file", count := count + 1, _CHUNKS, "chunks")
        header = ranges.at(offset, 8)
        name, length = header[:4], int.from_bytes(header[4:], "little")
        padded = length + length % 2
        if offset + 8 + length > end:
            raise damaged(f"chunk {name!r} at byte {offset:,} ends after the file")
        if name in _PIXELS:
            parts.first = parts.first or ranges.at(offset, min(18, 8 + length))
            parts.kept.append((offset, 8 + padded))
        elif name in (b"ICCP", b"EXIF"):
            check_limit(f"the metadata {name.decode()}", length, limits.metadata)
            parts.metadata.setdefault(name, ranges.at(offset + 8, length))
        offset += 8 + padded
    return parts


def _as_decoded(ranges: Ranges, parts: _Parts) -> Iterator[bytes]:
    body = sum(length for _, length in parts.kept)
    yield b"RIFF" + (body + 4).to_bytes(4, "little") + b"WEBP"
    for offset, length in parts.kept:
        pieces = ranges.stream(offset, offset + length)
        first = next(pieces, b"")
        if first[:4] == b"VP8X":
            first = first[:8] + bytes((first[8] & ~_DROPPED_FLAGS,)) + first[9:]
        yield first
        yield from pieces
