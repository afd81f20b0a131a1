"""Small TIFFs around segments of a large one, so that libtiff decodes them and never sees the file itself."""

from collections.abc import Mapping, Sequence

import numpy as np

from tessera.formats.tiff_directory import SEGMENT_TAGS, Directory, Tag
from tessera.formats.tiff_layout import MIN_IS_BLACK, NONE, SEPARATED, Layout

type Fields = dict[int, Sequence[int] | bytes]

_CARRIED = (
    Tag.FILL_ORDER, Tag.T4_OPTIONS, Tag.T6_OPTIONS, Tag.PREDICTOR, Tag.JPEG_TABLES, Tag.YCBCR_SUBSAMPLING,
)  # fmt: skip
_COLOUR = (Tag.COLOR_MAP, Tag.EXTRA_SAMPLES)
_HEADER, _ENTRY, _COUNT, _NEXT = 16, 20, 8, 8
_SHORT, _LONG, _UNDEFINED, _LONG8 = 3, 4, 7, 16
_SIZES = (Tag.WIDTH, Tag.HEIGHT, Tag.ROWS_PER_STRIP, Tag.TILE_WIDTH, Tag.TILE_HEIGHT)
_KINDS: dict[int, tuple[int, int]] = {
    **{tag: (_LONG, 4) for tag in (Tag.T4_OPTIONS, Tag.T6_OPTIONS)},
    **{tag: (_LONG8, 8) for tag in (*SEGMENT_TAGS, *_SIZES)},
}
"""TIFF type and bytes of the values that are no SHORTs."""


def coded_fields(directory: Directory, layout: Layout) -> Fields:
    """Return the fields under which libtiff decodes segments; those of a plane, if there are several."""
    fields: Fields = {tag: _carried(directory, tag) for tag in _CARRIED if tag in directory.values}
    fields[Tag.COMPRESSION] = (layout.compression,)
    if layout.planar:
        return fields | _samples(1, layout.bits, MIN_IS_BLACK)
    return fields | colour_fields(directory, layout)


def colour_fields(directory: Directory, layout: Layout) -> Fields:
    """Return the fields that say what chunky samples mean."""
    fields: Fields = {tag: _carried(directory, tag) for tag in _COLOUR if tag in directory.values}
    if layout.photometric == SEPARATED and Tag.ICC in directory.values:
        fields[Tag.ICC] = directory.values[Tag.ICC].tobytes()
    return fields | _samples(layout.samples, layout.bits, layout.photometric)


def raw_fields(directory: Directory, layout: Layout) -> Fields:
    """Return the fields of chunky samples that are not compressed."""
    return colour_fields(directory, layout) | {Tag.COMPRESSION: (NONE,)}


def wrap_segments(
    order: str, fields: Fields, layout: Layout, size: tuple[int, int], segments: Sequence[bytes]
) -> bytes:
    """Return a TIFF of *size* (width, height) that consists of *segments*, in order."""
    lengths = [len(segment) for segment in segments]
    offsets = [0, *np.cumsum(lengths)[:-1].tolist()]
    tiled = (layout.segment_width, layout.segment_height) if layout.tiled else None
    head = wrapper_head(order, fields, size, (tiled, layout.segment_height), (offsets, lengths))
    return b"".join((head, *segments))


def wrapper_head(
    order: str,
    fields: Fields,
    size: tuple[int, int],
    cut: tuple[tuple[int, int] | None, int],
    spans: tuple[Sequence[int], Sequence[int]],
) -> bytes:
    """Return the head of a BigTIFF whose data follows it.

    Parameters
    ----------
    order
        ``<`` or ``>``, that of the samples in the segments.
    fields
        Values of the tags that don't say where things are.
    size
        Width and height.
    cut
        Width and height of a tile (or None), and rows of a strip.
    spans
        Offsets of the segments, counted from the end of this head, and their lengths.
    """
    tile, rows = cut
    where: Fields = {Tag.WIDTH: (size[0],), Tag.HEIGHT: (size[1],), Tag.PLANAR: (1,)}
    if tile:
        where |= {Tag.TILE_WIDTH: (tile[0],), Tag.TILE_HEIGHT: (tile[1],)}
        offsets_tag, lengths_tag = Tag.TILE_OFFSETS, Tag.TILE_BYTES
    else:
        where |= {Tag.ROWS_PER_STRIP: (rows,)}
        offsets_tag, lengths_tag = Tag.STRIP_OFFSETS, Tag.STRIP_BYTES
    where |= {offsets_tag: spans[0], lengths_tag: spans[1]}
    every = {**fields, **where}
    length = len(_write(order, every))
    every[offsets_tag] = [offset + length for offset in spans[0]]
    return _write(order, every)


def _samples(samples: int, bits: int, photometric: int) -> Fields:
    return {
        Tag.SAMPLES: (samples,),
        Tag.BITS: (bits,) * samples,
        Tag.PHOTOMETRIC: (photometric,),
        Tag.SAMPLE_FORMAT: (1,) * samples,
    }


def _carried(directory: Directory, tag: int) -> Sequence[int] | bytes:
    values = directory.values[tag]
    return values.tobytes() if tag == Tag.JPEG_TABLES else [int(value) for value in values]


def _write(order: str, fields: Mapping[int, Sequence[int] | bytes]) -> bytes:
    entries: list[bytes] = []
    values: list[bytes] = []
    end = _HEADER + _COUNT + len(fields) * _ENTRY + _NEXT
    for tag in sorted(fields):
        kind, data = _value(order, tag, fields[tag])
        inline = data.ljust(8, b"\0")
        if len(data) > 8:
            inline = np.array([end], f"{order}u8").tobytes()
            values.append(data + bytes(len(data) % 2))
            end += len(values[-1])
        entries.append(np.array([tag, kind], f"{order}u2").tobytes())
        entries.append(np.array([len(fields[tag])], f"{order}u8").tobytes() + inline)
    mark = b"II" if order == "<" else b"MM"
    head = mark + np.array([43, 8, 0], f"{order}u2").tobytes()
    head += np.array([_HEADER, len(fields)], f"{order}u8").tobytes()
    return b"".join((head, *entries, bytes(_NEXT), *values))


def _value(order: str, tag: int, value: Sequence[int] | bytes) -> tuple[int, bytes]:
    if isinstance(value, bytes):
        return _UNDEFINED, value
    kind, width = _KINDS.get(tag, (_SHORT, 2))
    whole = np.asarray(value, np.int64) & ((1 << 8 * width) - 1 if width < 8 else -1)
    return kind, whole.astype(f"{order}u{width}").tobytes()
