"""JPEG: streamed; metadata is read here and not by the decoder.

Markers as in ITU-T T.81, annex B; profiles as in ICC.1, annex B.4; JFIF 1.02 and Adobe technical note 5116.
"""

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from tessera.errors import UnsupportedFormat
from tessera.formats import exif
from tessera.formats.base import ImageFile, Limits, PixelSource, check_limit, check_size, damaged
from tessera.formats.ranges import Feed, Ranges
from tessera.formats.vips import VipsRows
from tessera.geometry import ceil_div
from tessera.plan import Pixels

SOI, EOI, SOS, DRI = 0xD8, 0xD9, 0xDA, 0xDD
APP0, APP1, APP2, APP14, COM = 0xE0, 0xE1, 0xE2, 0xEE, 0xFE
_FRAMES = {0xC0: "baseline", 0xC1: "extended", 0xC2: "progressive"}
_OTHER_FRAMES = (0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF)
_ICC, _EXIF, _JFIF = b"ICC_PROFILE\0", b"Exif\0\0", b"JFIF\0"
_CMYK = 4
_SEGMENTS = 10_000
_INCH, _CENTIMETRE = 1, 2


@dataclass
class JpegHead:
    """What comes before the entropy-coded data.

    *kept* are the segments that the decoder needs, from SOI to the first SOS; *frame_at* is where in them
    the frame header's marker is; *data_at* is where in the file the data begins.
    """

    kept: bytearray
    width: int = 0
    height: int = 0
    sampling: tuple[tuple[int, int], ...] = ()
    frame: str = ""
    frame_at: int = 0
    whole: bool = False
    interval: int = 0
    data_at: int = 0
    profile: dict[int, bytes] = field(default_factory=dict)
    exif: bytes = b""
    density: tuple[int, int, int] = (0, 0, 0)

    @property
    def mcu(self) -> tuple[int, int]:
        """Return width and height of a minimum coded unit, in pixels."""
        if len(self.sampling) == 1:
            return 8, 8
        return 8 * max(h for h, _ in self.sampling), 8 * max(v for _, v in self.sampling)

    @property
    def units_across(self) -> int:
        """Return the number of coded units side by side."""
        return ceil_div(self.width, self.mcu[0])

    @property
    def units(self) -> int:
        """Return the number of coded units."""
        return self.units_across * ceil_div(self.height, self.mcu[1])

    @property
    def group_rows(self) -> int:
        """Return the rows of a group: the fewest that begin and end with a restart interval."""
        return math.lcm(self.interval, self.units_across) // self.units_across * self.mcu[1]

    @property
    def group_bytes(self) -> int:
        """Return the bytes of a group, decoded."""
        return min(self.group_rows, self.height) * self.width * max(3, len(self.sampling))

    def has_groups(self, limits: Limits) -> bool:
        """Tell whether rows can be read at random by restart intervals."""
        return bool(self.interval) and not self.whole and self.group_bytes <= limits.block

    @property
    def blocks(self) -> int:
        """Return the number of 8 x 8 blocks of all components."""
        width, height = self.mcu
        units = ceil_div(self.width, width) * ceil_div(self.height, height)
        return units * (1 if len(self.sampling) == 1 else sum(h * v for h, v in self.sampling))


def open_jpeg(ranges: Ranges, page: int, limits: Limits) -> ImageFile:
    """Open a JPEG.

    Raises
    ------
    CorruptImage
        If the header is damaged, says that there are no pixels, or more than the file can hold.
    UnsupportedFormat
        If it is lossless, arithmetic-coded, or not of 8 bits.
    LimitExceeded
        If it has more pixels or metadata than *limits* allow.
    """
    head = read_head(ranges, limits)
    rows = VipsRows("jpegload", Feed(_as_decoded(ranges, head)))
    return describe(head, rows.pixels, rows, restarts=head.group_rows if head.has_groups(limits) else 0)


def describe(
    head: JpegHead,
    pixels: Pixels,
    source: PixelSource,
    *,
    random: bool = False,
    block: tuple[int, int] | None = None,
    restarts: int = 0,
) -> ImageFile:
    """Return the opened image whose *pixels* are given by *source*."""
    return ImageFile(
        format="jpeg",
        width=head.width,
        height=head.height,
        pixels=pixels,
        source=source,
        orientation=exif.orientation(head.exif),
        icc=profile_of(head),
        dpi=_dpi(head),
        exif=head.exif,
        progressive=head.whole,
        skips=not (head.whole or random),
        held=head.blocks * 64 * 2 if head.whole else 0,
        random=random,
        block=block,
        restarts=restarts,
    )


