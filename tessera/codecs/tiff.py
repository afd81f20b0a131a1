"""TIFF and BigTIFF: every TIFF tile is compressed alone, and all directories lie before the data.

The head is computed last, when the bytes of every TIFF tile are known, and listed first. With overviews, the
order is that of a cloud-optimized GeoTIFF: directories from large to small, data from small to large.
(Aldus TIFF 6.0, sections 14 and 15; TIFF Technical Note 3; OGC 21-026, Cloud Optimized GeoTIFF.)
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from tessera.checksum import Adler
from tessera.codecs import exif, holds, pyramid
from tessera.codecs.base import Array, Codec, Coded, Compression, Encoded, Layout, Picture, Unit
from tessera.codecs.deflate import FINISH, ZLIB, deflated
from tessera.codecs.pyramid import TILE
from tessera.codecs.tiff_head import (
    BIG,
    CLASSIC,
    LONG,
    RATIONAL,
    SHORT,
    UNDEFINED,
    Entry,
    Form,
    chained,
)
from tessera.geometry import Grid, Rect, ceil_div
from tessera.plan import Pixels

_TO_RGB = {3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGBA}
_CLASSIC_END = 2**32
_DEFLATE, _HORIZONTAL, _INCH, _UNASSOCIATED_ALPHA, _REDUCED, _UPRIGHT = 8, 2, 2, 2, 1, 1


@dataclass(frozen=True)
class TiffCodec(Codec):
    """TIFF, 8 and 16 bits, gray, gray with alpha, RGB and RGBA, deflated with the horizontal predictor."""

    compression: Compression = "fast"
    pyramid: bool = False
    media_type = "image/tiff"
    extension = "tif"

    @property
    def unit(self) -> Unit:
        """Return the sides of a TIFF tile."""
        return Unit(TILE, TILE)

    def check(self, width: int, height: int, pixels: Pixels) -> None:
        """Raise `InvalidOutput` if a side is longer than a TIFF's can be."""
        holds.check("tiff", width, height, pixels)

    def levels(self, grid: Grid) -> tuple[Grid, ...]:
        """Return the parts of the image and, with *pyramid*, of its overviews."""
        return pyramid.grids(grid) if self.pyramid else (grid,)

    def encode(self, tile: Array, rect: Rect, grid: Grid) -> Encoded:
        """Return the TIFF tiles of *rect*, row by row, and the bytes of each; the same of its overviews."""
        ends = ((rect.x1, grid.width), (rect.y1, grid.height))
        if rect.x0 % TILE or rect.y0 % TILE or any(end % TILE and end != edge for end, edge in ends):
            raise ValueError(f"{rect} doesn't fall on TIFF tiles of {TILE}")
        full = self._coded(tile)
        if not self.pyramid:
            return Encoded(full.data, index=full.index)
        own, overviews = pyramid.own_levels(grid), list[Coded]()
        for _ in range(own):
            tile = pyramid.halved(tile)
            overviews.append(self._coded(tile))
        more = own < pyramid.level_count(grid.width, grid.height)
        rest = pyramid.halved(tile) if more else None
        return Encoded(full.data, index=full.index, overviews=tuple(overviews), rest=rest)

    def top(self, grid: Grid, rows: Iterable[Array]) -> Iterator[tuple[int, int, Coded]]:
        """Yield level, number and bytes of each part of the overviews that span tiles.

        Parameters
        ----------
        grid
            The tiles of the image.
        rows
            What the tiles kept (`Encoded.rest`), joined to full-width rows, in pieces of any height.
        """
        first = pyramid.own_levels(grid) + 1
        for level, number, band in pyramid.bands_of(self.levels(grid), first, rows):
            yield level, number, self._coded(band)

    def frame(self, picture: Picture, checksum: Adler, layout: Layout | None = None) -> tuple[bytes, bytes]:
        """Return all directories, of classic TIFF if the file stays below 4 GiB; there is no tail."""
        if layout is None:
            raise ValueError("a TIFF needs the bytes of its tiles")
        levels = [_Level.of(*level) for level in zip(layout.grids, layout.index, strict=True)]
        head = _head(CLASSIC, picture, levels)
        if len(head) + sum(int(level.counts.sum()) for level in levels) >= _CLASSIC_END:
            head = _head(BIG, picture, levels)
        return head, b""

    def _coded(self, pixels: Array) -> Coded:
        """Return the TIFF tiles of *pixels*, whose corner is that of a TIFF tile."""
        rows, columns, channels = pixels.shape
        ordered = cv2.cvtColor(pixels, _TO_RGB[channels]) if channels in _TO_RGB else pixels
        parts = [
            self._deflated(ordered[y : y + TILE, x : x + TILE])
            for y in range(0, rows, TILE)
            for x in range(0, columns, TILE)
        ]
        return Coded(b"".join(parts), np.array([len(part) for part in parts], "<u4").tobytes())

    def _deflated(self, pixels: Array) -> bytes:
        rows, columns, channels = pixels.shape
        if (rows, columns) != (TILE, TILE):
            pixels = np.pad(pixels, ((0, TILE - rows), (0, TILE - columns), (0, 0)), mode="edge")
        samples = pixels.reshape(TILE, -1)
        predicted = samples.astype(f"<u{pixels.itemsize}")
        predicted[:, channels:] -= samples[:, :-channels]
        return deflated(predicted, self.compression, form=ZLIB, end=FINISH)


