"""Tiled is whole: whatever the image, the pipeline, the tiles and their order."""

from random import Random

import cv2
import numpy as np
import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from tessera import border_graph, reference
from tessera.geometry import Grid, Placement, ceil_div, window
from tessera.operations import GlobalOperation, LocalOperation
from tessera.pipeline import bind
from tessera.plan import Output, Step
from tessera.planner import Limits
from tests.support.driver import run_job
from tests.support.images import Image, decode, encode, serpentine, textured
from tests.support.memory_store import MemoryStore
from tests.support.pipelines import INVERT, SIDES, cannies, canny, median_blur, steps, threshold

MOST_TILES = 1000


def result_of(image: Image, pipeline: list[Step], *, rows: int | None, seed: int = 0) -> Image:
    store = MemoryStore()
    job, outcome = run_job(store, encode(image), pipeline, limits=Limits(band_rows=rows), random=Random(seed))
    assert outcome.state == "succeeded", outcome.fault
    return decode(store.read("results", f"{job}.png"))


def whole(image: Image, pipeline: list[Step]) -> Image:
    return reference.run(image, [bound.step for bound in bind(pipeline)])


@settings(max_examples=250, deadline=None)
@given(data=st.data(), height=SIDES, width=SIDES, seed=st.integers(0, 2**32 - 1))
def test_any_pipeline_in_any_bands_is_the_whole_image_result(
    data: st.DataObject, height: int, width: int, seed: int
) -> None:
    depth = data.draw(st.sampled_from([8, 8, 8, 16]))
    channels = data.draw(st.sampled_from([1, 3, 4]))
    pipeline = data.draw(st.lists(steps(depth), min_size=1, max_size=4))
    rows = data.draw(st.one_of(st.integers(1, 40), st.sampled_from([64, 128]), st.none()))
    image = textured(height, width, channels, depth, seed)
    note(f"{height} x {width} x {channels}, {depth} bits, bands of {rows}, {pipeline}")
    np.testing.assert_array_equal(
        result_of(image, pipeline, rows=rows, seed=seed), whole(image, pipeline), strict=True
    )


@pytest.mark.parametrize("step", [INVERT, median_blur(11), threshold(128), canny(40, 120)], ids=str)
@pytest.mark.parametrize("channels", [1, 3], ids=["gray", "colour"])
@pytest.mark.parametrize(("height", "width"), [(517, 389), (201, 1), (1, 300), (1, 1), (6, 70)])
@pytest.mark.parametrize("rows", [2, 16, 128])
def test_each_operation_is_exact_for_odd_thin_and_tiny_images(
    step: Step, channels: int, height: int, width: int, rows: int
) -> None:
    image = textured(height, width, channels)
    np.testing.assert_array_equal(result_of(image, [step], rows=rows), whole(image, [step]), strict=True)


def test_tiles_smaller_than_the_halo_are_exact() -> None:
    pipeline = [median_blur(31), median_blur(11)]
    image = textured(100, 90)
    np.testing.assert_array_equal(result_of(image, pipeline, rows=3), whole(image, pipeline))


@pytest.mark.parametrize("rows", [1, 7, 16, 128])
def test_a_serpentine_weak_edge_through_many_bands_is_exact(rows: int) -> None:
    image, pipeline = serpentine(600, 400), [canny(30, 300)]
    expected = whole(image, pipeline)
    strong = whole(image, [canny(300, 300)])
    assert np.count_nonzero(expected) > 50 * np.count_nonzero(strong), "the edge must be mostly weak"
    np.testing.assert_array_equal(result_of(image, pipeline, rows=rows), expected)


def test_a_serpentine_that_is_weak_throughout_vanishes() -> None:
    image = serpentine(300, 200)
    pipeline = [canny(30, 2000)]
    assert not whole(image, pipeline).any()
    assert not result_of(image, pipeline, rows=16).any()


