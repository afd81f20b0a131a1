"""Deflate and zstd of TIFF, undone here: libtiff looks at no checksum of the one and lacks the other."""

import zlib
from collections.abc import Iterator, Sequence
from typing import Protocol, cast

import numpy as np
from backports import zstd
from isal import igzip_lib

from tessera.formats.base import Array, damaged
from tessera.formats.ranges import Ranges
from tessera.formats.tiff_directory import Tag
from tessera.formats.tiff_layout import ADOBE_DEFLATE, INFLATED_HERE, NO_PREDICTOR, NONE, ZSTD, Layout
from tessera.formats.tiff_wrapper import Fields

_STORED = 0
_ZSTD_WINDOW_LOG = 27
_PIECE = 1 << 20
_ERRORS = (zstd.ZstdError, cast("type[Exception]", igzip_lib.IsalError))


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def decodable(
    segments: Sequence[bytes], rows: Sequence[int], fields: Fields, layout: Layout
) -> tuple[Sequence[bytes], Fields]:
    """Return *segments*, which have *rows* rows inside the image, and *fields* as libtiff can read them.

    What was inflated becomes a deflate stream that only stores, if there is a predictor for libtiff to undo.

    Raises
    ------
    CorruptImage
        If a deflate or zstd segment is damaged, or has fewer bytes than its pixels.
    """
    if layout.compression not in INFLATED_HERE:
        return segments, fields
    plain = [inflated(segment, count, layout) for segment, count in zip(segments, rows, strict=True)]
    if fields.get(Tag.PREDICTOR, (NO_PREDICTOR,))[0] == NO_PREDICTOR:
        return plain, {**fields, Tag.COMPRESSION: (NONE,)}
    stored = [zlib.compress(segment, _STORED) for segment in plain]
    return stored, {**fields, Tag.COMPRESSION: (ADOBE_DEFLATE,)}


def inflated(segment: bytes, rows: int, layout: Layout) -> bytes:
    """Return the bytes of a segment: all of a tile, of a strip the *rows* rows that are inside the image.

    Raises
    ------
    CorruptImage
        If it is damaged, or has fewer bytes or more than its pixels.
    """
    whole = layout.row_bytes * layout.segment_height
    need = whole if layout.tiled else layout.row_bytes * rows
    decompressor = _decompressor(layout.compression)
    try:
        data = decompressor.decompress(segment, whole + 1)
    except _ERRORS as error:
        raise damaged(f"a strip or tile doesn't inflate ({error})") from error
    if not need <= len(data) <= whole or not decompressor.eof:
        raise damaged(f"a strip or tile has {len(data):,} bytes or more, not {need:,}, or breaks off")
    return data[:need]


class InflatedRows:
    """Raw rows of strips that are too large to be inflated at once, from top to bottom.

    Parameters
    ----------
    ranges, layout
        The file, and where its strips are.
    plane
        Number of the plane.
    order
        Byte order of the samples.
    predictor
        Whether each sample is stored as the difference to the one on its left.
    """

    def __init__(self, ranges: Ranges, layout: Layout, plane: int, order: str, *, predictor: bool) -> None:
        self._layout, self._predictor = layout, predictor
        self._samples = 1 if layout.planar else layout.samples
        self._dtype = np.dtype(f"{order}u{max(1, layout.bits // 8)}")
        self._pieces = self._strips(ranges, plane)
        self._left = b""

    def fetch(self, rows: int) -> Array:
        """Return the next *rows* rows, (rows, bytes of a row), uint8, in little-endian order.

        Raises
        ------
        CorruptImage
            If a strip is damaged or ends before its rows do.
        """
        need = rows * self._layout.row_bytes
        found, count = [self._left], len(self._left)
        while count < need:
            piece = next(self._pieces, None)
            if piece is None:
                raise damaged("its strips end before its rows do")
            found.append(piece)
            count += len(piece)
        joined = b"".join(found)
        self._left = joined[need:]
        raw = np.frombuffer(joined, self._dtype, need // self._dtype.itemsize)
        native = raw.astype(self._dtype.newbyteorder("<"), copy=False).reshape(rows, -1)
        if self._predictor:
            samples = native.reshape(rows, -1, self._samples)
            native = np.cumsum(samples, axis=1, dtype=native.dtype).reshape(rows, -1)
        return native.view(np.uint8)

    def _strips(self, ranges: Ranges, plane: int) -> Iterator[bytes]:
        """Yield the bytes of all strips; raise where one has fewer than its rows."""
        for row in range(self._layout.down):
            offset, length = self._layout.span(plane, row, 0)
            need = self._layout.row_bytes * self._layout.rows_of(row)
            most = self._layout.row_bytes * self._layout.segment_height
            pieces = ranges.stream(offset, offset + length)
            yield from _pieces(pieces, need, most, _decompressor(self._layout.compression))


def _pieces(pieces: Iterator[bytes], need: int, most: int, decompressor: _Decompressor) -> Iterator[bytes]:
    """Yield *need* bytes of a stream of at most *most*, and see to its end, where the checksum is."""
    total = 0
    while not decompressor.eof:
        data = next(pieces, b"") if decompressor.needs_input else b""
        if decompressor.needs_input and not data:
            raise damaged("a strip breaks off")
        try:
            piece = decompressor.decompress(data, _PIECE)
        except _ERRORS as error:
            raise damaged(f"a strip doesn't inflate ({error})") from error
        yield piece[: max(0, need - total)]
        total += len(piece)
        if total > most:
            raise damaged(f"a strip inflates to more than its {most:,} bytes")
    if total < need:
        raise damaged(f"a strip has {total:,} bytes of {need:,}")


def _decompressor(compression: int) -> _Decompressor:
    if compression == ZSTD:
        return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG})
    made: _Decompressor = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_ZLIB)
    return made
