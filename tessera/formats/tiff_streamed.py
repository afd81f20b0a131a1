"""Strips of a TIFF that are too large to be decoded alone, once from top to bottom."""

from collections.abc import Iterator

import numpy as np

from tessera.formats.base import Array, Limits, PixelSource
from tessera.formats.ranges import Ranges, SeekableFeed
from tessera.formats.tiff_directory import Directory, Tag
from tessera.formats.tiff_jpeg import JpegSegments
from tessera.formats.tiff_layout import HORIZONTAL, INFLATED_HERE, JPEG, NO_PREDICTOR, Layout
from tessera.formats.tiff_pixels import as_expected, as_pixels, stacked
from tessera.formats.tiff_segments import InflatedRows
from tessera.formats.tiff_wrapper import coded_fields, wrapper_head
from tessera.formats.vips import VipsRows
from tessera.geometry import Rect


def streamed(ranges: Ranges, directory: Directory, layout: Layout, limits: Limits) -> PixelSource:
    """Return the rows of a page whose strips are large."""
    if layout.compression in INFLATED_HERE:
        return Inflated(ranges, directory, layout)
    planes = range(layout.samples if layout.planar else 1)
    if layout.compression == JPEG:
        jpeg = JpegSegments(directory, layout, limits)
        return Decoded(directory, layout, [JpegStrips(ranges, layout, jpeg, plane) for plane in planes])
    return Decoded(directory, layout, [_whole_plane(ranges, directory, layout, plane) for plane in planes])


def held_bytes(layout: Layout) -> int:
    """Return the bytes that libtiff holds of strips that are streamed: one of each plane, as it is stored."""
    if layout.compression in (*INFLATED_HERE, JPEG):
        return 0
    return int(layout.lengths.max()) * (layout.samples if layout.planar else 1)


def _whole_plane(ranges: Ranges, directory: Directory, layout: Layout, plane: int) -> VipsRows:
    """Return a plane as a TIFF of its own in front of the file, which libtiff streams."""
    chosen = slice(plane * layout.down, (plane + 1) * layout.down)
    spans = (layout.offsets[chosen].tolist(), layout.lengths[chosen].tolist())
    size, cut = (layout.width, layout.height), (None, layout.segment_height)
    head = wrapper_head(directory.form.order, coded_fields(directory, layout), size, cut, spans)
    # Its limit is for what it doesn't know: a strip, which it reads whole, is no longer than the file.
    return VipsRows("tiffload", SeekableFeed(head, ranges), unlimited=True)


class JpegStrips:
    """The strips of a plane, each a JPEG, one after the other."""

    def __init__(self, ranges: Ranges, layout: Layout, jpeg: JpegSegments, plane: int) -> None:
        self._ranges, self._layout, self._jpeg, self._plane = ranges, layout, jpeg, plane
        self._row, self._strip = -1, self._open(0)

    def fetch(self, y0: int, y1: int) -> Array:
        """Return rows *y0* to *y1*, which follow those fetched before."""
        height, parts = self._layout.segment_height, []
        while y0 < y1:
            if y0 // height != self._row:
                self._strip = self._open(y0 // height)
            end = min(y1, (self._row + 1) * height)
            top = self._row * height
            parts.append(self._strip.fetch(y0 - top, end - top))
            y0 = end
        return self._jpeg.pixels(np.concatenate(parts))

    def _open(self, row: int) -> VipsRows:
        self._row = row
        part = self._ranges.part(*self._layout.span(self._plane, row, 0))
        return self._jpeg.open(part, self._layout.rows_of(row))


type Planes = list[VipsRows] | list[JpegStrips]


class Decoded:
    """Planes that a decoder streams, or the one that has all samples."""

    def __init__(self, directory: Directory, layout: Layout, planes: Planes) -> None:
        self._directory, self._layout, self._planes = directory, layout, planes

    def bands(self, rows: int, stop: int) -> Iterator[Array]:
        """Yield rows 0 to *stop*, *rows* at a time."""
        for y0 in range(0, stop, rows):
            y1 = min(y0 + rows, stop)
            found = [plane.fetch(y0, y1) for plane in self._planes]
            raster = stacked(found, self._directory, self._layout) if self._layout.planar else found[0]
            yield as_expected(raster, self._directory, self._layout, Rect(0, y0, self._layout.width, y1))

    def read(self, rect: Rect) -> Array:
        """Refuse: this is one pass."""
        raise NotImplementedError


class Inflated:
    """Planes that are inflated here."""

    def __init__(self, ranges: Ranges, directory: Directory, layout: Layout) -> None:
        self._directory, self._layout = directory, layout
        predictor = directory.one(Tag.PREDICTOR, NO_PREDICTOR) == HORIZONTAL
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
            yield as_expected(raster, self._directory, layout, Rect(0, y0, layout.width, y1))

    def read(self, rect: Rect) -> Array:
        """Refuse: this is one pass."""
        raise NotImplementedError
