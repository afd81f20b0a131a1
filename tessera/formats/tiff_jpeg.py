"""JPEG strips and tiles of TIFF, decoded as the JPEG files that they nearly are.

libvips' own way with them gives grey pixels for a tile that breaks off, without an error. How tables and
segments belong together is in TIFF technical note 2.
"""

from collections.abc import Iterator

from tessera.errors import LimitExceeded
from tessera.formats.base import Array, Limits, damaged
from tessera.formats.jpeg import APP0, APP14, JpegHead, read_head
from tessera.formats.ranges import Feed, Ranges
from tessera.formats.tiff_directory import Directory, Tag
from tessera.formats.tiff_layout import MIN_IS_BLACK, MIN_IS_WHITE, SEPARATED, YCBCR, Layout
from tessera.formats.vips import VipsRows

_ADOBE = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0"
_SOI, _EOI = b"\xff\xd8", b"\xff\xd9"


class JpegSegments:
    """Decodes the JPEG segments of a page.

    Parameters
    ----------
    directory, layout
        The page.
    limits
        What one segment may ask for.
    """

    def __init__(self, directory: Directory, layout: Layout, limits: Limits) -> None:
        self._layout, self._limits = layout, limits
        tables = directory.values.get(Tag.JPEG_TABLES)
        self._tables = b"" if tables is None else tables.tobytes().removeprefix(_SOI).removesuffix(_EOI)
        self._photometric = MIN_IS_BLACK if layout.planar else layout.photometric

    def open(self, segment: Ranges, rows: int) -> VipsRows:
        """Return the rows of *segment*, of which *rows* are inside the image.

        Raises
        ------
        CorruptImage
            If it isn't a JPEG of the size and the components that the directory says.
        LimitExceeded
            If it would be decoded whole and is larger than a segment may be.
        """
        head = read_head(segment, self._limits)
        wanted = 1 if self._layout.planar else self._layout.samples
        if head.width != self._layout.segment_width or head.height < rows or len(head.sampling) != wanted:
            raise damaged(
                f"a strip or tile is a JPEG of {head.width} x {head.height} pixels and {len(head.sampling)} "
                f"components, and {self._layout.segment_width} x {rows} and {wanted} are due"
            )
        if head.whole and head.blocks * 128 > self._limits.block:
            raise LimitExceeded(
                f"a strip or tile is a progressive JPEG that takes {head.blocks * 128:,} bytes to decode",
                hint="save it with baseline JPEG, or with smaller strips",
                limit=self._limits.block,
                actual=head.blocks * 128,
            )
        return VipsRows("jpegload", Feed(self._as_file(segment, head)), raw=True)

    def pixels(self, samples: Array) -> Array:
        """Return decoded *samples*, BGR or gray, as the photometric interpretation wants them."""
        # CMYK: libvips takes it for what Photoshop writes into JPEG files, which is inverted.
        return 255 - samples if self._photometric in (MIN_IS_WHITE, SEPARATED) else samples

    def _as_file(self, segment: Ranges, head: JpegHead) -> Iterator[bytes]:
        yield _SOI
        if self._photometric != SEPARATED:
            yield _ADOBE + bytes((self._photometric == YCBCR,))
        yield self._tables
        yield _without_hints(bytes(head.kept))
        yield from segment.stream(head.data_at)


def _without_hints(kept: bytes) -> bytes:
    """Return the segments after SOI without JFIF and Adobe: the directory says what the colours are."""
    parts, offset = [], 2
    while offset < len(kept):
        end = offset + 2 + int.from_bytes(kept[offset + 2 : offset + 4])
        if kept[offset + 1] not in (APP0, APP14):
            parts.append(kept[offset:end])
        offset = end
    return b"".join(parts)
