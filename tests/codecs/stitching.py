"""Making files of tiles as a job does, and opening them in every reader."""

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyvips
import tifffile
from PIL import Image as PillowImage

from tessera.checksum import Adler
from tessera.codecs import Codec, Encoded, Layout, Picture
from tessera.codecs.pyramid import rest_grid
from tessera.codecs.tiff import TiffCodec
from tessera.geometry import Grid
from tessera.plan import Pixels
from tests.support.images import Image

_TO_BGR = {3: [2, 1, 0], 4: [2, 1, 0, 3]}


def pixels_of(image: Image) -> Pixels:
    return Pixels.from_json({"channels": image.shape[2], "depth": 8 * image.dtype.itemsize})


def grid_of(image: Image, rows: int, columns: int | None = None) -> Grid:
    height, width = image.shape[:2]
    return Grid(width, height, columns or width, rows)


def stitched(
    codec: Codec, image: Image, rows: int, columns: int | None = None, *, seed: int = 0, **metadata: Any
) -> bytes:
    """Return the file of tiles of *rows* x *columns*, encoded in an order that *seed* decides."""
    grid = grid_of(image, rows, columns)
    return framed(codec, image, grid, encoded(codec, image, grid, seed=seed), **metadata)


def encoded(codec: Codec, image: Image, grid: Grid, *, seed: int = 0) -> dict[int, Encoded]:
    """Return the tiles by their number, encoded in an order that *seed* decides."""
    tiles: dict[int, Encoded] = {}
    for number in np.random.default_rng(seed).permutation(grid.count).tolist():
        rect = grid.tile(number)
        tiles[number] = codec.encode(np.ascontiguousarray(image[rect.slices]), rect, grid)
    return tiles


def framed(codec: Codec, image: Image, grid: Grid, tiles: dict[int, Encoded], **metadata: Any) -> bytes:
    """Return the file of encoded tiles, as fan-in makes it."""
    checksum = Adler.combined(tiles[number].checksum for number in range(grid.count))
    levels = codec.levels(grid)
    parts = {(0, number): (tile.data, tile.index) for number, tile in tiles.items()}
    for number, tile in tiles.items():
        for level, coded in enumerate(tile.overviews, 1):
            parts[level, number] = coded.data, coded.index
    if tiles[0].rest is not None:
        assert isinstance(codec, TiffCodec)
        kept = [tile.rest for _, tile in sorted(tiles.items()) if tile.rest is not None]
        for level, number, coded in codec.top(grid, full_width_rows(rest_grid(grid), kept)):
            parts[level, number] = coded.data, coded.index
    places = [[(level, number) for number in range(one.count)] for level, one in enumerate(levels)]
    layout = Layout(levels, [[parts[place][1] for place in level] for level in places])
    picture = Picture(grid.width, grid.height, pixels_of(image), **metadata)
    head, tail = codec.frame(picture, checksum, layout)
    data = b"".join(parts[place][0] for level in reversed(places) for place in level)
    return head + data + tail


def full_width_rows(grid: Grid, tiles: Sequence[Image]) -> Iterator[Image]:
    """Yield the rows of *tiles*, in the grid's order, as a block raster gives them."""
    for start in range(0, grid.count, grid.columns):
        yield np.concatenate(tiles[start : start + grid.columns], axis=1)


def opencv(file: Path) -> Image:
    read = cv2.imread(str(file), cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
    assert read is not None
    return np.atleast_3d(read)


def pillow(file: Path) -> Image:
    with PillowImage.open(file) as opened:
        return _bgr(np.asarray(opened))


def vips(file: Path, **options: Any) -> Image:
    """Return the pixels as libvips reads them, with any warning an error."""
    opened = pyvips.Image.new_from_file(str(file), fail_on="warning", revalidate=True, **options)
    return _bgr(opened.numpy())


def tiff(file: Path, level: int = 0) -> Image:
    with tifffile.TiffFile(file) as opened:
        return _bgr(opened.pages[level].asarray())


def said(*command: str | Path) -> str:
    """Return all that a program prints; its exit code must be 0."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


def _bgr(pixels: Image) -> Image:
    pixels = np.atleast_3d(pixels)
    return np.asarray(pixels[:, :, _TO_BGR.get(pixels.shape[2], slice(None))])
