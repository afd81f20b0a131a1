"""TIFF and BigTIFF: strips and tiles are read at random by ranges; one large compressed strip is streamed."""

from collections.abc import Iterator

import cv2
import numpy as np

from tessera.errors import LimitExceeded
from tessera.formats import exif
from tessera.formats.base import Array, ImageFile, Limits, damaged, rechunk
from tessera.formats.ranges import Ranges, SeekableFeed
from tessera.formats.tiff_directory import Directory, Tag, read_directory
from tessera.formats.tiff_layout import INFLATED_HERE, SEPARATED, Layout, read_layout
from tessera.formats.tiff_segments import InflatedRows, decodable
from tessera.formats.tiff_wrapper import coded_fields, raw_fields, wrap_segments, wrapper_head
from tessera.formats.vips import VipsRows, decode
from tessera.geometry import Rect, ceil_div

_GROUP_BYTES = 8 << 20
"""Decoded bytes of the segments that are decoded together."""
_HORIZONTAL = 2


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
    random = layout.decoded <= limits.block
    if not random and layout.tiled:
        raise LimitExceeded(
            f"a tile of the TIFF has {layout.decoded:,} bytes of pixels, and {limits.block:,} are allowed",
            hint="save it with smaller tiles",
            limit=limits.block,
            actual=layout.decoded,
        )
    streamed = StreamedInflated if layout.compression in INFLATED_HERE else Streamed
    source = (Segments if random else streamed)(ranges, directory, layout)
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
        pages=directory.pages,
        random=random,
        block=(layout.segment_width, layout.segment_height) if random else None,
    )


