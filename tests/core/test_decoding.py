"""What is done between decoding and the raster is the same work, and no more than decoding bears."""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera import naming
from tessera.errors import InvalidPipeline
from tessera.operations import CATALOGUE, PLANNED
from tessera.pipeline import Bound, bind
from tessera.plan import ImageInfo, Output, Pixels, Plan, Raster, Step, Upload
from tessera.planner import Limits, make_plan
from tessera.whole import run_whole
from tests.support.driver import run_job
from tests.support.images import decode, encode, textured
from tests.support.memory_store import MemoryStore

SPLIT = [operation for operation in CATALOGUE.values() if operation.split]


def operation(name: str, **parameters: object) -> Step:
    return Step.from_json({"operation": name, "parameters": parameters})


def plan(*pipeline: Step, orientation: int = 1, block: tuple[int, int] | None = None) -> Plan:
    image = ImageInfo(
        format="tiff" if block else "jpeg",
        width=6000,
        height=4000,
        pixels=Pixels(channels=3),
        size=1,
        etag="",
        orientation=orientation,
        random=block is not None,
        block=block,
    )
    return make_plan(image, pipeline, Output(), Limits())


def done(made: Plan) -> tuple[list[str], list[str]]:
    """Return the names of the steps and of the measures that are done while decoding."""
    steps = [step.operation for step in made.ingest.steps]
    return steps, [each.step.operation for each in made.ingest.measures]


def channels(made: Plan) -> int:
    source = made.stages[0].source
    assert isinstance(source, Raster)
    return source.channels


@pytest.mark.parametrize("whole", SPLIT, ids=lambda each: each.name)
@settings(deadline=None)
@given(
    width=st.integers(1, 90),
    height=st.integers(1, 90),
    colours=st.sampled_from([3, 4]),
    deep=st.booleans(),
    seed=st.integers(0, 2**32),
)
def test_the_halves_of_an_operation_make_it_whole(
    whole: object, width: int, height: int, colours: int, seed: int, *, deep: bool
) -> None:
    found = CATALOGUE[getattr(whole, "name", "")]
    depth = 16 if deep and 16 in found.depths else 8
    pixels = np.random.default_rng(seed).integers(0, 1 << depth, (height, width, colours))
    image = pixels.astype(np.uint16 if depth == 16 else np.uint8)
    assert found.split is not None
    first, second = (PLANNED[name] for name in found.split)
    parameters = found.parameters()
    halves = [Bound(first, first.parameters()), Bound(second, parameters)]
    np.testing.assert_array_equal(
        run_whole(image, halves), run_whole(image, [Bound(found, parameters)]), strict=True
    )


def test_gray_is_made_before_the_raster_where_nothing_else_is_looked_at() -> None:
    for name in ("threshold", "adaptive_threshold", "sobel", "grayscale"):
        made = plan(operation(name))
        assert done(made) == (["grayscale"], [])
        assert channels(made) == 1
    assert done(plan(operation("invert"))) == ([], [])
    assert done(plan(operation("canny"))) == ([], []), "it looks at the colours"
    assert done(plan(operation("median_blur"), operation("threshold"))) == ([], []), "a neighbour comes first"


def test_a_global_operation_is_measured_while_decoding_and_takes_one_pass_over_the_tiles() -> None:
    made = plan(operation("threshold_otsu"))
    assert done(made) == (["grayscale"], ["threshold_otsu"])
    assert [stage.name for stage in made.stages] == ["threshold_otsu"]
    made = plan(operation("gamma", gamma=2.0), operation("equalize"), operation("clahe"))
    assert done(made) == (["gamma", "ycrcb"], ["equalize/ycrcb"])
    assert [stage.index for stage in made.stages] == [0, 1]
    assert [stage.name for stage in made.stages] == ["equalize + clahe", "equalize + clahe"]
    assert made.stages[0].steps[0].table == made.ingest.measures[0].table
    assert made.stages[1].steps[1].table == 0


def test_what_costs_more_than_decoding_bears_is_left_to_the_tiles() -> None:
    assert done(plan(operation("vibrance"), operation("equalize"))) == ([], [])
    assert done(plan(operation("vibrance"), operation("grayscale"))) == ([], [])


def test_a_turned_image_is_made_gray_as_it_is_stored_and_measured_upright() -> None:
    made = plan(operation("threshold_otsu"), orientation=6)
    assert done(made) == (["grayscale"], [])
    assert len(made.stages) == 2


def test_an_upload_that_tiles_read_themselves_is_not_decoded_before() -> None:
    made = plan(operation("threshold_otsu"), block=(6000, 32))
    assert isinstance(made.stages[0].source, Upload)
    assert done(made) == ([], [])


@pytest.mark.parametrize("name", ["clahe/lab", "ycrcb", "lab"])
def test_nobody_can_ask_for_a_half(name: str) -> None:
    with pytest.raises(InvalidPipeline, match="no operation"):
        bind([operation(name)])


def test_a_report_and_a_crop_see_the_whole_image_and_a_part_of_it() -> None:
    image, store = textured(300, 200, 3), MemoryStore()
    crop = operation("crop", x=20, y=90, width=50, height=100)
    job, outcome = run_job(
        store,
        encode(image),
        [operation("invert"), operation("statistics"), crop],
        limits=Limits(band_rows=16),
        random=Random(1),
    )
    assert outcome.state == "succeeded", outcome.fault
    assert b'"pixels": 60000' in store.read(naming.JOBS, naming.report(job, 1))
    made = decode(store.read(naming.RESULTS, f"{job}.png"))
    np.testing.assert_array_equal(made, 255 - image[90:190, 20:70], strict=True)
