"""Strips and tiles whose inflated bytes are samples as they stand: gray or RGB of 8 bits, without libtiff."""

import ctypes
from collections.abc import Sequence

import numpy as np

from tessera import compiled
from tessera.formats.base import Array
from tessera.formats.tiff_directory import Directory, Tag
from tessera.formats.tiff_layout import HORIZONTAL, INFLATED_HERE, MIN_IS_BLACK, NO_PREDICTOR, RGB, Layout
from tessera.formats.tiff_segments import inflated
from tessera.formats.vips import copy_bgr

_SAMPLES = {MIN_IS_BLACK: 1, RGB: 3}


def is_plain(directory: Directory, layout: Layout) -> bool:
    """Tell whether the segments of a page are of this kind."""
    return (
        layout.compression in INFLATED_HERE
        and layout.bits == 8
        and layout.samples == _SAMPLES.get(layout.photometric)
        and not layout.planar
        and directory.one(Tag.PREDICTOR, NO_PREDICTOR) in (NO_PREDICTOR, HORIZONTAL)
        and directory.one(Tag.FILL_ORDER, 1) == 1
    )


def plain_pixels(
    segments: Sequence[bytes],
    rows: Sequence[int],
    size: tuple[int, int],
    directory: Directory,
    layout: Layout,
) -> Array:
    """Return the pixels of a box of segments, row by row, which have *rows* rows inside the image.

    *size* is the width and height of the box inside the image.

    Raises
    ------
    CorruptImage
        If a segment is damaged, or has fewer bytes than its pixels.
    """
    width, height = size
    out = np.empty((height, width, layout.samples), np.uint8)
    differences = directory.one(Tag.PREDICTOR, NO_PREDICTOR) == HORIZONTAL
    x = y = 0
    for segment, count in zip(segments, rows, strict=True):
        data = np.frombuffer(inflated(segment, count, layout), np.uint8)
        part = out[y : y + count, x : x + layout.segment_width]
        samples = data.reshape(-1, layout.segment_width, layout.samples)[:count, : part.shape[1]]
        if differences:
            undo_differences(samples, part)
        else:
            copy_bgr(samples, part)
        x += layout.segment_width
        if x >= width:
            x, y = 0, y + count
    return out


def undo_differences(samples: Array, out: Array) -> None:
    """Write into *out* what the differences along rows in *samples* add up to, in OpenCV's order of channels.

    Both are (rows, columns, channels), uint8, one channel or three, whose rows lie in one piece each.
    """
    if compiled.takes(samples):
        compiled.call("tessera_undo_differences", samples, out, ctypes.c_ssize_t(out.strides[0]))
    else:
        copy_bgr(np.cumsum(samples, axis=1, dtype=np.uint8), out)
