"""GIF: decoded whole by libvips, frame by frame."""

from tessera.formats.base import ImageFile, Limits, check_size
from tessera.formats.ranges import Feed, Ranges
from tessera.formats.vips import VipsRows
from tessera.formats.webp import check_page

_HELD_PER_PIXEL = 8


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
    screen = ranges.at(6, 4)
    check_size(int.from_bytes(screen[:2], "little"), int.from_bytes(screen[2:], "little"), limits)
    rows = VipsRows("gifload", Feed(ranges.stream(0)))
    pages = int(rows.field("n-pages", 1))
    check_page(page, pages, limits)
    if page:
        rows = VipsRows("gifload", Feed(ranges.stream(0)), page=page)
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
