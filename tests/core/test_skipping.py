"""Tasks that each decode the upload from its top, and do several tiles, make the bytes of the whole image."""

from itertools import pairwise
from random import Random

import cv2
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from orchestrations.process_tiles import parts
from tessera import naming, reference
from tessera.messages import TileOrder, TilesOrder
from tessera.pipeline import bind
from tessera.plan import ImageInfo, Output, Pixels, Plan, Raster, Step, Upload
from tessera.planner import Limits, make_plan
from tests.support.driver import run_job
from tests.support.images import decode, encode, textured
from tests.support.memory_store import MemoryStore
from tests.support.pipelines import INVERT, canny, median_blur, threshold

SMALL_TILES = Limits(min_tile_pixels=1, instances=3)
PIPELINES = {
    "invert": [INVERT],
    "median": [median_blur(11)],
    "gray": [threshold(99)],
    "canny": [canny(40, 120)],
    "two": [canny(40, 120), median_blur(5)],
    "half": [Step(operation="scale", parameters={"factor": 0.5})],
    "crop": [INVERT, Step(operation="crop", parameters={"x": 3, "y": 200, "width": 20, "height": 310})],
    "flip": [Step(operation="flip", parameters={"direction": "vertical"}), median_blur(3)],
}


def planned(
    width: int, height: int, *pipeline: Step, kind: str = "jpeg", skips: bool = True, instances: int = 4
) -> Plan:
    image = ImageInfo(
        format="png" if kind == "png" else "jpeg",
        width=width,
        height=height,
        pixels=Pixels(channels=3),
        size=1,
        etag="",
        skips=skips,
    )
    return make_plan(image, pipeline, Output(), Limits(instances=instances))


def is_skipping(plan: Plan) -> bool:
    source = plan.stages[0].source
    return isinstance(source, Upload) and source.skipping


@pytest.mark.parametrize("kind", ["jpeg", "png"])
@pytest.mark.parametrize("name", PIPELINES)
@settings(deadline=None, max_examples=12)
@given(
    width=st.integers(24, 70),
    height=st.integers(520, 1500),
    channels=st.sampled_from([1, 3]),
    seed=st.integers(0, 99),
)
def test_the_result_is_that_of_the_whole_image(
    kind: str, name: str, width: int, height: int, channels: int, seed: int
) -> None:
    image, store = textured(height, width, channels, seed=seed), MemoryStore()
    if kind == "jpeg":
        data = cv2.imencode(".jpg", image)[1].tobytes()
        image = decode(data)
    else:
        data = encode(image)
    job, outcome = run_job(store, data, PIPELINES[name], limits=SMALL_TILES, random=Random(seed))
    assert outcome.state == "succeeded", outcome.fault
    plan = Plan.model_validate_json(store.read(naming.JOBS, naming.plan(job)))
    assume(is_skipping(plan))
    made = decode(store.read(naming.RESULTS, f"{job}.png"))
    steps = [bound.step for bound in bind(PIPELINES[name])]
    np.testing.assert_array_equal(made, reference.run(image, steps), strict=True)


def test_a_task_does_several_tiles_in_the_memory_of_one() -> None:
    plan = planned(12_000, 12_000, INVERT)
    (stage,) = plan.stages
    assert is_skipping(plan)
    assert (stage.grid.count, stage.tasks) == (32, 4)
    assert plan.memory < 100 << 20


@pytest.mark.parametrize(("instances", "tasks"), [(1, 1), (2, 2), (3, 3), (4, 4), (64, None)])
def test_there_are_tasks_for_the_instances_that_are_expected(instances: int, tasks: int | None) -> None:
    plan = planned(12_000, 12_000, INVERT, instances=instances)
    assert is_skipping(plan) is (tasks is not None), "for so many it's better decoded once"
    if tasks:
        assert plan.stages[0].tasks == tasks


@pytest.mark.parametrize("step", [INVERT, Step(operation="canny"), median_blur(31)], ids=str)
@pytest.mark.parametrize("instances", [2, 3, 4])
def test_lower_tasks_which_decode_more_have_fewer_tiles(step: Step, instances: int) -> None:
    stage = planned(12_000, 12_000, step, instances=instances).stages[0]
    starts = stage.starts()
    assert starts[0] == 0
    counts = [len(stage.task(start)) for start in starts]
    assert sum(counts) == stage.grid.count
    # Tiles are not cut: a task may have one more than would be even.
    assert all(lower <= upper + 1 for upper, lower in pairwise(counts))
    assert step == median_blur(31) or counts[0] > counts[-1], "decoding is little of what a median takes"


def test_what_takes_long_is_done_in_more_tasks() -> None:
    stage = planned(12_000, 12_000, median_blur(31), instances=1).stages[0]
    assert stage.tasks == 2


def test_what_is_cheaper_with_a_raster_gets_one() -> None:
    assert is_skipping(planned(6000, 4000, INVERT))
    rotated = planned(6000, 4000, Step(operation="rotate", parameters={"degrees": 90}))
    assert isinstance(rotated.stages[0].source, Raster), "its tiles go down the whole image"
    held = planned(6000, 4000, INVERT, skips=False)
    assert isinstance(held.stages[0].source, Raster), "a progressive file is decoded whole"
    measured = planned(6000, 4000, Step(operation="threshold_otsu"))
    assert isinstance(measured.stages[0].source, Raster), "one decoding makes it gray and measures it"
    slow = planned(40_000, 40_000, median_blur(31))
    assert isinstance(slow.stages[0].source, Raster), "a task would take too long"


def test_orders_of_tasks_cover_the_tiles() -> None:
    (stage,) = planned(12_000, 12_000, INVERT).stages
    order = TilesOrder(
        job="0" * 32,
        upload="0" * 32,
        image=planned(12_000, 12_000, INVERT).image,
        stage=stage,
        output=Output(),
        first=3,
        last=30,
    )
    found = parts(order)
    assert all(isinstance(each, TileOrder) for each in found)
    tiles = [
        tile
        for each in found
        if isinstance(each, TileOrder)
        for tile in range(each.tile, each.tile + each.count)
    ]
    assert sorted(tiles) == list(range(3, 30))
    starts = [(each.tile, each.count) for each in found if isinstance(each, TileOrder)]
    _, *others = stage.task_starts
    assert starts[0] == (3, others[0] - 3)
    assert [start for start, _ in starts[1:]] == others


def test_short_tiles_of_a_raster_share_a_task_and_long_ones_do_not() -> None:
    _, resolving = planned(12_000, 12_000, Step(operation="canny"), instances=2).stages
    assert isinstance(resolving.source, Raster)
    assert (resolving.grid.count, resolving.tiles_per_task) == (24, 3)
    rotated = Step(operation="rotate", parameters={"degrees": 90})
    (slow,) = planned(12_000, 12_000, rotated, median_blur(31), instances=2).stages
    assert isinstance(slow.source, Raster)
    assert slow.tiles_per_task == 1
