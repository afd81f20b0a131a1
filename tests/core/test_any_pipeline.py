"""Any operations in any order, as whole jobs over any tiles: the bytes of the whole image in one process."""

import io
import json
import os
from random import Random

import cv2
import numpy as np
import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st
from PIL import Image as PillowImage
from PIL import ImageOps

from tessera import naming, reference
from tessera.pipeline import bind, check
from tessera.plan import Shape, Step
from tessera.planner import Limits
from tests.core.global_operations import GLOBAL, global_steps
from tests.core.local_operations import STRATEGIES, accepts, shape_of
from tests.core.moving_operations import MOVING, moving_steps
from tests.core.test_catalogue import EXAMPLES
from tests.support.driver import run_job
from tests.support.images import Image, decode, encode, textured
from tests.support.memory_store import MemoryStore
from tests.support.pipelines import SIDES

LOCAL = [name for name in STRATEGIES if name not in ("denoise", "kernel", "bilateral")]
MOVES = [operation.name for operation in MOVING]


@st.composite
def pipelines(draw: st.DrawFn, shape: Shape) -> list[Step]:
    """Return up to six operations, many of them global or moving, of which each takes what comes before."""
    steps: list[Step] = []
    for _ in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from(["local", "local", "moving", "moving", "global"]))
        if kind == "local":
            name = draw(st.sampled_from(LOCAL))
            step = Step(operation=name, parameters=draw(STRATEGIES[name]))
        elif kind == "moving":
            step = draw(moving_steps(draw(st.sampled_from(MOVES)), shape))
        else:
            step = draw(st.sampled_from(GLOBAL).flatmap(lambda operation: global_steps(operation.name)))
        (bound,) = bind([step])
        if accepts(bound, shape):
            steps.append(step)
            shape = check([bound], shape)[-1]
    return steps or [Step(operation="invert")]


def result_of(image: Image, pipeline: list[Step], limits: Limits, seed: int) -> Image:
    store = MemoryStore()
    job, outcome = run_job(store, encode(image), pipeline, limits=limits, random=Random(seed))
    assert outcome.state == "succeeded", outcome.fault
    return decode(store.read("results", f"{job}.png"))


def whole(image: Image, pipeline: list[Step]) -> Image:
    return reference.run(image, [bound.step for bound in bind(pipeline)])


@settings(EXAMPLES, max_examples=int(os.environ.get("TESSERA_EXAMPLES", "300")))
@given(data=st.data(), height=SIDES, width=SIDES, seed=st.integers(0, 2**32 - 1))
def test_any_pipeline_over_any_tiles_is_exact(
    data: st.DataObject, height: int, width: int, seed: int
) -> None:
    depth, channels = data.draw(st.sampled_from([8, 8, 16])), data.draw(st.sampled_from([1, 3, 4]))
    image = textured(height, width, channels, depth, seed)
    pipeline = data.draw(pipelines(shape_of(image)))
    limits = Limits(
        band_rows=data.draw(st.integers(8, 70) | st.none()),
        tile_columns=data.draw(st.integers(10, 90) | st.none()),
    )
    note(f"{width} x {height} x {channels}, {depth} bits, {limits.to_json()}, {pipeline}")
    expected = whole(image, pipeline)
    if expected.shape[2] == 2:  # which OpenCV can't read back from a file
        pipeline = [*pipeline, Step(operation="to_rgb")]
        expected = whole(image, pipeline)
    np.testing.assert_array_equal(result_of(image, pipeline, limits, seed), expected, strict=True)


CASES = {
    "a global operation after a resize": ["scale", "equalize"],
    "Canny after a turn": ["rotate", "canny"],
    "a turn after Canny": ["canny", "rotate"],
    "Canny twice, turned between": ["canny", "rotate_by", "canny"],
    "two global operations around a crop": ["clahe", "crop", "threshold_otsu"],
    "a tilt among stencils": ["median_blur", "rotate_by", "gaussian_blur", "transpose", "emboss"],
    "padded and shrunk": ["pad", "fit", "unsharp_mask"],
}


