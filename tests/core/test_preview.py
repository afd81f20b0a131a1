"""The small picture of an image is the same picture whatever pieces it is made of."""

from random import Random

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera import preview
from tessera.geometry import Grid, Rect
from tessera.pipeline import bind, ends_in_lines
from tessera.plan import Pixels, Step
from tests.support.images import textured


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 500),
    width=st.integers(1, 700),
    tile=st.tuples(st.integers(20, 800), st.integers(20, 600)),
    channels=st.integers(1, 4),
    side=st.sampled_from([32, 100, 300]),
    seed=st.integers(0, 999),
)
def test_tiles_in_any_order_make_the_same_picture_but_where_squares_are_cut(
    height: int, width: int, tile: tuple[int, int], channels: int, side: int, seed: int
) -> None:
    image, frame = textured(height, width, channels, seed=seed), Rect(0, 0, width, height)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(preview, "SIDE", side)
        boxes = list(Grid(width, height, *tile).tiles())
        Random(seed).shuffle(boxes)
        made = preview.picture([preview.patch(image[box.slices], box, frame) for box in boxes], frame)
        whole = preview.picture([preview.patch(image, frame, frame)], frame)
    assert made.shape == whole.shape
    assert max(made.shape[:2]) <= side
    step = -(-max(width, height) // side)
    entire = np.ix_(entire_squares(height, step, tile[1]), entire_squares(width, step, tile[0]))
    np.testing.assert_array_equal(made[entire], whole[entire])


def entire_squares(length: int, step: int, tile: int) -> list[int]:
    """Return the pixels of a picture, along one axis, that no border between tiles cuts."""
    ends = [(begin, min(begin + step, length) - 1) for begin in range(0, length, step)]
    return [place for place, (first, last) in enumerate(ends) if first // tile == last // tile]


def test_a_picture_is_the_image_shrunk_by_its_mean() -> None:
    image = textured(4096, 4096)
    frame = Rect(0, 0, 4096, 4096)
    made = preview.picture([preview.patch(image, frame, frame)], frame)
    plain = cv2.resize(image, (2048, 2048), interpolation=cv2.INTER_AREA)
    assert np.abs(made.astype(int) - plain).mean() < 20
    small = textured(30, 40, 3, 16)
    same = preview.picture([preview.patch(small, Rect(0, 0, 40, 30), Rect(0, 0, 40, 30))], Rect(0, 0, 40, 30))
    np.testing.assert_array_equal(same, small >> 8)


def test_a_picture_of_lines_keeps_them_bright_in_whatever_tiles() -> None:
    frame = Rect(0, 0, 9000, 3001)
    lines = np.zeros((3001, 9000, 1), np.uint8)
    lines[::300], lines[:, ::450] = 255, 255
    tiles = Grid(9000, 3001, 1024, 512).tiles()
    made = preview.picture(
        [preview.patch(lines[box.slices], box, frame, brightest=True) for box in tiles], frame
    )
    step = 5
    rows, columns = np.arange(0, 3001, 300) // step, np.arange(0, 9000, 450) // step
    expected = np.zeros_like(made)
    expected[rows], expected[:, columns] = 255, 255
    np.testing.assert_array_equal(made, expected)


@pytest.mark.parametrize(
    ("names", "lines"),
    [
        (["canny"], True),
        (["median_blur", "canny", "flip", "statistics"], True),
        (["canny", "invert"], False),
        (["threshold"], False),
        (["flip"], False),
    ],
)
def test_lines_are_what_canny_leaves_wherever_they_are_moved_to(names: list[str], lines: bool) -> None:
    assert ends_in_lines(bind([Step(operation=name) for name in names])) is lines


def test_what_nobody_saw_is_white_and_what_is_transparent_too() -> None:
    frame = Rect(0, 0, 40, 30)
    made = preview.picture([preview.patch(np.zeros((10, 40, 4), np.uint8), Rect(0, 0, 40, 10), frame)], frame)
    assert (made[10:] == 255).all()
    opened = cv2.imdecode(np.frombuffer(preview.to_jpeg(made), np.uint8), cv2.IMREAD_UNCHANGED)
    assert opened is not None
    assert opened.shape == (30, 40, 3)
    assert opened.min() > 250


@pytest.mark.parametrize(
    ("media_type", "width", "height", "pixels", "shows"),
    [
        ("image/png", 800, 436, Pixels(channels=3), True),
        ("image/jpeg", 1024, 1024, Pixels(channels=1), True),
        ("image/png", 1024, 1025, Pixels(channels=1), False),
        ("image/png", 2049, 10, Pixels(channels=3), False),
        ("image/tiff", 10, 10, Pixels(channels=3), False),
        ("image/png", 10, 10, Pixels(channels=3, depth=16), False),
        ("image/png", 10, 10, Pixels(channels=4), False),
    ],
)
def test_a_small_file_that_every_browser_shows_needs_no_picture(
    media_type: str, width: int, height: int, pixels: Pixels, shows: bool
) -> None:
    assert preview.shows_itself(media_type, width, height, pixels) is shows
