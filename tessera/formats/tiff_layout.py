"""How the pixels of a TIFF page lie in the file: what libtiff would trust is checked here first."""

from dataclasses import dataclass, replace

import numpy as np

from tessera.errors import UnsupportedFormat
from tessera.formats.base import Limits, check_limit, check_size, damaged
from tessera.formats.ranges import Ranges, overlap
from tessera.formats.tiff_directory import SEGMENT_TAGS, Directory, Tag
from tessera.geometry import ceil_div
from tessera.plan import Depth, Pixels

NONE, JPEG, DEFLATE, ADOBE_DEFLATE, ZSTD = 1, 7, 32946, 8, 50000
INFLATED_HERE = (DEFLATE, ADOBE_DEFLATE, ZSTD)
NO_PREDICTOR, HORIZONTAL = 1, 2
_COMPRESSIONS = {
    NONE: "none",
    2: "CCITT RLE",
    3: "CCITT group 3",
    4: "CCITT group 4",
    5: "LZW",
    JPEG: "JPEG",
    ADOBE_DEFLATE: "deflate",
    DEFLATE: "deflate",
    32773: "PackBits",
    ZSTD: "zstd",
}
_OTHERS = {6: "old JPEG", 34712: "JPEG 2000", 34887: "LERC", 34925: "LZMA", 50001: "WebP", 50002: "JPEG XL"}
_FAX = (2, 3, 4)
MIN_IS_WHITE, MIN_IS_BLACK, RGB, PALETTE, SEPARATED, YCBCR = 0, 1, 2, 3, 5, 6
_PHOTOMETRIC = {MIN_IS_WHITE: 1, MIN_IS_BLACK: 1, RGB: 3, PALETTE: 1, SEPARATED: 4, YCBCR: 3}
_OTHER_PHOTOMETRIC = {4: "mask", 8: "CIELab", 9: "ICCLab", 10: "ITULab", 32803: "camera raw", 32844: "LogL"}
_OTHER_PHOTOMETRIC |= {32845: "LogLuv", 34892: "linear raw"}
_BITS = {1: (MIN_IS_WHITE, MIN_IS_BLACK), 2: (0, 1), 4: (0, 1, PALETTE), 8: tuple(_PHOTOMETRIC)}
_BITS |= {16: (MIN_IS_WHITE, MIN_IS_BLACK, RGB, SEPARATED)}
_SHORT_STRIP = 1 << 20
_LONGEST, _SLACK = 4, 64 << 10
"""Times the bytes of its pixels, and bytes besides, that a compressed segment may have."""
_FORMATS = {2: "signed integers", 3: "floating point", 5: "complex integers", 6: "complex floating point"}


