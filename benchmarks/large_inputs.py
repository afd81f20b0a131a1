"""Large images of a fixed seed, made in bounded memory: shapes, outlines and grain, as in photographs."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pyvips
from numpy.typing import NDArray

from tessera.geometry import ceil_div

SEED = 1
_TEXTURE = (12_288, 1024)
"""Width and height; repeats along a row are farther apart than deflate looks back."""
_SHAPES = ((256, 40.0), (32, 24.0), (4, 5.0))
"""Size in pixels of the shapes of each layer, and its standard deviation."""
_SHARP, _STEP = 128, 25.0
"""Size of the shapes with sharp outlines, and half the step in brightness there."""
_GRAIN = 1.5
_SUB = 0x10
"""The PNG filter, as libpng numbers it."""


class Kind(NamedTuple):
    """A kind of file: its suffix, its channels, and how it is written."""

    suffix: str
    channels: int
    save: Callable[[pyvips.Image, str], None]


def _jpeg(**options: Any) -> Callable[[pyvips.Image, str], None]:
    return lambda image, path: image.jpegsave(path, Q=90, subsample_mode="on", **options)


def _png(image: pyvips.Image, path: str) -> None:
    image.pngsave(path, compression=1, filter=_SUB)


def _png_deep(image: pyvips.Image, path: str) -> None:
    _png((image.cast("ushort") * 257).cast("ushort").copy(interpretation="rgb16"), path)


def _tiff(image: pyvips.Image, path: str) -> None:
    image.tiffsave(
        path,
        bigtiff=True,
        tile=True,
        tile_width=512,
        tile_height=512,
        compression="deflate",
        predictor="horizontal",
    )


KINDS = {
    "jpeg": Kind(".jpg", 3, _jpeg()),
    "jpeg-restarts": Kind(".jpg", 3, _jpeg(restart_interval=125)),
    "png": Kind(".png", 3, _png),
    "png-gray": Kind(".png", 1, _png),
    "png-16": Kind(".png", 3, _png_deep),
    "tiff": Kind(".tif", 3, _tiff),
    "tiff-gray": Kind(".tif", 1, _tiff),
}


def photograph(width: int, height: int, channels: int) -> pyvips.Image:
    """Return an image of soft shapes with grain, 8 bits, whose pixels are made as they are read."""
    across, down = _TEXTURE
    chance, side = np.random.default_rng(SEED), (down, across, channels)
    texture = np.full(side, 128, np.float32) + _GRAIN * chance.normal(size=side).astype(np.float32)

    def soft(size: int) -> NDArray[Any]:
        noise = chance.normal(size=(down // size, across // size, channels)).astype(np.float32)
        return cv2.resize(noise, _TEXTURE, interpolation=cv2.INTER_CUBIC).reshape(side)

    for size, weight in _SHAPES:
        texture += weight * soft(size)
    texture += _STEP * np.sign(soft(_SHARP))
    image = pyvips.Image.new_from_array(np.clip(texture, 0, 255).astype(np.uint8))
    tiled = image.replicate(ceil_div(width, across), ceil_div(height, down))
    return tiled.crop(0, 0, width, height).copy(interpretation="srgb" if channels == 3 else "b-w")


def large_image(folder: Path, kind: str, width: int, height: int) -> Path:
    """Return the file of an image, made now if it isn't in the folder."""
    suffix, channels, save = KINDS[kind]
    path = folder / f"{kind}-{width}x{height}{suffix}"
    if not path.exists():
        made = folder / f"making-{os.getpid()}{suffix}"
        try:
            save(photograph(width, height, channels), str(made))
            made.rename(path)
        finally:
            made.unlink(missing_ok=True)
    return path
