"""GIF: decoded whole by libvips, frame by frame, after its blocks were seen to be complete.

Blocks as in the GIF89a specification.
"""

from tessera.formats.base import ImageFile, Limits, check_limit, check_size, damaged
from tessera.formats.pages import check_page
from tessera.formats.ranges import Feed, Ranges
from tessera.formats.vips import VipsRows

_HELD_PER_PIXEL = 5
_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_TABLE = 0x80
_BLOCKS = 8 << 20


def open_gif(ranges: Ranges, page: int, limits: Limits) -> ImageFile:
    """Open a frame of a GIF.

    Raises
    ------
    CorruptImage
        If the file is truncated or damaged.
    LimitExceeded
        If it has more pixels or frames than *limits* allow.
    UnsupportedFormat
        If there is no such page.
    """
    check_limit("the GIF", ranges.size, limits.whole)
    screen = ranges.at(6, 7)
    check_size(int.from_bytes(screen[:2], "little"), int.from_bytes(screen[2:4], "little"), limits)
    pages = _count_frames(ranges, 13 + _table_bytes(screen[4]), limits)
    check_page(page, pages, limits)
    rows = VipsRows("gifload", Feed(ranges.stream(0)), page=page)
    check_size(rows.width, rows.height, limits)
    return ImageFile(
        format="gif",
        width=rows.width,
        height=rows.height,
        pixels=rows.pixels,
        source=rows,
        pages=pages,
        progressive=True,
        held=_HELD_PER_PIXEL * rows.width * rows.height + ranges.size,
    )


def _count_frames(ranges: Ranges, offset: int, limits: Limits) -> int:
    """Return the number of frames, having walked all blocks to the trailer."""
    frames = blocks = 0
    while (kind := ranges.at(offset, 1)[0]) != _TRAILER:
        if kind == _IMAGE:
            frames += 1
            check_limit("the file", frames, limits.pages, "pages")
            # Descriptor, its colour table, and the code size.
            offset += 10 + _table_bytes(ranges.at(offset, 10)[9]) + 1
        elif kind == _EXTENSION:
            offset += 2
        else:
            raise damaged(f"there is no block at byte {offset:,}")
        while length := ranges.at(offset, 1, "a frame")[0]:
            offset += 1 + length
            blocks += 1
            check_limit("the file", blocks, _BLOCKS, "blocks")
        offset += 1
    return frames


def _table_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & _TABLE else 0
