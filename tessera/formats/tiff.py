"""TIFF and BigTIFF: strips and tiles are read at random by ranges; large compressed strips are streamed."""

from tessera.errors import LimitExceeded
from tessera.formats import exif
from tessera.formats.base import ImageFile, Limits
from tessera.formats.ranges import Ranges
from tessera.formats.tiff_directory import Tag, read_directory
from tessera.formats.tiff_exif import read_exif
from tessera.formats.tiff_layout import SEPARATED, read_layout
from tessera.formats.tiff_random import Segments
from tessera.formats.tiff_streamed import held_bytes, streamed

_STRIP_BYTES = 16 << 20
"""Decoded bytes of a strip up to which it is read at random: each rect costs all of it."""


def open_tiff(ranges: Ranges, page: int, limits: Limits) -> ImageFile:
    """Open a page of a TIFF.

    Raises
    ------
    CorruptImage
        If directories or sizes make no sense, or segments leave the file or overlap.
    UnsupportedFormat
        If there is no such page, or its pixels are of a kind that isn't read here.
    LimitExceeded
        If it asks for more than *limits* allow.
    """
    directory = read_directory(ranges, page, limits)
    layout = read_layout(directory, ranges, limits)
    random = layout.decoded <= (limits.block if layout.tiled else min(limits.block, _STRIP_BYTES))
    if not random and layout.tiled:
        raise LimitExceeded(
            f"a tile of the TIFF has {layout.decoded:,} bytes of pixels, and {limits.block:,} are allowed",
            hint="save it with smaller tiles",
            limit=limits.block,
            actual=layout.decoded,
        )
    source = (Segments if random else streamed)(ranges, directory, layout, limits)
    icc = directory.values.get(Tag.ICC)
    orientation = directory.one(Tag.ORIENTATION, 1)
    return ImageFile(
        format="tiff",
        width=layout.width,
        height=layout.height,
        pixels=layout.pixels,
        source=source,
        orientation=orientation if 1 <= orientation <= 8 else 1,
        icc=b"" if icc is None or layout.photometric == SEPARATED else icc.tobytes(),
        dpi=exif.to_dpi(
            directory.rational(Tag.X_RESOLUTION),
            directory.rational(Tag.Y_RESOLUTION),
            directory.one(Tag.RESOLUTION_UNIT, 2),
        ),
        exif=read_exif(ranges, directory, limits),
        pages=directory.pages,
        held=0 if random else held_bytes(layout),
        random=random,
        block=(layout.segment_width, layout.segment_height) if random else None,
    )
