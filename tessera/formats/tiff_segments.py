"""Segments in a compression that the decoder has: zstd, which it lacks, is undone here."""

import zlib
from collections.abc import Sequence

from backports import zstd

from tessera.formats.base import damaged
from tessera.formats.tiff_directory import Tag
from tessera.formats.tiff_layout import ADOBE_DEFLATE, ZSTD, Layout
from tessera.formats.tiff_wrapper import Fields

_STORED = 0


def decodable(
    segments: Sequence[bytes], rows: Sequence[int], fields: Fields, layout: Layout
) -> tuple[Sequence[bytes], Fields]:
    """Return *segments*, which have *rows* rows inside the image, and *fields* as libtiff can read them.

    Raises
    ------
    CorruptImage
        If a zstd segment is damaged, or doesn't inflate to the bytes of its pixels.
    """
    if layout.compression != ZSTD:
        return segments, fields
    stored = [_stored(segment, count, layout) for segment, count in zip(segments, rows, strict=True)]
    return stored, {**fields, Tag.COMPRESSION: (ADOBE_DEFLATE,)}


def _stored(segment: bytes, rows: int, layout: Layout) -> bytes:
    """Return the bytes of a zstd segment as a deflate stream that only stores them: the predictor stays."""
    need = layout.row_bytes * (layout.segment_height if layout.tiled else rows)
    decompressor = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: 27})
    try:
        data = decompressor.decompress(segment, need + 1)
    except zstd.ZstdError as error:
        raise damaged(f"a zstd segment breaks ({error})") from error
    if len(data) != need:
        raise damaged(f"a zstd segment has {len(data):,} bytes of {need:,}")
    return zlib.compress(data, _STORED)