@settings(max_examples=120, deadline=None)
@given(
    height=st.integers(1, 120),
    width=st.integers(1, 200),
    tile_height=st.integers(1, 70),
    tile_width=st.integers(1, 130),
    step=cannies(),
    seed=st.integers(0, 2**32 - 1),
)
def test_canny_is_exact_on_any_grid_of_tiles(
    height: int, width: int, tile_height: int, tile_width: int, step: Step, seed: int
) -> None:
    # Thousands of tiles take seconds, and meet in no other way than hundreds.
    tile_height = max(tile_height, ceil_div(height, MOST_TILES // ceil_div(width, tile_width)))
    image = textured(height, width, 1, seed=seed)
    np.testing.assert_array_equal(
        canny_on_grid(image, step, tile_width, tile_height), whole(image, [step])[:, :, 0]
    )


@pytest.mark.parametrize(("tile_width", "tile_height"), [(64, 64), (17, 5), (400, 9), (3, 600)])
def test_a_serpentine_through_a_grid_of_tiles_is_exact(tile_width: int, tile_height: int) -> None:
    image, step = serpentine(600, 400), canny(30, 300)
    np.testing.assert_array_equal(
        canny_on_grid(image, step, tile_width, tile_height), whole(image, [step])[:, :, 0]
    )


def canny_on_grid(image: Image, step: Step, tile_width: int, tile_height: int) -> Image:
    ((operation, parameters),) = bind([step])
    assert isinstance(operation, GlobalOperation)
    grid = Grid(image.shape[1], image.shape[0], tile_width, tile_height)
    measured = []
    for core in grid.tiles():
        region = window(core, operation.halo(parameters), grid.frame)
        pixels = np.ascontiguousarray(image[region.slices])
        measured.append(operation.measure(pixels, Placement(region, core, grid.frame), parameters))
    merged = operation.merge(grid, iter([each.summary for each in measured]), parameters)
    out = np.empty(image.shape[:2], np.uint8)
    for core, each, table in zip(grid.tiles(), measured, merged, strict=True):
        assert each.labels is not None
        assert each.labels.max() <= border_graph.max_label(core.width, core.height)
        placement = Placement(core, core, grid.frame)
        out[core.slices] = operation.resolve(each.labels, placement, parameters, table)[:, :, 0]
    return out


@settings(max_examples=60, deadline=None)
@given(data=st.data(), seed=st.integers(0, 2**32 - 1))
def test_local_operations_are_exact_on_any_grid_of_tiles(data: st.DataObject, seed: int) -> None:
    step = data.draw(st.sampled_from([INVERT, median_blur(7), threshold(99)]))
    height, width = data.draw(st.integers(1, 150)), data.draw(st.integers(1, 300))
    grid = Grid(width, height, data.draw(st.integers(1, 200)), data.draw(st.integers(1, 90)))
    image = textured(height, width, 3, seed=seed)
    ((operation, parameters),) = bind([step])
    assert isinstance(operation, LocalOperation)
    expected = whole(image, [step])
    for core in grid.tiles():
        region = window(core, operation.halo(parameters), grid.frame)
        made = operation.apply(np.ascontiguousarray(image[region.slices]), parameters)
        np.testing.assert_array_equal(made[core.relative_to(region).slices], expected[core.slices])


@pytest.mark.parametrize("subsampling", ["4:2:0", "4:2:2", "4:4:4"])
@pytest.mark.parametrize("channels", [1, 3], ids=["gray", "colour"])
@pytest.mark.parametrize("rows", [16, 48, 128])
def test_jpeg_output_is_what_the_whole_reference_encodes_to(
    subsampling: str, channels: int, rows: int
) -> None:
    """The pixels are those of one JPEG of the whole reference image, so no band leaves a seam."""
    output = Output.from_json({"format": "jpeg", "quality": 88, "subsampling": subsampling})
    image, store = textured(515, 333, channels), MemoryStore()
    job, outcome = run_job(store, encode(image), [median_blur(5)], output, limits=Limits(band_rows=rows))
    assert outcome.state == "succeeded", outcome.fault
    reference_image = whole(image, [median_blur(5)])
    factors = {
        "4:2:0": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
        "4:2:2": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
        "4:4:4": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    }
    options = [cv2.IMWRITE_JPEG_QUALITY, 88, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factors[subsampling]]
    made = decode(store.read("results", f"{job}.jpg"))
    np.testing.assert_array_equal(made, decode(encode(reference_image, ".jpg", options)), strict=True)
