"""Operations that need a histogram of the whole image, cut into tiles in any way."""

import cv2
import numpy as np
import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from tessera import histogram, reference
from tessera.operations import CATALOGUE, GlobalOperation
from tessera.pipeline import bind
from tessera.plan import Step
from tessera.planner import Limits
from tests.core.global_operations import global_steps
from tests.support.driver import run_job
from tests.support.images import Image, decode, encode, textured
from tests.support.memory_store import MemoryStore
from tests.support.pipelines import INVERT, SIDES, canny, median_blur

NAMES = [
    name
    for name, operation in CATALOGUE.items()
    if isinstance(operation, GlobalOperation) and not operation.labelled
]


def assert_exact(image: Image, pipeline: list[Step], rows: int | None) -> None:
    store = MemoryStore()
    job, outcome = run_job(store, encode(image), pipeline, limits=Limits(band_rows=rows))
    assert outcome.state == "succeeded", outcome.fault
    expected = reference.run(image, [bound.step for bound in bind(pipeline)])
    np.testing.assert_array_equal(decode(store.read("results", f"{job}.png")), expected, strict=True)


@settings(max_examples=120, deadline=None)
@given(data=st.data(), height=SIDES, width=SIDES, seed=st.integers(0, 2**32 - 1))
def test_each_is_exact_in_any_bands(data: st.DataObject, height: int, width: int, seed: int) -> None:
    step = data.draw(st.sampled_from(NAMES).flatmap(global_steps))
    operation = CATALOGUE[step.operation]
    depth = data.draw(st.sampled_from([d for d in (8, 16) if d in operation.depths]))
    channels = data.draw(st.sampled_from([c for c in (1, 3, 4) if c in operation.channels]))
    image = textured(height, width, channels, depth, seed)
    rows = data.draw(st.one_of(st.integers(1, 40), st.none()))
    note(f"{width} x {height} x {channels}, {depth} bits, {step}")
    assert_exact(image, [step], rows)


@pytest.mark.parametrize(
    "names",
    [
        ["equalize", "threshold_otsu"],
        ["auto_contrast", "gray_world", "normalize"],
        ["threshold_triangle", "equalize"],
        ["clahe", "clahe", "equalize"],
    ],
    ids="-".join,
)
@pytest.mark.parametrize("rows", [7, 64])
def test_several_in_a_row_with_stencils_between_are_exact(names: list[str], rows: int) -> None:
    pipeline = [median_blur(5)]
    for name in names:
        pipeline += [Step(operation=name), median_blur(3)]
    assert_exact(textured(150, 131), pipeline, rows)


def test_before_and_after_canny() -> None:
    pipeline = [Step(operation="equalize"), canny(40, 120), Step(operation="threshold_otsu"), INVERT]
    assert_exact(textured(150, 131), pipeline, 16)


@settings(max_examples=80, deadline=None)
@given(
    height=SIDES,
    width=SIDES,
    rows=st.integers(1, 60),
    step=global_steps("clahe"),
    channels=st.sampled_from([1, 3, 4]),
)
def test_clahe_is_exact_for_any_grid_of_cells(
    height: int, width: int, rows: int, step: Step, channels: int
) -> None:
    assert_exact(textured(height, width, channels), [step], rows)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("level", [0, 17, 255])
def test_an_image_of_one_level_is_exact(name: str, level: int) -> None:
    assert_exact(np.full((20, 9, 3), level, np.uint8), [Step(operation=name)], 3)


@settings(max_examples=300, deadline=None)
@given(counts=st.lists(st.integers(0, 60), min_size=256, max_size=256).filter(any))
def test_levels_are_those_that_opencv_finds(counts: list[int]) -> None:
    row = np.repeat(np.arange(256, dtype=np.uint8), counts)[np.newaxis]
    found = histogram.count(row[:, :, np.newaxis])
    assert histogram.otsu(found) == cv2.threshold(row, 0, 255, cv2.THRESH_OTSU)[0]
    assert histogram.triangle(found) == cv2.threshold(row, 0, 255, cv2.THRESH_TRIANGLE)[0]
    np.testing.assert_array_equal(histogram.equalizing_table(found)[row], cv2.equalizeHist(row))


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 60),
    seed=st.integers(0, 2**32 - 1),
    bits=st.integers(1, 16),
)
def test_a_level_of_16_bits_is_the_one_that_opencv_finds(
    height: int, width: int, seed: int, bits: int
) -> None:
    levels = textured(height, width, 1, 16, seed) >> (16 - bits)
    found = histogram.otsu(histogram.count(np.atleast_3d(levels)))
    assert found == cv2.threshold(levels, 0, 65535, cv2.THRESH_OTSU)[0]


def test_normalize_is_what_opencv_gives_to_within_one_level() -> None:
    image = np.clip(textured(90, 70).astype(int) // 2 + 40, 0, 255).astype(np.uint8)
    ours = reference.run(image, [Step(operation="normalize")]).astype(int)
    theirs = cv2.normalize(image, None, 0, 255, cv2.NORM_MINMAX)  # type: ignore[call-overload]
    assert np.abs(ours - theirs).max() <= 1
