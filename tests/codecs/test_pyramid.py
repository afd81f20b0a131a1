"""Overviews made by tiles alone are those of the whole image."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.codecs.pyramid import TILE, bands_of, grids, halved, level_count, own_levels, rest_grid
from tessera.geometry import Grid
from tests.codecs.stitching import full_width_rows
from tests.support.images import Image, textured


def reference(image: Image) -> Image:
    """Return the half of a whole image, pixel by pixel: means in exact arithmetic, rounded half up."""
    rows, columns, channels = image.shape
    made = np.empty(((rows + 1) // 2, (columns + 1) // 2, channels), image.dtype)
    for y in range(made.shape[0]):
        for x in range(made.shape[1]):
            ys, xs = [2 * y, min(2 * y + 1, rows - 1)], [2 * x, min(2 * x + 1, columns - 1)]
            total = image[np.ix_(ys, xs)].astype(int).sum(axis=(0, 1))
            made[y, x] = (total + 2) // 4
    return made


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 2), (1, 8), (7, 1), (9, 12), (16, 15)])
def test_halves_are_means_rounded_half_up(height: int, width: int, channels: int, depth: int) -> None:
    random = np.random.default_rng(height * width)
    image = random.integers(0, 2**depth, (height, width, channels), np.dtype(f"u{depth // 8}"))
    np.testing.assert_array_equal(halved(image), reference(image), strict=True)


def test_the_brightest_pixels_stay_so() -> None:
    image = np.full((4, 4, 3), 65_535, np.uint16)
    np.testing.assert_array_equal(halved(image), image[:2, :2], strict=True)


@given(
    width=st.integers(1, 20_000),
    height=st.integers(1, 20_000),
    across=st.integers(1, 12),
    down=st.integers(1, 12),
)
def test_the_parts_of_every_level_lie_on_tiff_tiles(width: int, height: int, across: int, down: int) -> None:
    grid = Grid(width, height, across * TILE, down * TILE)
    levels = grids(grid)
    assert max(levels[-1].width, levels[-1].height) <= TILE
    assert len(levels) == 1 + level_count(width, height)
    for before, level in pairwise(levels):
        assert (level.width, level.height) == (-(-before.width // 2), -(-before.height // 2))
    for number, level in enumerate(levels):
        assert number > own_levels(grid) or level.count == grid.count
        for part in level.tiles():
            assert part.pixels > 0
            assert part.x0 % TILE == part.y0 % TILE == 0
            assert part.x1 % TILE == 0 or part.x1 == level.width
            assert part.y1 % TILE == 0 or part.y1 == level.height


@pytest.mark.parametrize(
    ("width", "height", "tile_width", "tile_height", "own"),
    [
        (9000, 9000, 9000, 512, 0),
        (9000, 9000, 2048, 4096, 2),
        (9000, 9000, 2048, 1536, 0),
        (9000, 9000, 9000, 9000, 5),
        (9000, 1500, 2048, 1500, 2),
        (500, 500, 512, 512, 0),
    ],
)
def test_own_levels(width: int, height: int, tile_width: int, tile_height: int, own: int) -> None:
    assert own_levels(Grid(width, height, tile_width, tile_height)) == own


@pytest.mark.parametrize("piece", [1, 100, 512, 700, 5000])
@pytest.mark.parametrize(("height", "width"), [(3000, 700), (2049, 2049), (513, 4000)])
def test_levels_above_the_tiles_are_made_in_bands(height: int, width: int, piece: int) -> None:
    image = textured(height, width, 1)
    levels = (Grid(2 * width, 2 * height, TILE, TILE), *grids(Grid.bands(width, height, TILE)))
    rows = (image[y : y + piece] for y in range(0, height, piece))
    made: dict[int, list[Image]] = {}
    for level, number, band in bands_of(levels, 1, rows):
        assert number == len(made.setdefault(level, []))
        made[level].append(band)
    for level in range(1, len(levels)):
        np.testing.assert_array_equal(np.concatenate(made[level]), image, strict=True)
        assert [len(band) for band in made[level]] == [part.height for part in levels[level].tiles()]
        image = halved(image)


def test_what_tiles_keep_joins_to_the_level_above_them() -> None:
    image = textured(1300, 2100)
    grid = Grid(2100, 1300, 1024, 1024)
    assert own_levels(grid) == 1
    kept = [halved(halved(image[rect.slices])) for rect in grid.tiles()]
    bands = list(full_width_rows(rest_grid(grid), kept))
    assert [band.shape[0] for band in bands] == [256, 69]
    np.testing.assert_array_equal(np.concatenate(bands), halved(halved(image)), strict=True)
