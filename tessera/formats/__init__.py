"""Reading uploads: what the header says, and pixels in bounded memory, in every format that is read here.

Decoders are libvips' (libjpeg-turbo, libpng, libtiff, libwebp, libnsgif). What they get is never the file
itself but the parts of it that make pixels: containers, directories and metadata are read here, with bounds.
Every warning of a decoder is an error, so that a damaged file never turns into grey pixels.
"""

from collections.abc import Callable

from tessera.formats import jpeg_restarts
from tessera.formats.base import FormatName, ImageFile, Limits, ReadRange
from tessera.formats.bmp import open_bmp
from tessera.formats.gif import open_gif
from tessera.formats.jpeg import open_jpeg, read_head
from tessera.formats.jpeg_restarts import open_restarts
from tessera.formats.pages import check_page
from tessera.formats.png import open_png
from tessera.formats.ranges import Ranges
from tessera.formats.sniffing import FIRST_BYTES, sniff
from tessera.formats.tiff import open_tiff
from tessera.formats.webp import open_webp

__all__ = [
    "FIRST_BYTES",
    "FormatName",
    "ImageFile",
    "Limits",
    "ReadRange",
    "index_restarts",
    "open_image",
    "sniff",
]

type _Opener = Callable[[Ranges, int, Limits], ImageFile]

_OPENERS: dict[FormatName, _Opener] = {
    "jpeg": open_jpeg,
    "png": open_png,
    "tiff": open_tiff,
    "webp": open_webp,
    "gif": open_gif,
    "bmp": open_bmp,
}


def open_image(
    read: ReadRange, size: int, *, page: int = 0, limits: Limits | None = None, restarts: bytes | None = None
) -> ImageFile:
    """Open an upload: read its header, and no pixels.

    Parameters
    ----------
    read
        Gives byte ranges of the upload.
    size
        Its bytes.
    page
        Number of the page, frame or directory, from 0.
    limits
        What the file may ask for.
    restarts
        What `index_restarts` gave for it: then a JPEG is *random*.

    Raises
    ------
    tessera.errors.UnsupportedFormat
        If its first bytes are those of no format that is read here, it is of a kind of that format that
        isn't, or there is no such page.
    tessera.errors.CorruptImage
        If it is empty, its header is damaged, or says that there are no pixels.
    tessera.errors.LimitExceeded
        If it asks for more than *limits* allow.
    """
    limits = limits or Limits()
    ranges = Ranges(read, size)
    name = sniff(ranges.at(0, min(FIRST_BYTES, size)))
    if page and name in ("jpeg", "png", "bmp"):
        check_page(page, 1, limits)
    if restarts is not None and name == "jpeg":
        return open_restarts(ranges, restarts, limits)
    return _OPENERS[name](ranges, page, limits)


def index_restarts(read: ReadRange, size: int, *, limits: Limits | None = None) -> bytes | None:
    """Return where the restart intervals of a JPEG are, so that `open_image` can read it at random, or None.

    It reads the file once and decodes nothing. The index takes a few bytes for each row of intervals. There
    is none for what isn't a JPEG of one scan with restart markers, or has too few of them.

    Raises
    ------
    tessera.errors.CorruptImage
        If the header is damaged, or markers are missing or out of order.
    tessera.errors.UnsupportedFormat, tessera.errors.LimitExceeded
        As `open_image` says.
    """
    limits = limits or Limits()
    ranges = Ranges(read, size)
    if sniff(ranges.at(0, min(FIRST_BYTES, size))) != "jpeg":
        return None
    return jpeg_restarts.index_restarts(ranges, read_head(ranges, limits), limits)
