"""Every variant gives the pixels that another decoder gives, by bands of any height and by rect."""

import numpy as np
import pytest

from tessera.formats import Limits
from tessera.geometry import Rect
from tests.formats.corpus import HEIGHT, WIDTH, cases
from tests.formats.files import open_bytes, pixels_of

EVERY = cases()
RECTS = [Rect(0, 0, 1, 1), Rect(17, 33, 120, 99), Rect(100, 140, WIDTH - 3, HEIGHT)]


@pytest.mark.parametrize("name", EVERY)
def test_pixels_are_those_of_another_decoder(name: str) -> None:
    case = EVERY[name]
    for rows in (7, HEIGHT):
        np.testing.assert_array_equal(pixels_of(case.data, rows), case.expected, strict=True)


@pytest.mark.parametrize("name", EVERY)
def test_the_header_says_what_the_pixels_are(name: str) -> None:
    case = EVERY[name]
    image = open_bytes(case.data)
    assert (image.height, image.width, image.pixels.channels) == case.expected.shape
    assert image.pixels.depth == 8 * case.expected.itemsize
    assert image.format == name.split()[0].replace("bigtiff", "tiff")
    whole = image.format in ("webp", "gif") or "progressive" in name or "interlaced" in name
    assert image.progressive == whole
    assert (image.held > 0) == whole


@pytest.mark.parametrize("name", [name for name in EVERY if open_bytes(EVERY[name].data).random])
def test_any_rect_is_read_alone(name: str) -> None:
    case = EVERY[name]
    image = open_bytes(case.data)
    for rect in RECTS:
        np.testing.assert_array_equal(image.read(rect), case.expected[rect.slices], strict=True)


def has_strips(name: str) -> bool:
    block = open_bytes(EVERY[name].data).block
    return name.startswith("tiff") and block is not None and block[0] == EVERY[name].expected.shape[1]


@pytest.mark.parametrize("name", [name for name in EVERY if has_strips(name)])
def test_strips_too_large_to_be_decoded_alone_are_streamed(name: str) -> None:
    case, small = EVERY[name], Limits(block=100)
    image = open_bytes(case.data, limits=small)
    assert not image.random
    # What libtiff decodes, it holds a strip of.
    assert image.held > 0 or "lzw" not in name
    assert image.held == 0 or not any(codec in name for codec in ("zlib", "deflate", "zstd", "jpeg"))
    np.testing.assert_array_equal(pixels_of(case.data, 7, limits=small), case.expected, strict=True)