@dataclass(frozen=True, eq=False)
class Layout:
    """A page as a grid of segments (tiles, or strips of the full width), all planes one after the other."""

    width: int
    height: int
    segment_width: int
    segment_height: int
    tiled: bool
    samples: int
    bits: int
    planar: bool
    compression: int
    photometric: int
    alpha: bool
    offsets: np.ndarray
    lengths: np.ndarray

    @property
    def across(self) -> int:
        """Return the segments side by side."""
        return ceil_div(self.width, self.segment_width)

    @property
    def down(self) -> int:
        """Return the segments one below the other."""
        return ceil_div(self.height, self.segment_height)

    @property
    def row_bytes(self) -> int:
        """Return the bytes of a row of a segment, of one plane if there are several."""
        return ceil_div(self.segment_width * self.bits * (1 if self.planar else self.samples), 8)

    @property
    def pixels(self) -> Pixels:
        """Return the kind of the pixels as they are decoded."""
        colours = 3 if self.photometric in (RGB, PALETTE, SEPARATED, YCBCR) else 1
        depth: Depth = 16 if self.bits == 16 else 8
        return Pixels(channels=colours + self.alpha, depth=depth)

    @property
    def decoded(self) -> int:
        """Return the bytes of one segment, decoded, of all channels."""
        return (
            self.segment_width * self.segment_height * max(self.pixels.bytes, self.samples * self.bits // 8)
        )

    def rows_of(self, segment_row: int) -> int:
        """Return the rows of a row of segments that are inside the image."""
        return min(self.segment_height, self.height - segment_row * self.segment_height)

    def span(self, plane: int, row: int, column: int) -> tuple[int, int]:
        """Return offset and length of a segment in the file."""
        index = (plane * self.down + row) * self.across + column
        return int(self.offsets[index]), int(self.lengths[index])


def read_layout(directory: Directory, ranges: Ranges, limits: Limits) -> Layout:
    """Return the layout of a page.

    Raises
    ------
    CorruptImage
        If sizes are 0, or segments are missing, leave the file or overlap.
    UnsupportedFormat
        If compression, colour space or sample format is not one that is read here.
    LimitExceeded
        If there are more pixels or segments than *limits* allow.
    """
    width, height = directory.one(Tag.WIDTH), directory.one(Tag.HEIGHT)
    check_size(width, height, limits)
    samples, bits = directory.one(Tag.SAMPLES, 1), _bits(directory)
    compression = _compression(directory)
    photometric = _photometric(directory, bits, compression)
    extra = samples - _PHOTOMETRIC[photometric]
    if extra not in (0, 1):
        raise UnsupportedFormat(
            f"the TIFF has {samples} samples per pixel", hint="send gray or colour, with or without alpha"
        )
    if extra and compression == JPEG:
        raise UnsupportedFormat("the TIFF has JPEG with alpha", hint="save it with deflate")
    planar = directory.one(Tag.PLANAR, 1) == 2 and samples > 1
    if planar and (photometric == YCBCR or bits < 8):
        raise UnsupportedFormat("the TIFF has separate planes of YCbCr", hint="save it with chunky planes")
    tiled = Tag.TILE_WIDTH in directory.values
    segment = _segment_size(directory, width, height, tiled=tiled)
    layout = Layout(
        width, height, *segment, tiled, samples, bits, planar, compression, photometric, extra == 1,
        *_spans(directory, tiled=tiled),
    )  # fmt: skip
    return _checked(_cut(layout), ranges, limits)


def _bits(directory: Directory) -> int:
    bits = set(directory.all(Tag.BITS, (1,)))
    formats = set(directory.all(Tag.SAMPLE_FORMAT, (1,)))
    if not formats <= {1, 4}:
        name = next((_FORMATS[number] for number in formats if number in _FORMATS), "an unknown kind")
        raise UnsupportedFormat(f"the TIFF has samples of {name}", hint="send 8 or 16 bits, unsigned")
    if len(bits) != 1 or not bits <= _BITS.keys():
        raise UnsupportedFormat(
            f"the TIFF has samples of {', '.join(map(str, sorted(bits)))} bits",
            hint="send 1, 2, 4, 8 or 16 bits, the same for all",
        )
    return bits.pop()


def _compression(directory: Directory) -> int:
    compression = directory.one(Tag.COMPRESSION, NONE)
    if compression not in _COMPRESSIONS:
        name = _OTHERS.get(compression, f"number {compression}")
        known = ", ".join(dict.fromkeys(_COMPRESSIONS.values()))
        raise UnsupportedFormat(
            f"the TIFF is compressed with {name}; what is read here is {known}",
            hint="save it with deflate or LZW",
        )
    return compression


def _photometric(directory: Directory, bits: int, compression: int) -> int:
    photometric = directory.one(Tag.PHOTOMETRIC, MIN_IS_BLACK)
    allowed = photometric in _BITS[bits] and (compression not in _FAX or bits == 1)
    if photometric == YCBCR and compression != JPEG:
        allowed = directory.all(Tag.YCBCR_SUBSAMPLING, (2, 2)) == (1, 1)
    if compression == JPEG and bits != 8:
        allowed = False
    if photometric == SEPARATED and directory.one(Tag.INK_SET, 1) != 1:
        allowed = False
    if not allowed:
        name = _OTHER_PHOTOMETRIC.get(photometric, f"photometric interpretation {photometric}")
        raise UnsupportedFormat(
            f"the TIFF has pixels of {name} with {bits} bits and compression {_COMPRESSIONS[compression]}",
            hint="save it as gray, RGB, CMYK or palette of 8 bits, or gray or RGB of 16",
        )
    return photometric


def _segment_size(directory: Directory, width: int, height: int, *, tiled: bool) -> tuple[int, int]:
    if not tiled:
        rows = directory.one(Tag.ROWS_PER_STRIP, height)
        size = (width, min(rows, height))
    else:
        size = (directory.one(Tag.TILE_WIDTH), directory.one(Tag.TILE_HEIGHT))
    if min(size) < 1:
        raise damaged(f"its {'tiles' if tiled else 'strips'} have {size[0]} x {size[1]} pixels")
    return size


def _spans(directory: Directory, *, tiled: bool) -> tuple[np.ndarray, np.ndarray]:
    strips, tiles = SEGMENT_TAGS[:2], SEGMENT_TAGS[2:]
    where, how_much = tiles if tiled else strips
    missing = {where, how_much} - directory.values.keys()
    if missing:
        raise damaged(f"page {directory.page} has no tag {min(missing)}")
    return directory.values[where], directory.values[how_much]


def _cut(layout: Layout) -> Layout:
    """Return the layout with large uncompressed strips cut into short ones: any row can be found in them."""
    rows = max(1, _SHORT_STRIP // layout.row_bytes)
    large = not layout.tiled and layout.compression == NONE and layout.segment_height > rows
    planes = layout.samples if layout.planar else 1
    if not large or layout.down != 1 or len(layout.offsets) != planes:
        return layout
    need = layout.row_bytes * layout.height
    if (layout.lengths < need).any():
        raise damaged(f"its only strip has {int(layout.lengths.min()):,} bytes of {need:,}")
    firsts = np.arange(0, layout.height, rows, dtype=np.int64)
    lengths = np.minimum(layout.height - firsts, rows) * layout.row_bytes
    return replace(
        layout,
        segment_height=rows,
        offsets=(layout.offsets[:planes, np.newaxis] + firsts * layout.row_bytes).ravel(),
        lengths=np.tile(lengths, planes),
    )


def _checked(layout: Layout, ranges: Ranges, limits: Limits) -> Layout:
    need = layout.across * layout.down * (layout.samples if layout.planar else 1)
    check_limit("the TIFF", need, limits.segments, "strips or tiles")
    if min(len(layout.offsets), len(layout.lengths)) < need:
        raise damaged(f"it has {min(len(layout.offsets), len(layout.lengths)):,} segments of {need:,}")
    layout = replace(layout, offsets=layout.offsets[:need], lengths=layout.lengths[:need])
    bad = np.flatnonzero((layout.lengths < 1) | (layout.offsets < 8))
    if bad.size:
        raise damaged(f"segment {bad[0]:,} of {need:,} has no data")
    # In this order: the sum of two large numbers would wrap.
    bad = np.flatnonzero((layout.offsets > ranges.size) | (layout.lengths > ranges.size - layout.offsets))
    if bad.size:
        raise damaged(f"segment {bad[0]:,} of {need:,} ends after byte {ranges.size:,}, the last")
    if layout.compression == NONE:
        _check_uncompressed(layout)
    most = _LONGEST * layout.row_bytes * layout.segment_height + _SLACK
    bad = np.flatnonzero(layout.lengths > most)
    if bad.size:
        length = int(layout.lengths[bad[0]])
        raise damaged(f"segment {bad[0]:,} of {need:,} has {length:,} bytes, far more than its pixels")
    inside = overlap(layout.offsets, layout.lengths)
    if inside is not None:
        raise damaged(f"segment {inside:,} of {need:,} lies over another")
    return layout


def _check_uncompressed(layout: Layout) -> None:
    """Refuse segments with fewer bytes than their pixels: libtiff takes what follows them instead."""
    rows = np.full(layout.down, layout.segment_height)
    if not layout.tiled:
        rows[-1] = layout.rows_of(layout.down - 1)
    need = np.repeat(rows * layout.row_bytes, layout.across)
    short = np.flatnonzero(layout.lengths.reshape(-1, len(need)) < need)
    if short.size:
        raise damaged(f"segment {short[0]:,} of {len(layout.lengths):,} has fewer bytes than its pixels")