@pytest.mark.parametrize("names", CASES.values(), ids=CASES.keys())
@pytest.mark.parametrize("limits", [{"band_rows": 40, "tile_columns": 77}, {"band_rows": 128}], ids=str)
def test_what_people_put_together_is_exact(names: list[str], limits: dict[str, int]) -> None:
    shown = {
        "crop": {"x": 30, "y": 41, "width": 350, "height": 200},
        "fit": {"width": 300, "height": 190},
        "canny": {"low": 40, "high": 120},
    }
    pipeline = [Step.from_json({"operation": name, "parameters": shown.get(name, {})}) for name in names]
    image = textured(389, 517)
    made = result_of(image, pipeline, Limits.from_json(limits), 1)
    np.testing.assert_array_equal(made, whole(image, pipeline), strict=True)


@pytest.mark.parametrize("limits", [{}, {"band_rows": 60}], ids=["one tile", "bands"])
def test_statistics_are_those_of_numpy_at_their_place(limits: dict[str, int]) -> None:
    image, store = textured(301, 200, 4), MemoryStore()
    steps = [Step(operation="statistics"), Step(operation="rotate"), Step(operation="statistics")]
    job, outcome = run_job(store, encode(image), steps, limits=Limits.from_json(limits))
    assert outcome.state == "succeeded", outcome.fault
    np.testing.assert_array_equal(decode(store.read(naming.RESULTS, f"{job}.png")), np.rot90(image, -1))
    for place in (0, 2):
        document = json.loads(store.read(naming.JOBS, naming.report(job, place)))
        assert (document["depth"], document["pixels"]) == (8, 301 * 200)
        for channel, name in enumerate(["blue", "green", "red", "alpha"]):
            told, values = document["channels"][name], image[:, :, channel]
            assert (told["min"], told["max"]) == (values.min(), values.max())
            assert told["mean"] == pytest.approx(values.mean(), rel=1e-12)
            assert told["std"] == pytest.approx(values.std(), rel=1e-12)
            assert told["histogram"] == np.bincount(values.ravel(), minlength=256).tolist()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("limits", [{}, {"band_rows": 64, "tile_columns": 70}], ids=["one tile", "tiles"])
def test_a_turned_photograph_comes_out_upright(orientation: int, limits: dict[str, int]) -> None:
    exif, file = PillowImage.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    pixels = textured(150, 210)
    PillowImage.fromarray(pixels[:, :, ::-1]).save(file, "PNG", exif=exif)
    store = MemoryStore()
    job, outcome = run_job(
        store, file.getvalue(), [Step(operation="invert")], limits=Limits.from_json(limits)
    )
    assert outcome.state == "succeeded", outcome.fault
    result = PillowImage.open(io.BytesIO(store.read(naming.RESULTS, f"{job}.png")))
    assert result.getexif().get(0x0112, 1) == 1
    upright = ImageOps.exif_transpose(PillowImage.open(io.BytesIO(file.getvalue())))
    np.testing.assert_array_equal(np.array(result), 255 - np.array(upright))


@pytest.mark.parametrize("extension", [".png", ".jpg"])
def test_a_crop_decodes_no_row_below_it(extension: str) -> None:
    """What lies below isn't even read, so that damage there does no harm."""
    image = textured(2000, 300)
    data = encode(image, extension)
    crop = Step(operation="crop", parameters={"x": 20, "y": 70, "width": 200, "height": 100})
    store = MemoryStore()
    job, outcome = run_job(store, data[: len(data) // 2], [crop], limits=Limits(band_rows=64))
    assert outcome.state == "succeeded", outcome.fault
    whole_input = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert whole_input is not None
    made = decode(store.read(naming.RESULTS, f"{job}.png"))
    np.testing.assert_array_equal(made, whole_input[70:170, 20:220])
