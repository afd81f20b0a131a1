"""The plan is decided before any pixel is read, and what can't be done is refused there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.errors import InvalidOutput, InvalidPipeline, LimitExceeded
from tessera.geometry import ceil_div, window
from tessera.pipeline import bind
from tessera.plan import ImageInfo, Output, Pixels, Plan, Raster, Step
from tessera.planner import Limits, make_plan
from tessera.tiling import BAND_UNIT
from tests.support.pipelines import INVERT, canny, median_blur, steps, threshold

PNG, DEFAULTS = Output(), Limits()


def image(width: int, height: int, channels: int = 3, depth: int = 8, *, held: int = 0) -> ImageInfo:
    pixels = Pixels.from_json({"channels": channels, "depth": depth})
    return ImageInfo(format="jpeg", width=width, height=height, pixels=pixels, size=1, etag="", held=held)


def plan(
    info: ImageInfo, *pipeline: Step, output: Output | None = None, limits: Limits | None = None
) -> Plan:
    return make_plan(info, pipeline, output or Output(), limits or Limits())


@given(
    width=st.integers(1, 100_000),
    height=st.integers(1, 600_000),
    pipeline=st.lists(steps(8), min_size=1, max_size=5),
)
def test_tiles_cover_the_image_and_fit_into_memory(width: int, height: int, pipeline: list[Step]) -> None:
    limits = Limits()
    try:
        made = plan(image(width, height), *pipeline, limits=limits)
    except LimitExceeded:
        return
    assert made.memory <= limits.task_memory
    for stage in made.stages:
        grid = stage.grid
        assert grid.tile(grid.count - 1).y1 == height
        assert stage.tile_height % BAND_UNIT == 0 or stage.tile_height in (height, *range(BAND_UNIT))
        assert grid.count <= 50_000 - 2


@pytest.mark.parametrize("kind", ["jpeg", "png", "tiff", "webp", "gif", "bmp"])
@pytest.mark.parametrize("name", ["invert", "median_blur", "canny", "equalize", "clahe", "rotate"])
@pytest.mark.parametrize("block", [None, (850, 16), (256, 256)])
@pytest.mark.parametrize("skips", [False, True])
def test_every_format_has_a_plan(kind: str, name: str, block: tuple[int, int] | None, skips: bool) -> None:
    given = image(8000, 6000).model_copy(
        update={"format": kind, "block": block, "random": block is not None, "skips": skips}
    )
    made = plan(given, Step(operation=name))
    assert made.stages[-1].grid.frame == made.result.frame
    for stage in made.stages:
        tiles = [tile for start in stage.starts() for tile in stage.task(start)]
        assert tiles == list(range(stage.grid.count))


def test_local_operations_share_a_stage_and_a_global_one_ends_it() -> None:
    made = plan(image(4000, 3000), INVERT, median_blur(11), canny(1, 2), median_blur(5), threshold(9))
    first, second = made.stages
    assert [step.operation for step in first.steps] == ["invert", "median_blur"]
    assert first.measure is not None
    assert first.measure.operation == "canny"
    assert [(step.operation, step.table) for step in second.steps] == [
        ("canny", 0),
        ("median_blur", None),
        ("threshold", None),
    ]
    assert second.source == first.target
    assert (second.measure, second.target) == (None, None)
    assert made.result.pixels == Pixels(channels=1)


def test_a_small_image_is_one_tile_and_a_large_one_many() -> None:
    assert plan(image(4000, 3000), INVERT).direct
    assert 4 <= plan(image(6000, 4000), INVERT).tiles <= 64
    giga = plan(image(32_000, 32_000), canny(1, 2))
    assert 64 <= giga.stages[0].grid.count <= 1000


def test_what_takes_long_or_much_memory_is_not_one_tile() -> None:
    twelve = image(4000, 3000)
    assert not plan(twelve, median_blur(31)).direct
    assert plan(twelve, canny(1, 2)).direct
    assert not plan(twelve, canny(1, 2), limits=Limits(task_memory=64 << 20)).direct


@pytest.mark.parametrize("instances", [2, 3, 4])
@pytest.mark.parametrize("height", [4000, 4600, 5184, 12_000])
def test_each_instance_gets_about_as_many_rows(height: int, instances: int) -> None:
    (stage,) = plan(image(6000, height), median_blur(11), limits=Limits(instances=instances)).stages
    turns = ceil_div(stage.grid.count, instances)
    assert turns * stage.tile_height < 1.25 * height / instances


def test_slow_operations_get_smaller_tiles() -> None:
    fast = plan(image(12_000, 12_000), INVERT).tiles
    slow = plan(image(12_000, 12_000), *[median_blur(31)] * 16).tiles
    assert slow > fast


@pytest.mark.parametrize(("width", "height"), [(12_000, 12_000), (100_000, 20_000), (3_000, 600_000)])
@pytest.mark.parametrize("name", ["denoise", "bilateral", "median_blur"])
def test_no_tile_takes_longer_than_about_ten_seconds(width: int, height: int, name: str) -> None:
    step = Step(operation=name, parameters={"ksize": 31} if name == "median_blur" else {})
    ((operation, parameters),) = bind([step])
    made = plan(image(width, height), step)
    for stage in made.stages:
        grid = stage.grid
        computed = window(grid.tile(grid.count // 2), operation.halo(parameters), grid.frame).pixels
        assert computed / 1e6 / operation.rate(parameters) <= 10


def test_what_takes_longer_because_of_what_is_around_a_tile_gets_no_sliver_for_it() -> None:
    steps = [median_blur(31)] * 32
    ((operation, parameters), *_) = bind(steps)
    grid = plan(image(12_000, 12_000), *steps).stages[0].grid
    halo = 32 * operation.halo(parameters)
    computed = window(grid.tile(grid.count // 2), halo, grid.frame).pixels
    assert computed * 32 / 1e6 / operation.rate(parameters) > 10
    assert computed < 1.25 * 12_000 * (2 * halo + BAND_UNIT)
    assert grid.tile_height == BAND_UNIT


@pytest.mark.parametrize(
    ("width", "height", "steps"),
    [
        (32_000, 32_000, [Step(operation="gaussian_blur", parameters={"sigma": 50})]),
        (20_000, 20_000, [Step(operation="unsharp_mask", parameters={"sigma": 50})]),
        (20_000, 20_000, [Step(operation="open", parameters={"ksize": 31, "iterations": 10})]),
        (6_000, 4_000, [Step(operation="unsharp_mask", parameters={"sigma": 30})] * 4),
    ],
    ids=["gaussian", "unsharp", "open", "four unsharp"],
)
def test_bands_that_are_too_large_are_computed_some_columns_at_a_time(
    width: int, height: int, steps: list[Step]
) -> None:
    made = plan(image(width, height), *steps)
    (stage,) = made.stages
    assert stage.chunk_width is not None
    assert stage.chunk_width < width
    assert stage.tile_height >= BAND_UNIT
    assert made.memory <= DEFAULTS.task_memory


def test_too_much_around_a_tile_is_told() -> None:
    step = Step(operation="gaussian_blur", parameters={"sigma": 50})
    with pytest.raises(LimitExceeded) as refused:
        plan(image(4_000, 3_000), *[step] * 8)
    assert refused.value.hint is not None
    assert "pixels around" in refused.value.hint


def test_a_plan_survives_the_wire() -> None:
    made = plan(image(4000, 3000), canny(1, 2), INVERT)
    assert Plan.from_json(made.to_json()) == made


@pytest.mark.parametrize(
    ("info", "limits", "limit", "actual"),
    [
        (image(2000, 2000), {"max_pixels": 1_000_000}, 1_000_000, 4_000_000),
        (image(2000, 2000, held=400 << 20), {}, 256 << 20, 400 << 20),
        (image(1, 60_000), {"band_rows": 1}, 50_000, 60_002),
    ],
)
def test_limits_name_the_bound_and_the_value(
    info: ImageInfo, limits: dict[str, int], limit: int, actual: int
) -> None:
    with pytest.raises(LimitExceeded) as refused:
        plan(info, INVERT, limits=Limits.from_json(limits))
    assert (refused.value.limit, refused.value.actual) == (limit, actual)


def test_a_band_that_cannot_fit_names_the_setting_to_raise() -> None:
    with pytest.raises(LimitExceeded, match="MiB of memory") as refused:
        plan(image(100_000, 20_000), canny(1, 2), limits=Limits(task_memory=256 << 10))
    assert refused.value.hint is not None
    assert "task_memory" in refused.value.hint


def test_rows_that_are_too_wide_to_decode_name_the_setting_to_raise() -> None:
    wide = image(100_000, 1_000, depth=16).model_copy(update={"format": "png"})
    with pytest.raises(LimitExceeded, match="rows of 100,000 pixels, takes 326 MiB") as refused:
        plan(wide, INVERT)
    assert refused.value.limit == Limits().task_memory
    assert "task_memory" in (refused.value.hint or "")
    assert plan(wide, INVERT, limits=Limits(task_memory=400 << 20)).memory <= 400 << 20


@pytest.mark.parametrize(("width", "height"), [(10_000, 10_000), (32_000, 32_000), (3_000, 600_000)])
def test_a_turned_band_is_read_in_few_pieces(width: int, height: int) -> None:
    turned = plan(image(width, height, channels=1), Step(operation="rotate", parameters={"degrees": 90}))
    (stage,) = turned.stages
    assert isinstance(stage.source, Raster)
    assert stage.chunk_width is not None
    assert stage.chunk_width / stage.source.block_height <= 12
    assert turned.memory <= Limits().task_memory


@pytest.mark.parametrize(
    ("pipeline", "message", "pointer"),
    [
        ([], "this one has 0", "/pipeline"),
        ([INVERT] * 33, "this one has 33", "/pipeline"),
        ([INVERT, Step(operation="cany")], "there is no operation 'cany'", "/pipeline/1/operation"),
        ([median_blur(4)], "must be odd, for example 3 or 5", "/pipeline/0/parameters/ksize"),
        ([median_blur(1)], "greater than or equal to 3", "/pipeline/0/parameters/ksize"),
        ([canny(9, 3)], r"low \(9\) must not be above high \(3\)", "/pipeline/0/parameters/high"),
        ([Step(operation="invert", parameters={"a": 1})], "not permitted", "/pipeline/0/parameters/a"),
        ([threshold(256)], "above the brightest level of 8-bit", "/pipeline/0/parameters/value"),
    ],
)
def test_refused_pipelines_say_what_and_where(pipeline: list[Step], message: str, pointer: str) -> None:
    with pytest.raises(InvalidPipeline, match=message) as refused:
        plan(image(10, 10), *pipeline)
    assert refused.value.pointer == pointer


@pytest.mark.parametrize("step", [canny(1, 2), median_blur(7)], ids=str)
def test_what_needs_8_bits_is_refused_for_16(step: Step) -> None:
    with pytest.raises(InvalidPipeline, match="8-bit"):
        plan(image(10, 10, depth=16), step)


def test_a_close_name_is_suggested() -> None:
    with pytest.raises(InvalidPipeline) as refused:
        plan(image(10, 10), Step(operation="cany"))
    assert refused.value.hint == "did you mean canny?"


def test_an_output_that_cannot_hold_the_result_is_refused() -> None:
    with pytest.raises(InvalidOutput, match="alpha"):
        plan(image(10, 10, channels=4), INVERT, output=Output(format="jpeg"))
    assert (
        plan(image(10, 10, channels=4), canny(1, 2), output=Output(format="jpeg")).result.pixels.channels == 1
    )