class _Level(NamedTuple):
    """The TIFF tiles of a level in the order of the data: bytes of each, and its number in the image."""

    grid: Grid
    counts: NDArray[np.int64]
    places: NDArray[np.int64]

    @classmethod
    def of(cls, grid: Grid, index: Sequence[bytes]) -> Self:
        counts, places = np.frombuffer(b"".join(index), "<u4").astype(np.int64), _places(grid)
        if len(places) != len(counts):
            raise ValueError(f"{grid} has {len(places)} TIFF tiles, and the bytes of {len(counts)} are known")
        return cls(grid, counts, places)

    def entries(self, form: Form, start: int) -> list[Entry]:
        """Return where each TIFF tile lies, and its bytes, if the data of the level begins at *start*."""
        ordered = np.empty((2, len(self.places)), np.int64)
        ordered[:, self.places] = start + np.cumsum(self.counts) - self.counts, self.counts
        return [Entry.of(324, form.offsets, ordered[0]), Entry.of(325, LONG, ordered[1])]


def _head(form: Form, picture: Picture, levels: Sequence[_Level]) -> bytes:
    """Return the head; its size depends on the number of TIFF tiles alone, so it is made twice."""
    start = len(chained(form, _directories(form, picture, levels, [0] * len(levels))))
    sizes = [int(level.counts.sum()) for level in levels]
    starts = [start + sum(sizes[number + 1 :]) for number in range(len(levels))]
    return chained(form, _directories(form, picture, levels, starts))


def _directories(
    form: Form, picture: Picture, levels: Sequence[_Level], starts: Sequence[int]
) -> list[list[Entry]]:
    directories = [
        _pixel_entries(picture, level.grid, overview=number > 0) + level.entries(form, start)
        for number, (level, start) in enumerate(zip(levels, starts, strict=True))
    ]
    directories[0] += _metadata_entries(picture)
    return directories


def _pixel_entries(picture: Picture, grid: Grid, *, overview: bool) -> list[Entry]:
    channels, depth = picture.pixels.channels, picture.pixels.depth
    entries = [
        Entry.of(254, LONG, [_REDUCED if overview else 0]),
        Entry.of(256, LONG, [grid.width]),
        Entry.of(257, LONG, [grid.height]),
        Entry.of(258, SHORT, [depth] * channels),
        Entry.of(259, SHORT, [_DEFLATE]),
        Entry.of(262, SHORT, [2 if channels > 2 else 1]),
        Entry.of(274, SHORT, [_UPRIGHT]),
        Entry.of(277, SHORT, [channels]),
        Entry.of(284, SHORT, [1]),
        Entry.of(317, SHORT, [_HORIZONTAL]),
        Entry.of(322, LONG, [TILE]),
        Entry.of(323, LONG, [TILE]),
        Entry.of(339, SHORT, [1] * channels),
    ]
    if picture.pixels.has_alpha:
        entries.append(Entry.of(338, SHORT, [_UNASSOCIATED_ALPHA]))
    return entries


def _metadata_entries(picture: Picture) -> list[Entry]:
    entries = exif.tiff_entries(picture.exif)
    if picture.resolution:
        for tag, dots in zip((282, 283), picture.resolution, strict=True):
            ratio = Fraction(dots).limit_denominator(10_000)
            entries.append(Entry.of(tag, RATIONAL, [ratio.numerator, ratio.denominator]))
        entries.append(Entry.of(296, SHORT, [_INCH]))
    if picture.icc:
        entries.append(Entry(34675, UNDEFINED, len(picture.icc), picture.icc))
    return entries


def _places(grid: Grid) -> NDArray[np.int64]:
    """Return for each TIFF tile, in the order of the data, its number in the image."""
    across = ceil_div(grid.width, TILE)
    places = []
    for part in grid.tiles():
        rows = np.arange(part.y0 // TILE, ceil_div(part.y1, TILE))
        columns = np.arange(part.x0 // TILE, ceil_div(part.x1, TILE))
        places.append((rows[:, np.newaxis] * across + columns).ravel())
    return np.concatenate(places)