class Segments:
    """Strips or tiles, each read and decoded when its pixels are asked for."""

    def __init__(self, ranges: Ranges, directory: Directory, layout: Layout) -> None:
        self._ranges, self._directory, self._layout = ranges, directory, layout
        self._fields = coded_fields(directory, layout)

    def bands(self, rows: int, stop: int) -> Iterator[Array]:
        """Yield rows 0 to *stop*, *rows* at a time."""
        step = self._group(self._layout.across) * self._layout.segment_height
        groups = (
            self.read(Rect(0, y0, self._layout.width, min(y0 + step, stop))) for y0 in range(0, stop, step)
        )
        return rechunk(groups, rows)

    def read(self, rect: Rect) -> Array:
        """Return the pixels of *rect*."""
        layout = self._layout
        pixels = layout.pixels
        out = np.empty((rect.height, rect.width, pixels.channels), f"u{pixels.depth // 8}")
        first, last = rect.y0 // layout.segment_height, ceil_div(rect.y1, layout.segment_height)
        left, right = rect.x0 // layout.segment_width, ceil_div(rect.x1, layout.segment_width)
        step = self._group(right - left)
        for row in range(first, last, step):
            grid = Rect(left, row, right, min(row + step, last))
            found = self._decode(grid)
            region = self._region(grid)
            common = region.intersection(rect)
            out[common.relative_to(rect).slices] = found[common.relative_to(region).slices]
        return out

    def _group(self, across: int) -> int:
        """Return the rows of segments that are decoded together."""
        return max(1, _GROUP_BYTES // (self._layout.decoded * across))

    def _region(self, grid: Rect) -> Rect:
        layout = self._layout
        return Rect(
            grid.x0 * layout.segment_width,
            grid.y0 * layout.segment_height,
            min(grid.x1 * layout.segment_width, layout.width),
            min(grid.y1 * layout.segment_height, layout.height),
        )

    def _decode(self, grid: Rect) -> Array:
        """Return the pixels of a box of segments."""
        layout = self._layout
        planes = layout.samples if layout.planar else 1
        cells = [
            (plane, row, column)
            for plane in range(planes)
            for row in range(grid.y0, grid.y1)
            for column in range(grid.x0, grid.x1)
        ]
        found = self._ranges.many([layout.span(*cell) for cell in cells])
        order, region = self._directory.form.order, self._region(grid)
        size = (region.width, region.height)
        decoded = []
        for plane in range(planes):
            chosen = slice(plane * len(cells) // planes, (plane + 1) * len(cells) // planes)
            segments, fields = decodable(
                found[chosen], [layout.rows_of(row) for _, row, _ in cells[chosen]], self._fields, layout
            )
            decoded.append(decode("tiffload", wrap_segments(order, fields, layout, size, segments)))
        raster = stacked(decoded, self._directory, layout) if layout.planar else decoded[0]
        return as_expected(raster, layout, region)


class Streamed:
    """Strips that are too large to be decoded alone, once from top to bottom."""

    def __init__(self, ranges: Ranges, directory: Directory, layout: Layout) -> None:
        self._directory, self._layout = directory, layout
        fields, order = coded_fields(directory, layout), directory.form.order
        self._planes = []
        for plane in range(layout.samples if layout.planar else 1):
            chosen = slice(plane * layout.down, (plane + 1) * layout.down)
            spans = (layout.offsets[chosen].tolist(), layout.lengths[chosen].tolist())
            size, cut = (layout.width, layout.height), (None, layout.segment_height)
            head = wrapper_head(order, fields, size, cut, spans)
            self._planes.append(VipsRows("tiffload", SeekableFeed(head, ranges)))

    def bands(self, rows: int, stop: int) -> Iterator[Array]:
        """Yield rows 0 to *stop*, *rows* at a time."""
        for y0 in range(0, stop, rows):
            y1 = min(y0 + rows, stop)
            found = [plane.fetch(y0, y1) for plane in self._planes]
            raster = stacked(found, self._directory, self._layout) if self._layout.planar else found[0]
            yield as_expected(raster, self._layout, Rect(0, y0, self._layout.width, y1))

    def read(self, rect: Rect) -> Array:
        """Refuse: this is one pass."""
        raise NotImplementedError


class StreamedInflated:
    """The same for strips that are inflated here."""

    def __init__(self, ranges: Ranges, directory: Directory, layout: Layout) -> None:
        self._directory, self._layout = directory, layout
        predictor = directory.one(Tag.PREDICTOR, 1) == _HORIZONTAL
        self._planes = [
            InflatedRows(ranges, layout, plane, directory.form.order, predictor=predictor)
            for plane in range(layout.samples if layout.planar else 1)
        ]

    def bands(self, rows: int, stop: int) -> Iterator[Array]:
        """Yield rows 0 to *stop*, *rows* at a time."""
        layout = self._layout
        for y0 in range(0, stop, rows):
            y1 = min(y0 + rows, stop)
            found = [plane.fetch(y1 - y0) for plane in self._planes]
            raw = found[0]
            if layout.planar:
                sample = layout.bits // 8
                parts = [plane.reshape(y1 - y0, layout.width, sample) for plane in found]
                raw = np.concatenate(parts, axis=-1)
            raster = as_pixels(raw, (layout.width, y1 - y0), self._directory, layout)
            yield as_expected(raster, layout, Rect(0, y0, layout.width, y1))

    def read(self, rect: Rect) -> Array:
        """Refuse: this is one pass."""
        raise NotImplementedError


def stacked(planes: list[Array], directory: Directory, layout: Layout) -> Array:
    """Return the pixels whose samples are *planes*, each (rows, columns, 1)."""
    chunky = np.concatenate(planes, axis=-1)
    little = np.ascontiguousarray(chunky, chunky.dtype.newbyteorder("<"))
    return as_pixels(little, (chunky.shape[1], chunky.shape[0]), directory, layout)


def as_pixels(raw: Array, size: tuple[int, int], directory: Directory, layout: Layout) -> Array:
    """Return the pixels that chunky little-endian samples stand for."""
    data = raw.tobytes()
    fields = raw_fields(directory, layout)
    head = wrapper_head("<", fields, size, (None, size[1]), ([0], [len(data)]))
    return decode("tiffload", head + data)


def as_expected(raster: Array, layout: Layout, region: Rect) -> Array:
    """Return *raster* in the channels of the page: libtiff may find that a palette is gray.

    Raises
    ------
    CorruptImage
        If it isn't what the directory says.
    """
    wanted = layout.pixels
    if raster.shape[2] == 1 and wanted.channels == 3:
        raster = cv2.cvtColor(raster, cv2.COLOR_GRAY2BGR)
    shape = (region.height, region.width, wanted.channels)
    if raster.shape != shape or raster.dtype.itemsize * 8 != wanted.depth:
        raise damaged(f"its pixels are {raster.shape} of {raster.dtype}, not what its directory says")
    return raster
