"""PNG: streamed. The decoder is fed the chunks that make pixels, and nothing else of the file.

Metadata is read here, bounded, and never by the decoder: a text chunk that inflates to gigabytes is not
even looked at. Chunks as in the PNG specification, third edition.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from tessera.errors import CorruptImage, LimitExceeded
from tessera.formats import exif
from tessera.formats.base import ImageFile, Limits, check_limit, check_size, damaged
from tessera.formats.ranges import Feed, Ranges
from tessera.formats.vips import VipsRows

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PIXEL_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_CHUNKS_BEFORE_PIXELS = 10_000
_CHUNKS = 4 << 20
_TAIL = 64 << 10
_DEFLATE_RATIO = 1032
"""No deflate stream gives more bytes than this for one."""
_METRE = 1


@dataclass
class _Head:
    """What comes before the pixels."""

    width: int
    height: int
    bits: int
    kind: int
    interlaced: bool
    pixels_at: int = 0
    kept: list[bytes] = field(default_factory=list)
    metadata: dict[bytes, bytes] = field(default_factory=dict)

    @property
    def row_bytes(self) -> int:
        return 1 + (self.width * self.bits * _SAMPLES[self.kind] + 7) // 8


def open_png(ranges: Ranges, page: int, limits: Limits) -> ImageFile:
    """Open a PNG.

    Raises
    ------
    CorruptImage
        If the header is damaged, says that there are no pixels, or more than the file can hold.
    LimitExceeded
        If it has more pixels or metadata than *limits* allow.
    """
    head = _read_head(ranges, limits)
    raw = head.row_bytes * head.height
    if raw > ranges.size * _DEFLATE_RATIO:
        raise damaged(f"{ranges.size:,} bytes can't hold {head.width:,} x {head.height:,} pixels")
    rows = VipsRows("pngload", Feed(_pixel_chunks(ranges, head)), to_end=True)
    block = head.metadata.get(b"eXIf", b"") or _exif_at_end(ranges, limits)
    block = block.removeprefix(b"Exif\0\0")
    return ImageFile(
        format="png",
        width=rows.width,
        height=rows.height,
        pixels=rows.pixels,
        source=rows,
        orientation=exif.orientation(block),
        icc=_profile(head.metadata.get(b"iCCP", b""), limits),
        dpi=_dpi(head.metadata.get(b"pHYs", b"")) or exif.resolution(block),
        exif=block,
        progressive=head.interlaced,
        skips=not head.interlaced,
        held=rows.width * rows.height * rows.pixels.bytes if head.interlaced else 0,
    )


def _read_head(ranges: Ranges, limits: Limits) -> _Head:
    length, name = _chunk_at(ranges, len(SIGNATURE))
    if name != b"IHDR" or length != 13:
        raise damaged("it doesn't begin with a header")
    start = len(SIGNATURE)
    width, height, bits, kind, _, _, interlace = struct.unpack(">IIBBBBB", ranges.at(start + 8, length))
    check_size(width, height, limits)
    _checked(ranges, start, length)
    if bits not in _DEPTHS.get(kind, ()):
        raise damaged(f"it says colour type {kind} with {bits} bits")
    head = _Head(width, height, bits, kind, interlace == 1)
    offset = len(SIGNATURE) + 12 + length
    for _ in range(_CHUNKS_BEFORE_PIXELS):
        length, name = _chunk_at(ranges, offset)
        if name == b"IDAT":
            head.pixels_at = offset
            return head
        if name in _PIXEL_CHUNKS:
            check_limit("a chunk before the pixels", length, _TAIL)
            head.kept.append(ranges.at(offset, length + 12))
        elif name in (b"iCCP", b"eXIf", b"pHYs"):
            check_limit(f"the metadata {name.decode()}", length, limits.metadata)
            head.metadata.setdefault(name, _checked(ranges, offset, length))
        elif not name[0] & 0x20:
            raise damaged(f"it has an unknown chunk {name!r} that must be understood")
        offset += 12 + length
    raise LimitExceeded(
        f"more than {_CHUNKS_BEFORE_PIXELS:,} chunks come before the pixels",
        hint="export the image without metadata",
        limit=_CHUNKS_BEFORE_PIXELS,
    )


def _chunk_at(ranges: Ranges, offset: int) -> tuple[int, bytes]:
    length, name = struct.unpack(">I4s", ranges.at(offset, 8))
    if length > 0x7FFFFFFF or not name.isalpha():
        raise damaged(f"there is no chunk at byte {offset:,}")
    return length, name


def _checked(ranges: Ranges, offset: int, length: int) -> bytes:
    chunk = ranges.at(offset + 4, length + 8, "its metadata")
    if zlib.crc32(chunk[:-4]) != int.from_bytes(chunk[-4:]):
        raise damaged(f"the checksum of chunk {chunk[:4].decode()} is wrong")
    return chunk[4:-4]


def _pixel_chunks(ranges: Ranges, head: _Head) -> Iterator[bytes]:
    """Yield the file as the decoder gets it; raise where it ends before its end."""
    yield SIGNATURE + ranges.at(len(SIGNATURE), 25) + b"".join(head.kept)
    buffer, name, forward = b"", b"", False
    passed = count = 0
    for piece in ranges.stream(head.pixels_at):
        buffer, start = buffer + piece, 0
        kept: list[bytes] = []
        while True:
            if passed:
                taken = min(passed, len(buffer) - start)
                if forward:
                    kept.append(buffer[start : start + taken])
                start, passed = start + taken, passed - taken
            if passed or len(buffer) - start < 8:
                break
            if name == b"IEND":
                yield b"".join(kept)
                return
            check_limit("the file", count := count + 1, _CHUNKS, "chunks")
            length, name = struct.unpack_from(">I4s", buffer, start)
            if length > 0x7FFFFFFF or not name.isalpha():
                raise damaged("its pixels are followed by what is no chunk")
            forward, passed = name in _PIXEL_CHUNKS, length + 12
        buffer = buffer[start:]
        yield b"".join(kept)
    if name != b"IEND" or passed:
        raise damaged("the file ends before the image does")


def _profile(chunk: bytes, limits: Limits) -> bytes:
    """Return the profile of an iCCP chunk, inflated no further than allowed."""
    name, _, compressed = chunk.partition(b"\0")
    if not chunk:
        return b""
    inflate = zlib.decompressobj()
    try:
        profile = inflate.decompress(compressed[1:], limits.metadata + 1)
    except zlib.error as error:
        raise damaged(f"its colour profile {name[:79]!r} doesn't inflate ({error})") from error
    if len(profile) > limits.metadata:
        raise LimitExceeded(
            f"the colour profile inflates to more than {limits.metadata:,} bytes",
            hint="export the image without its profile, or with a sound one",
            limit=limits.metadata,
            actual=f"more than {limits.metadata}",
        )
    if not inflate.eof:
        raise damaged("its colour profile breaks off")
    return profile


def _dpi(chunk: bytes) -> tuple[float, float] | None:
    if len(chunk) != 9:
        return None
    x, y, unit = struct.unpack(">IIB", chunk)
    return exif.to_dpi(x / 100, y / 100, 3) if unit == _METRE else None


def _exif_at_end(ranges: Ranges, limits: Limits) -> bytes:
    """Return an EXIF chunk that comes after the pixels, if it lies in the last bytes of the file."""
    start = max(0, ranges.size - _TAIL)
    tail = ranges.at(start, ranges.size - start)
    at = tail.rfind(b"eXIf")
    if at < 4:
        return b""
    length = int.from_bytes(tail[at - 4 : at])
    try:
        return _checked(ranges, start + at - 4, length) if length <= limits.metadata else b""
    except CorruptImage:
        return b""
