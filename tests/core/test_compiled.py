"""Compiled code gives what NumPy and OpenCV give, reads no memory of others, and can be done without."""

import ctypes
import itertools
import mmap
import shutil
import subprocess
import sys
from unittest.mock import patch

import cv2
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tessera import blending, compiled, histogram, resampling, resampling_compiled
from tessera.blending import Neighbours
from tessera.compiled import library
from tessera.formats.tiff_plain import undo_differences
from tessera.geometry import Rect
from tessera.median import LARGEST_SIDE, median
from tessera.median_network import medians
from tessera.operations.base import Array
from tessera.platform_id import processor_features
from tessera.taps import FIXED_BITS, fixed, taps_of
from tests.core.test_catalogue import EXAMPLES, images

HOW = ["nearest", "linear", "area", "cubic", "lanczos"]


WITHOUT = patch.object(compiled, "library", lambda: None)
WITHOUT_AVX2 = patch.object(compiled, "processor_features", lambda: ())


@pytest.fixture(autouse=True)
def is_built() -> None:
    # Set-up does without a compiler, and so does what it sets up; with one, the code has to be there.
    if library() is None and shutil.which("cc") is None:
        pytest.skip("no compiled code: there is no C compiler on this machine")
    assert library() is not None, "run `make setup`"


