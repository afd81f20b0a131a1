"""Strips and tiles of a TIFF, read by ranges and decoded when their pixels are asked for."""

from collections.abc import Iterator

import numpy as np

from tessera.formats.base import Array, Limits, rechunk
from tessera.formats.ranges import Ranges, in_memory
from tessera.formats.tiff_directory import Directory
from tessera.formats.tiff_jpeg import JpegSegments
from tessera.formats.tiff_layout import JPEG, Layout
from tessera.formats.tiff_pixels import as_expected, stacked
from tessera.formats.tiff_plain import is_plain, plain_pixels
from tessera.formats.tiff_segments import decodable
from tessera.formats.tiff_wrapper import coded_fields, wrap_segments
from tessera.formats.vips import decode
from tessera.geometry import Rect, ceil_div

_GROUP_BYTES = 8 << 20
"""Decoded bytes of the segments that are decoded together."""


class Segments:
    """Strips or tiles, each read and decoded when its pixels are asked for."""

    def __init__(self, ranges: Ranges, directory: Directory, layout: Layout, limits: Limits) -> None:
        self._ranges, self._directory, self._layout = ranges, directory, layout
        self._fields = coded_fields(directory, layout)
        self._jpeg = JpegSegments(directory, layout, limits) if layout.compression == JPEG else None
        self._plain = is_plain(directory, layout)

    def bands(self, rows: int, stop: int) -> Iterator[Array]:
        """Yield rows 0 to *stop*, *rows* at a time."""
        layout = self._layout
        step = max(1, _GROUP_BYTES // (layout.decoded * layout.across)) * layout.segment_height
        groups = (self.read(Rect(0, y0, layout.width, min(y0 + step, stop))) for y0 in range(0, stop, step))
        return rechunk(groups, rows)

    def read(self, rect: Rect) -> Array:
        """Return the pixels of *rect*."""
        layout = self._layout
        pixels = layout.pixels
        out = np.empty((rect.height, rect.width, pixels.channels), f"u{pixels.depth // 8}")
        first, last = rect.y0 // layout.segment_height, ceil_div(rect.y1, layout.segment_height)
        left, right = rect.x0 // layout.segment_width, ceil_div(rect.x1, layout.segment_width)
        for grid in self._groups(Rect(left, first, right, last)):
            found = self._decode(grid)
            region = self._region(grid)
            common = region.intersection(rect)
            out[common.relative_to(rect).slices] = found[common.relative_to(region).slices]
        return out

    def _groups(self, grid: Rect) -> Iterator[Rect]:
        """Yield boxes of segments that are decoded together: some rows of them, or part of a row."""
        most = max(1, _GROUP_BYTES // self._layout.decoded)
        columns, rows = min(most, grid.width), max(1, most // grid.width)
        for y in range(grid.y0, grid.y1, rows):
            for x in range(grid.x0, grid.x1, columns):
                yield Rect(x, y, min(x + columns, grid.x1), min(y + rows, grid.y1))

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
        per_plane = len(cells) // planes
        decoded = [
            self._decode_plane(grid, found[start : start + per_plane])
            for start in range(0, len(cells), per_plane)
        ]
        raster = stacked(decoded, self._directory, layout) if layout.planar else decoded[0]
        return as_expected(raster, self._directory, layout, self._region(grid))

    def _decode_plane(self, grid: Rect, segments: list[bytes]) -> Array:
        layout, region = self._layout, self._region(grid)
        rows = [layout.rows_of(row) for row in range(grid.y0, grid.y1) for _ in range(grid.width)]
        if self._jpeg:
            return self._decode_jpegs(grid, segments, rows)
        size, order = (region.width, region.height), self._directory.form.order
        if self._plain:
            return plain_pixels(segments, rows, size, self._directory, layout)
        plain, fields = decodable(segments, rows, self._fields, layout)
        return decode("tiffload", wrap_segments(order, fields, layout, size, plain))

    def _decode_jpegs(self, grid: Rect, segments: list[bytes], rows: list[int]) -> Array:
        assert self._jpeg
        region = self._region(grid)
        opened = zip(segments, rows, strict=True)
        parts = [self._jpeg.open(in_memory(segment), count).fetch(0, count) for segment, count in opened]
        firsts = range(0, len(parts), grid.width)
        lines = [np.concatenate(parts[first : first + grid.width], axis=1) for first in firsts]
        whole = np.concatenate(lines)[:, : region.width]
        return self._jpeg.pixels(whole)