def read_head(ranges: Ranges, limits: Limits) -> JpegHead:
    """Walk the segments up to the first scan.

    Raises
    ------
    CorruptImage, UnsupportedFormat, LimitExceeded
        As `open_jpeg` says.
    """
    head = JpegHead(bytearray(b"\xff\xd8"))
    offset, count = 2, 0
    while True:
        check_limit("what comes before the pixels", offset, limits.header)
        check_limit("what comes before the pixels", count := count + 1, _SEGMENTS, "segments")
        fill, marker = ranges.at(offset, 2)
        if fill != 0xFF or marker < 0xC0:
            if (fill, marker) == (0xFF, 0xFF):
                offset += 1
                continue
            raise damaged(f"there is no marker at byte {offset:,}")
        length = int.from_bytes(ranges.at(offset + 2, 2))
        if marker in (SOI, EOI) or length < 2:
            raise damaged(f"marker {marker:02X} at byte {offset:,} is out of place")
        body = ranges.at(offset + 4, length - 2)
        _take(head, marker, body, limits)
        offset += 2 + length
        if marker == SOS:
            break
    head.data_at = offset
    _check(head, body, ranges.size, limits)
    return head


def _take(head: JpegHead, marker: int, body: bytes, limits: Limits) -> None:
    """Note what a segment says, and keep it for the decoder if it needs it."""
    if marker in _OTHER_FRAMES:
        raise UnsupportedFormat(
            f"the JPEG is lossless, hierarchical or arithmetic-coded (frame type {marker:02X})",
            hint="save it as baseline or progressive JPEG",
        )
    if marker in _FRAMES:
        _take_frame(head, marker, body)
    elif marker == DRI and len(body) == 2:
        head.interval = int.from_bytes(body)
    elif marker == APP0 and body.startswith(_JFIF) and len(body) >= 12:
        head.density = struct.unpack_from(">BHH", body, 7)
    elif marker == APP1 and body.startswith(_EXIF):
        head.exif = head.exif or body.removeprefix(_EXIF)
    elif marker == APP2 and body.startswith(_ICC) and len(body) > 14:
        head.profile[body[12]] = body[14:]
        check_limit("the colour profile", sum(map(len, head.profile.values())), limits.metadata)
    wanted = marker in (APP0, APP14) or (marker == APP2 and body.startswith(_ICC))
    if wanted or not (APP0 <= marker <= 0xEF or marker == COM):
        head.kept += bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2) + body


def _take_frame(head: JpegHead, marker: int, body: bytes) -> None:
    if head.frame:
        raise damaged("it has two frame headers")
    if len(body) < 6 or len(body) != 6 + 3 * body[5]:
        raise damaged("its frame header has the wrong length")
    bits, head.height, head.width, count = struct.unpack_from(">BHHB", body)
    if bits != 8 or count not in (1, 3, 4):
        raise UnsupportedFormat(
            f"the JPEG has {count} components of {bits} bits", hint="send 8 bits, gray, colour or CMYK"
        )
    head.frame, head.frame_at = _FRAMES[marker], len(head.kept)
    head.sampling = tuple((body[7 + 3 * index] >> 4, body[7 + 3 * index] & 15) for index in range(count))
    if not all(1 <= h <= 4 and 1 <= v <= 4 for h, v in head.sampling):
        raise damaged("its frame header says an impossible subsampling")


def _check(head: JpegHead, scan: bytes, size: int, limits: Limits) -> None:
    if not head.frame:
        raise damaged("a scan comes before the frame header")
    check_size(head.width, head.height, limits)
    head.whole = head.frame == "progressive" or scan[:1] != bytes((len(head.sampling),))
    # Each block takes a bit at the least.
    if head.blocks > 8 * size:
        raise damaged(f"{size:,} bytes can't hold {head.width:,} x {head.height:,} pixels")


def profile_of(head: JpegHead) -> bytes:
    """Return the profile of the pixels as they are returned: that of CMYK is used up by the conversion."""
    if len(head.sampling) == _CMYK or sorted(head.profile) != list(range(1, len(head.profile) + 1)):
        return b""
    return b"".join(head.profile[number] for number in sorted(head.profile))


def _as_decoded(ranges: Ranges, head: JpegHead) -> Iterator[bytes]:
    yield bytes(head.kept)
    yield from ranges.stream(head.data_at)


def _dpi(head: JpegHead) -> tuple[float, float] | None:
    unit, x, y = head.density
    of_jfif = exif.to_dpi(x, y, {_INCH: 2, _CENTIMETRE: 3}.get(unit, 0))
    return of_jfif or exif.resolution(head.exif)