@st.composite
def parts(draw: st.DrawFn) -> Array:
    """Draw an image, or only the lowest and highest levels of one; perhaps a part of a larger one."""
    image = draw(images())
    if draw(st.booleans()):
        most = np.iinfo(image.dtype).max
        image = np.where(image > most // 2, most, 0).astype(image.dtype)
    around = draw(st.integers(0, min(3, *(side - 1 for side in image.shape[:2]))))
    return image[around:, around:]


def resized(image: Array, size: tuple[int, int], wanted: Rect, how: str) -> Array:
    frame = Rect(0, 0, image.shape[1], image.shape[0])
    needed = resampling.needs(wanted, frame, size, how)
    return resampling.resize(image[needed.slices], frame, wanted, size, how)


def sizes(image: Array, how: str) -> st.SearchStrategy[tuple[int, int]]:
    most = image.shape[1::-1] if how == "area" else (90, 90)
    return st.tuples(*(st.integers(1, side) for side in most))


def boxes(size: tuple[int, int]) -> st.SearchStrategy[Rect]:
    pairs = (st.lists(st.integers(0, side), min_size=2, max_size=2, unique=True).map(sorted) for side in size)
    return st.tuples(*pairs).map(lambda both: Rect(both[0][0], both[1][0], both[0][1], both[1][1]))


@settings(EXAMPLES, max_examples=400)
@given(data=st.data(), image=parts(), how=st.sampled_from(HOW))
def test_any_resize_is_the_same_without_it(data: st.DataObject, image: Array, how: str) -> None:
    size = data.draw(sizes(image, how))
    wanted = data.draw(boxes(size))
    made = resized(image, size, wanted, how)
    with WITHOUT:
        np.testing.assert_array_equal(made, resized(image, size, wanted, how), strict=True)


@pytest.mark.skipif("AVX2" not in processor_features(), reason="this processor has no AVX2")
@settings(EXAMPLES, max_examples=200)
@given(data=st.data(), image=parts(), how=st.sampled_from(["linear", "area", "cubic", "lanczos"]))
def test_both_kinds_of_vectors_give_the_same(data: st.DataObject, image: Array, how: str) -> None:
    width, height = data.draw(sizes(image, how))
    x, y = taps_of(image.shape[1], width, 0, width, how), taps_of(image.shape[0], height, 0, height, how)
    assume(resampling_compiled.can_sum(image, x))
    found = resampling_compiled.summed(image, x, y, how)
    with WITHOUT_AVX2:
        np.testing.assert_array_equal(found, resampling_compiled.summed(image, x, y, how))


@pytest.mark.parametrize("how", ["cubic", "lanczos"])
def test_no_sum_of_8_bits_is_too_large(how: str) -> None:
    """The image is white where the weights of its rows and columns have the same sign, and else black."""
    weights = fixed(taps_of(1, 1 << 13, 0, 1 << 13, how).weights, FIXED_BITS[1])
    above, below = np.maximum(weights, 0).sum(axis=0).max(), np.maximum(-weights, 0).sum(axis=0).max()
    assert 255 * (above**2 + below**2) + 2 ** (2 * FIXED_BITS[1] - 1) < 2**31


@settings(EXAMPLES, max_examples=200)
@given(image=parts(), data=st.data())
def test_counts_are_the_same_without_it(image: Array, data: st.DataObject) -> None:
    channels = data.draw(st.none() | st.integers(1, image.shape[2]))
    made = histogram.count(image, channels)
    with WITHOUT:
        np.testing.assert_array_equal(made, histogram.count(image, channels), strict=True)
    assert made.sum() == image.shape[0] * image.shape[1] * (channels or image.shape[2])


@settings(EXAMPLES, max_examples=200)
@given(image=parts(), data=st.data())
def test_tables_are_blended_the_same_without_it(image: Array, data: st.DataObject) -> None:
    image = (image >> 8 * (image.itemsize - 1)).astype(np.uint8)
    x, y = (data.draw(neighbours(side)) for side in image.shape[1::-1])
    random = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    shape = y.after[-1] + 1, x.after[-1] + 1, 256
    tables = random.integers(0, 256, shape).astype(np.uint8)
    made, without = image.copy(), image.copy()
    blending.blend(made, tables, x, y)
    with WITHOUT:
        blending.blend(without, tables, x, y)
    np.testing.assert_array_equal(made, without)


@settings(EXAMPLES, max_examples=200)
@given(image=parts())
def test_differences_add_up_to_the_same_without_it(image: Array) -> None:
    image = (image >> 8 * (image.itemsize - 1)).astype(np.uint8)[:, :, : 3 if image.shape[2] > 2 else 1]
    differences = compiled.with_whole_rows(np.diff(image, axis=1, prepend=np.uint8(0)))
    # Rows that lie apart, as those of a tile in a larger image do.
    made, without = (np.zeros((len(image), image.shape[1] + 2, image.shape[2]), np.uint8) for _ in range(2))
    undo_differences(differences, made[:, 1:-1])
    with WITHOUT:
        undo_differences(differences, without[:, 1:-1])
    np.testing.assert_array_equal(made[:, 1:-1], image[:, :, ::-1])
    np.testing.assert_array_equal(made, without)
    assert not made[:, [0, -1]].any()


@settings(EXAMPLES, max_examples=200)
@given(image=parts(), side=st.sampled_from(range(7, LARGEST_SIDE + 1, 2)))
def test_medians_are_opencvs_with_avx2_and_without(image: Array, side: int) -> None:
    image = (image >> 8 * (image.itemsize - 1)).astype(np.uint8)
    image = image if image.shape[2] != 2 else image[:, :, :1]
    made = median(image, side)
    with WITHOUT_AVX2:
        np.testing.assert_array_equal(made, median(image, side), strict=True)
    with WITHOUT:
        np.testing.assert_array_equal(made, median(image, side), strict=True)


@pytest.mark.parametrize("count", [2, 3, 4, 7])
@pytest.mark.parametrize("side", range(5, 20, 2))
def test_a_network_finds_medians_whatever_the_order(side: int, count: int) -> None:
    """What compares and exchanges is right for any samples if it is for all of two levels (Knuth, 5.3.4)."""
    network, results = medians(side, count)
    random = np.random.default_rng(side)
    shares = np.linspace(0.4, 0.6, 3000)
    rows = (random.random((network.inputs, shares.size)) < shares).astype(np.uint8)
    values = dict(enumerate(rows))
    for first, second, lower, higher, _ in network.exchanges:
        both = [np.roll(values[row.number], -row.column) for row in (first, second)]
        values[lower], values[higher] = np.minimum(*both), np.maximum(*both)
    found = np.stack([np.roll(values[row.number], -row.column) for row in results])
    expected = cv2.medianBlur(rows, side)
    around = side // 2
    np.testing.assert_array_equal(
        found[:, : 1 - side], expected[around : around + count, around : shares.size - around]
    )


@st.composite
def neighbours(draw: st.DrawFn, side: int) -> Neighbours:
    """Draw the cells around *side* coordinates, which need not be the first ones."""
    start, count = draw(st.integers(0, 20)), draw(st.integers(1, 8))
    return Neighbours.of(-(-(start + side) // count), count, start, start + side)


def at_the_edge_of_memory(image: Array) -> Array:
    """Return a copy of *image* behind whose last byte nothing may be read."""
    pages = -(-image.nbytes // mmap.PAGESIZE)
    memory = mmap.mmap(-1, (pages + 1) * mmap.PAGESIZE)
    whole = np.frombuffer(memory, np.uint8)
    end = pages * mmap.PAGESIZE
    copy = whole[end - image.nbytes : end].view(image.dtype).reshape(image.shape)
    copy[:] = image
    page = ctypes.c_void_p(whole.ctypes.data + end)
    assert ctypes.CDLL(None).mprotect(page, ctypes.c_size_t(mmap.PAGESIZE), 0) == 0
    return copy


def work_at_the_edge() -> None:
    """Work on images of each kind that end where memory ends."""
    random = np.random.default_rng(5)
    for depth, channels in itertools.product((8, 16), (1, 2, 3, 4)):
        image = random.integers(0, 2**depth, (9, 37, channels)).astype(f"u{depth // 8}")
        edge = at_the_edge_of_memory(image)
        np.testing.assert_array_equal(histogram.count(edge), histogram.count(image))
        if depth == 8 and channels != 2:
            np.testing.assert_array_equal(median(edge, 11), median(image, 11))
        if depth == 8 and channels in (1, 3):
            made, same = np.empty_like(image), np.empty_like(image)
            undo_differences(edge, made)
            undo_differences(image, same)
            np.testing.assert_array_equal(made, same)
        for how, size in itertools.product(HOW, ((17, 5), (37, 4), (36, 9), (80, 21))):
            if how == "area" and size[0] > image.shape[1]:
                continue
            # OpenCV makes all of an image itself.
            for wanted in (Rect(0, 0, *size), Rect(1, 1, *size)):
                made = resized(edge, size, wanted, how)
                np.testing.assert_array_equal(made, resized(image, size, wanted, how))


def test_nothing_beyond_the_image_is_read() -> None:
    program = "from tests.core.test_compiled import work_at_the_edge; work_at_the_edge()"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, f"it ended with {done.returncode}: {done.stderr}"
