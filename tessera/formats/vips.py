"""Pixels from libvips: one pass, any warning an error, bounded memory where the format allows it."""

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pyvips

from tessera.errors import TesseraError, UnsupportedFormat
from tessera.formats.base import Array, damaged
from tessera.formats.ranges import Feed, SeekableFeed
from tessera.geometry import Rect
from tessera.plan import Depth, Pixels

_DEPTHS: dict[str, Depth] = {"uchar": 8, "ushort": 16}
_FROM_RGB = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}

_BYTES_AT_ONCE = 1 << 17
"""Rows come from the decoder a few at a time, in buffers that stay in a processor's cache and whose memory is
used again. All of a tile at once take three times as long, most of it for pages that the system clears; and
buffers larger than those of the decoder leave holes between these: 16 rows of 32,000 pixels, 135 MB."""

pyvips.cache_set_max(0)


class VipsRows:
    """The rows of an image that libvips decodes, once from top to bottom.

    Parameters
    ----------
    loader
        Name of the loader, such as ``jpegload``.
    feed
        The bytes.
    to_end
        Whether the feed is to be read to its end after the last row, to see that it has one.
    raw
        Whether four channels are samples to be left as they are: neither CMYK to convert, nor with alpha.
    options
        More of the loader's arguments.

    Raises
    ------
    CorruptImage
        If the header is damaged.
    UnsupportedFormat
        If the pixels are of a kind that isn't read here.
    """

    def __init__(
        self, loader: str, feed: Feed, *, to_end: bool = False, raw: bool = False, **options: Any
    ) -> None:
        self._feed, self._to_end, self._raw = feed, to_end, raw
        self._source = pyvips.SourceCustom()
        self._source.on_read(feed.read)
        if isinstance(feed, SeekableFeed):
            self._source.on_seek(feed.seek)
        load = getattr(pyvips.Image, f"{loader}_source")
        try:
            opened = load(self._source, access="sequential", fail_on="warning", **options)
            self.header = opened
            self._image = opened if raw else _to_rgb(opened)
        except pyvips.Error as error:
            raise _cause(feed, error, "its header is damaged or incomplete") from error
        self.width: int = self._image.width
        self.height: int = self._image.height
        self.pixels = _pixels(self._image)
        self._region = pyvips.Region.new(self._image)

    def field(self, name: str, default: Any = None) -> Any:
        """Return a field of the header, or *default*."""
        return self.header.get(name) if name in self.header.get_fields() else default

    def bands(self, rows: int, stop: int) -> Iterator[Array]:
        """Yield rows 0 to *stop*, *rows* at a time."""
        for y0 in range(0, stop, rows):
            yield self.fetch(y0, min(y0 + rows, stop))
        if self._to_end and stop == self.height:
            self._feed.drain()

    def fetch(self, y0: int, y1: int) -> Array:
        """Return rows *y0* to *y1*, which follow those fetched before."""
        out = np.empty((y1 - y0, self.width, self.pixels.channels), f"u{self.pixels.depth // 8}")
        rows = max(1, _BYTES_AT_ONCE // out[:1].nbytes)
        for top in range(y0, y1, rows):
            part = out[top - y0 : top - y0 + rows]
            copy_bgr(self._fetched(top, part), part, raw=self._raw)
        return out

    def _fetched(self, y0: int, like: Array) -> Array:
        """Return rows from *y0* in the order of the decoder, as many as *like* has."""
        y1 = y0 + len(like)
        try:
            data = self._region.fetch(0, y0, self.width, len(like))
        except pyvips.Error as error:
            raise _cause(
                self._feed, error, f"its pixels end or break by row {y1} of {self.height}"
            ) from error
        return np.frombuffer(data, like.dtype).reshape(like.shape)

    def read(self, rect: Rect) -> Array:
        """Return the pixels of *rect*, which is below what was read before; what is between is skipped."""
        rows = self.fetch(rect.y0, rect.y1)
        if self._to_end and rect.y1 == self.height:
            self._feed.drain()
        return rows[:, rect.x0 : rect.x1]


def decode(loader: str, data: bytes) -> Array:
    """Return the pixels of a small file in memory.

    Raises
    ------
    CorruptImage
        If it is damaged.
    """
    try:
        image = _to_rgb(
            getattr(pyvips.Image, f"{loader}_buffer")(data, access="sequential", fail_on="warning")
        )
        pixels = _pixels(image)
        raw = image.write_to_memory()
    except pyvips.Error as error:
        raise damaged(f"its pixels break ({_reason(error)})") from error
    decoded = np.frombuffer(raw, f"u{pixels.depth // 8}").reshape(image.height, image.width, pixels.channels)
    out = np.empty_like(decoded)
    copy_bgr(decoded, out)
    return out


def copy_bgr(decoded: Array, out: Array, *, raw: bool = False) -> None:
    """Write what the decoder gave into *out*, in OpenCV's order of channels."""
    conversion = _FROM_RGB.get(decoded.shape[2])
    if conversion is None or (raw and decoded.shape[2] == 4):
        out[:] = decoded
    else:
        cv2.cvtColor(decoded, conversion, dst=out)


def _to_rgb(image: Any) -> Any:
    """Return a CMYK image as sRGB through its own profile, else libvips' CMYK profile; others as they are."""
    if image.interpretation != "cmyk":
        return image
    depth = 16 if image.format == "ushort" else 8
    return image.icc_transform(
        "srgb",
        embedded=True,
        input_profile="cmyk",
        depth=depth,
        intent="relative",
        black_point_compensation=True,
    )


def _pixels(image: Any) -> Pixels:
    depth = _DEPTHS.get(image.format)
    if depth is None or not 1 <= image.bands <= 4:
        raise UnsupportedFormat(
            f"the image has {image.bands} channels of {image.format}",
            hint="send 8 or 16 bits, and gray or colour with or without alpha",
        )
    return Pixels(channels=image.bands, depth=depth)


def _cause(feed: Feed, error: pyvips.Error, where: str) -> Exception:
    """Return the fault of the storage or of our own reading if there was one, else what the decoder says."""
    if feed.fault is not None:
        return feed.fault
    problem: TesseraError = damaged(f"{where} ({_reason(error)})")
    return problem


def _reason(error: pyvips.Error) -> str:
    lines = str(error.detail).strip().splitlines()
    return lines[-1] if lines else "the decoder warns of it"
