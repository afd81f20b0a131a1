"""A JPEG with restart markers is read at random, exactly as it is decoded whole."""

import cv2
import numpy as np
import pytest

from tessera.errors import CorruptImage
from tessera.formats import Limits, index_restarts, open_image
from tessera.geometry import Rect
from tests.formats.files import pixels_of
from tests.support.images import Image, encode, textured

FACTORS = {"444": 0x111111, "422": 0x211111, "420": 0x221111, "440": 0x121111, "411": 0x411111}


def jpeg(image: Image, interval: int, factor: int = 0x221111) -> bytes:
    options = [cv2.IMWRITE_JPEG_RST_INTERVAL, interval, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor]
    return encode(image, ".jpg", options)


def reader(data: bytes):  # type: ignore[no-untyped-def]
    return lambda offset, length: data[offset : offset + length]


@pytest.mark.parametrize("name", FACTORS)
@pytest.mark.parametrize("interval", [1, 3, 13, 26, 52, 7])
@pytest.mark.parametrize(("height", "width"), [(301, 205), (160, 208)])
def test_any_rows_are_those_of_the_whole_image(name: str, interval: int, height: int, width: int) -> None:
    data = jpeg(textured(height, width), interval, FACTORS[name])
    whole = pixels_of(data)
    index = index_restarts(reader(data), len(data))
    image = open_image(reader(data), len(data), restarts=index)
    assert image.random
    assert image.block is not None
    assert image.block[0] == width
    for y0, y1 in ((0, 1), (0, 16), (15, 17), (33, 100), (height - 1, height), (0, height)):
        rect = Rect(3, y0, width - 5, y1)
        np.testing.assert_array_equal(image.read(rect), whole[rect.slices], strict=True)
    np.testing.assert_array_equal(np.concatenate(list(image.bands(37))), whole, strict=True)


def test_gray_and_what_the_header_says() -> None:
    data = jpeg(textured(100, 90, 1), 4)
    index = index_restarts(reader(data), len(data))
    image = open_image(reader(data), len(data), restarts=index)
    assert (image.pixels.channels, image.height, image.progressive) == (1, 100, False)
    np.testing.assert_array_equal(image.read(image.frame), pixels_of(data))


def test_only_the_bytes_of_the_rows_are_read() -> None:
    data = jpeg(textured(2000, 400), 25)
    index = index_restarts(reader(data), len(data))
    seen = []

    def read(offset: int, length: int) -> bytes:
        seen.append(length)
        return data[offset : offset + length]

    image = open_image(read, len(data), restarts=index)
    seen.clear()
    image.read(Rect(0, 900, 400, 916))
    assert sum(seen) < len(data) / 30


def test_the_index_is_small() -> None:
    data = jpeg(textured(4000, 64), 4)
    index = index_restarts(reader(data), len(data))
    assert index is not None
    assert len(index) < 8 * 250


@pytest.mark.parametrize("name", ["without restarts", "progressive", "png"])
def test_there_is_no_index_for_what_can_not_be_cut(name: str) -> None:
    image = textured(100, 90)
    data = {
        "without restarts": encode(image, ".jpg"),
        "progressive": encode(
            image, ".jpg", [cv2.IMWRITE_JPEG_RST_INTERVAL, 4, cv2.IMWRITE_JPEG_PROGRESSIVE, 1]
        ),
        "png": encode(image),
    }[name]
    assert index_restarts(reader(data), len(data)) is None


def test_there_is_no_index_when_a_group_is_larger_than_a_block_may_be() -> None:
    data = jpeg(textured(400, 208), 17)
    assert index_restarts(reader(data), len(data)) is not None
    assert index_restarts(reader(data), len(data), limits=Limits(block=100_000)) is None


def test_a_missing_marker_is_refused() -> None:
    data = jpeg(textured(100, 90), 3)
    at = data.index(b"\xff\xd3")
    for broken in (data[:at] + data[at + 2 :], data[:-2], data[:at] + b"\xff\xd5" + data[at + 2 :]):
        with pytest.raises(CorruptImage, match="restart marker"):
            index_restarts(reader(broken), len(broken))


def test_damage_inside_an_interval_is_refused_not_grey() -> None:
    data = bytearray(jpeg(textured(400, 208), 13))
    index = index_restarts(reader(bytes(data)), len(data))
    middle = len(data) // 2
    data[middle : middle + 60] = bytes(60)
    with pytest.raises(CorruptImage, match="damaged"):
        open_image(reader(bytes(data)), len(data), restarts=index).read(Rect(0, 0, 208, 400))


def test_the_index_of_another_file_is_refused() -> None:
    first, second = jpeg(textured(100, 90), 3), jpeg(textured(300, 90), 3)
    index = index_restarts(reader(first), len(first))
    with pytest.raises(CorruptImage, match="index of its restart markers"):
        open_image(reader(second), len(second), restarts=index)
