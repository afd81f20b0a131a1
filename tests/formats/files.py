"""Opening bytes as uploads are opened."""

import io
from typing import Any

import numpy as np
import tifffile
from PIL import Image as PillowImage

from tessera.formats import ImageFile, Limits, open_image
from tests.support.images import Image

WHOLE = 1 << 20
"""Rows of a band that is the whole of a small image."""


def open_bytes(data: bytes, page: int = 0, limits: Limits | None = None) -> ImageFile:
    """Return the opened image; reading beyond the end gives what there is, as storage does."""

    def read(offset: int, length: int) -> bytes:
        return data[offset : offset + length]

    return open_image(read, len(data), page=page, limits=limits)


def pixels_of(data: bytes, rows: int = WHOLE, page: int = 0, limits: Limits | None = None) -> Image:
    """Return all pixels."""
    return np.concatenate(list(open_bytes(data, page, limits).bands(rows)))


def bgr(image: Image) -> Image:
    """Return RGB(A) as BGR(A), and gray with a third axis."""
    if image.ndim == 2:
        return np.ascontiguousarray(image[..., np.newaxis])
    order = {1: [0], 2: [0, 1], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[image.shape[2]]
    return np.ascontiguousarray(image[..., order])


def pillow(data: bytes, mode: str | None = None) -> Image:
    """Return the pixels as Pillow decodes them, converted to *mode*, BGR(A)."""
    picture = PillowImage.open(io.BytesIO(data))
    return bgr(np.asarray(picture.convert(mode) if mode else picture))


def save(picture: PillowImage.Image, name: str, **options: Any) -> bytes:
    """Return the file that Pillow makes."""
    file = io.BytesIO()
    picture.save(file, name, **options)
    return file.getvalue()


def tiff(image: Image, **options: Any) -> bytes:
    """Return the file that tifffile makes."""
    file = io.BytesIO()
    tifffile.imwrite(file, image, **options)
    return file.getvalue()
