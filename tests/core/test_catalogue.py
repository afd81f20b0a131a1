"""Every local operation gives on tiles what plain OpenCV and NumPy give on the whole image."""

from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, note, settings
from hypothesis import strategies as st

from tessera import reference
from tessera.errors import InvalidPipeline
from tessera.geometry import Grid, window
from tessera.operations import CATALOGUE, LocalOperation
from tessera.operations.base import Array
from tessera.pipeline import Bound, bind, check
from tessera.plan import Shape, Step
from tests.core.local_operations import LOCAL, STRATEGIES, accepts, shape_of, steps
from tests.support.images import textured

NAMES = [operation.name for operation in LOCAL]
SIDES = st.sampled_from([1, 2, 3, 63, 64, 65, 129]) | st.integers(1, 150)
SLOW = {"denoise": 12, "kernel": 20}
EXAMPLES = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


@st.composite
def images(draw: st.DrawFn, depths: tuple[int, ...] = (8, 16)) -> Array:
    """Return images that are textured, or so contrasty that everything saturates."""
    height, width, channels = draw(SIDES), draw(SIDES), draw(st.integers(1, 4))
    depth, seed = draw(st.sampled_from(depths)), draw(st.integers(0, 2**32 - 1))
    note(f"{height} x {width} x {channels}, {depth} bits, seed {seed}")
    if draw(st.booleans()):
        return textured(height, width, channels, depth, seed)
    noise = np.random.default_rng(seed).integers(0, 2**depth, (height, width, channels))
    return noise.astype(np.dtype(f"u{depth // 8}"))


@st.composite
def grids(draw: st.DrawFn, image: Array) -> Grid:
    """Return tiles of any size, on the columns that windows are aligned to or not, or full-width bands."""
    height, width = image.shape[:2]
    narrowest, lowest = max(1, width // 5), max(1, height // 5)
    tile_width = draw(st.sampled_from([64, 128, width]) | st.integers(narrowest, max(narrowest, 150)))
    grid = Grid(width, height, tile_width, draw(st.integers(lowest, max(lowest, 90))))
    note(f"tiles {grid.tile_width} x {grid.tile_height}")
    return grid


def tiled(image: Array, pipeline: tuple[Bound, ...], grid: Grid, random: Random, halo: int) -> Array:
    """Run the pipeline on each tile's window alone, in shuffled order."""
    made = check(pipeline, shape_of(image))[-1].pixels
    out = np.zeros((*image.shape[:2], made.channels), np.dtype(f"u{made.depth // 8}"))
    order = list(grid.tiles())
    random.shuffle(order)
    for core in order:
        region = window(core, halo, grid.frame)
        pixels = np.ascontiguousarray(image[region.slices])
        for operation, parameters in pipeline:
            assert isinstance(operation, LocalOperation)
            given = pixels.copy()
            after = operation.apply(pixels, parameters)
            np.testing.assert_array_equal(pixels, given, err_msg=f"{operation.name} changed its input")
            pixels = np.ascontiguousarray(after)
        assert pixels.dtype == out.dtype
        out[core.slices] = pixels[core.relative_to(region).slices]
    return out


def test_every_operation_has_a_reference_and_every_local_one_a_strategy() -> None:
    assert set(NAMES) == set(STRATEGIES)
    assert set(CATALOGUE) == set(reference.OPERATIONS)


@pytest.mark.parametrize("name", NAMES)
def test_tiles_give_what_the_whole_image_gives(name: str) -> None:
    @settings(EXAMPLES, max_examples=SLOW.get(name, 80))
    @given(data=st.data(), step=steps(name), image=images(), random=st.randoms(use_true_random=False))
    def run(data: st.DataObject, step: Step, image: Array, random: Random) -> None:
        pipeline = bind([step])
        assume(accepts(pipeline[0], shape_of(image)))
        grid = data.draw(grids(image))
        made = tiled(image, pipeline, grid, random, pipeline[0].halo)
        np.testing.assert_array_equal(made, reference.run(image, [pipeline[0].step]), strict=True)

    run()


@st.composite
def pipelines(draw: st.DrawFn, shape: Shape) -> tuple[Bound, ...]:
    """Return up to six operations of which each takes what the one before makes."""
    pipeline: list[Bound] = []
    fast = [name for name in NAMES if name != "denoise"]
    for _ in range(draw(st.integers(2, 6))):
        (bound,) = bind([draw(st.sampled_from(fast).flatmap(steps))])
        if accepts(bound, shape):
            pipeline.append(bound)
            shape = check([bound], shape)[-1]
    return tuple(pipeline)


@settings(EXAMPLES, max_examples=120)
@given(data=st.data(), image=images(), random=st.randoms(use_true_random=False))
def test_pipelines_in_one_pass_give_what_the_whole_image_gives(
    data: st.DataObject, image: Array, random: Random
) -> None:
    pipeline = data.draw(pipelines(shape_of(image)))
    assume(pipeline)
    grid = data.draw(grids(image))
    made = tiled(image, pipeline, grid, random, sum(bound.halo for bound in pipeline))
    np.testing.assert_array_equal(made, reference.run(image, [bound.step for bound in pipeline]), strict=True)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("depth", "channels"), [(8, 3), (16, 4), (8, 1)])
def test_default_parameters_are_exact_on_larger_images(name: str, depth: int, channels: int) -> None:
    size = (120, 261) if name == "denoise" else (389, 517)
    image = textured(*size, channels, depth, seed=channels)
    pipeline = bind([Step(operation=name)])
    if not accepts(pipeline[0], shape_of(image)):
        with pytest.raises(InvalidPipeline, match=f"^{name}: "):
            check(pipeline, shape_of(image))
        return
    expected = reference.run(image, [pipeline[0].step])
    for tile_width, tile_height in [(64, 64), (100, 73), (size[1], 32)]:
        grid = Grid(size[1], size[0], tile_width, tile_height)
        made = tiled(image, pipeline, grid, Random(depth), pipeline[0].halo)
        np.testing.assert_array_equal(
            made, expected, strict=True, err_msg=f"tiles {tile_width} x {tile_height}"
        )


@pytest.mark.parametrize(
    "step",
    [
        Step(operation="median_blur", parameters={"ksize": 7}),
        Step(operation="box_blur", parameters={"ksize": 9}),
        Step(operation="adaptive_threshold", parameters={"method": "mean", "ksize": 9}),
        Step(operation="bilateral", parameters={"diameter": 7, "sigma_color": 200, "sigma_space": 20}),
        Step(operation="denoise", parameters={"template": 5, "search": 7, "strength": 30}),
        Step(operation="kernel", parameters={"values": [[1.0] * 15] * 15}),
        Step(operation="sobel", parameters={"ksize": 5, "scale": 0.1}),
        Step(operation="laplacian", parameters={"ksize": 5, "scale": 0.1}),
        Step(operation="erode", parameters={"ksize": 5, "iterations": 2}),
        Step(operation="open", parameters={"ksize": 5, "iterations": 2}),
        Step(operation="black_hat", parameters={"shape": "cross", "ksize": 3}),
    ],
    ids=lambda step: step.operation,
)
def test_a_halo_one_pixel_smaller_is_noticed(step: Step) -> None:
    """The comparison can fail, and halos are no larger than they must be."""
    image = np.random.default_rng(5).integers(0, 256, (90, 130, 1)).astype(np.uint8)
    pipeline = bind([step])
    grid = Grid(130, 90, 130, 8)
    made = tiled(image, pipeline, grid, Random(0), pipeline[0].halo - 1)
    assert not np.array_equal(made, reference.run(image, [pipeline[0].step]))
