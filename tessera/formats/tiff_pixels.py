"""Pixels of a TIFF from its samples."""

import cv2
import numpy as np

from tessera.formats.base import Array, damaged
from tessera.formats.tiff_directory import Directory
from tessera.formats.tiff_layout import JPEG, SEPARATED, Layout
from tessera.formats.tiff_wrapper import raw_fields, wrapper_head
from tessera.formats.vips import decode
from tessera.geometry import Rect


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


def as_expected(raster: Array, directory: Directory, layout: Layout, region: Rect) -> Array:
    """Return *raster* in the channels of the page: libtiff may find that a palette is gray.

    Raises
    ------
    CorruptImage
        If it isn't what the directory says.
    """
    wanted = layout.pixels
    if layout.compression == JPEG and layout.photometric == SEPARATED and not layout.planar:
        raster = as_pixels(raster, (region.width, region.height), directory, layout)
    if raster.shape[2] == 1 and wanted.channels == 3:
        raster = cv2.cvtColor(raster, cv2.COLOR_GRAY2BGR)
    shape = (region.height, region.width, wanted.channels)
    if raster.shape != shape or raster.dtype.itemsize * 8 != wanted.depth:
        raise damaged(f"its pixels are {raster.shape} of {raster.dtype}, not what its directory says")
    return raster
