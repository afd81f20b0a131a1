"""Whole jobs to TIFF: any tiles, any order, some of them twice; overviews that span tiles."""

import io
from random import Random

import numpy as np
import pytest
import tifffile

from tessera import naming, reference
from tessera.codecs import tiff
from tessera.codecs.deflate import deflated
from tessera.codecs.pyramid import halved, level_count
from tessera.operations.base import Array
from tessera.pipeline import bind
from tessera.plan import Output, Step
from tessera.planner import Limits
from tests.support import driver
from tests.support.driver import run_job
from tests.support.images import encode, textured
from tests.support.memory_store import MemoryStore
from tests.support.pipelines import INVERT, canny

ROTATE = Step(operation="rotate")


def levels_of(data: bytes) -> list[Array]:
    """Return the image and its overviews, (rows, columns, channels), BGR."""
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        pages = [np.atleast_3d(page.asarray()) for page in file.pages]
    return [page[:, :, ::-1] if page.shape[2] == 3 else page for page in pages]


@pytest.mark.parametrize(
    "pipeline", [[INVERT], [canny(40, 120)], [ROTATE]], ids=["invert", "canny", "rotate"]
)
@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("limits", [{"tile_columns": 512}, {"tile_columns": 1024}, {}], ids=str)
def test_a_tiff_in_any_tiles_is_exact(pipeline: list[Step], depth: int, limits: dict[str, int]) -> None:
    if depth == 16 and pipeline[0].operation == "canny":
        pipeline = [Step(operation="to_8_bit"), *pipeline]
    image, store = textured(1300, 1800, 3, depth), MemoryStore()
    chosen = Limits.from_json({**limits, "band_rows": 512})
    job, outcome = run_job(
        store, encode(image), pipeline, Output(format="tiff"), limits=chosen, random=Random(3)
    )
    assert outcome.state == "succeeded", outcome.fault
    expected = reference.run(image, [bound.step for bound in bind(pipeline)])
    (made,) = levels_of(store.read(naming.RESULTS, f"{job}.tif"))
    np.testing.assert_array_equal(made, expected, strict=True)


@pytest.mark.parametrize(
    "limits", [{"band_rows": 512}, {"band_rows": 1024, "tile_columns": 1024}, {}], ids=str
)
@pytest.mark.parametrize("channels", [1, 3])
def test_overviews_are_halves_of_halves_whatever_the_tiles(limits: dict[str, int], channels: int) -> None:
    image, store = textured(2100, 3001, channels), MemoryStore()
    output = Output(format="tiff", pyramid=True)
    job, outcome = run_job(store, encode(image), [INVERT], output, limits=Limits.from_json(limits))
    assert outcome.state == "succeeded", outcome.fault
    made = levels_of(store.read(naming.RESULTS, f"{job}.tif"))
    assert len(made) == 1 + level_count(3001, 2100)
    expected = 255 - image
    for level in made:
        np.testing.assert_array_equal(level, expected, strict=True)
        expected = halved(expected)
    assert list(store.names(naming.WORK, "")) == []


def test_attempts_that_compress_to_other_bytes_are_not_mixed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fast deflate is not the same from run to run: here any TIFF tile is compressed one way or the other."""
    random, image, store = Random(11), textured(2100, 3001, 3), MemoryStore()

    def either_way(data: Array, compression: str, *, form: int, end: int) -> bytes:
        return deflated(data, random.choice(["fast", "small"]), form=form, end=end)

    monkeypatch.setattr(tiff, "deflated", either_way)
    monkeypatch.setattr(driver, "DELIVERED_TWICE", 1.0)
    monkeypatch.setattr(driver, "EFFORT", (*driver.EFFORT, "written", "size"))
    limits = Limits.from_json({"band_rows": 1024, "tile_columns": 1024})
    job, outcome = run_job(
        store, encode(image), [INVERT], Output(format="tiff", pyramid=True), limits=limits, random=Random(5)
    )
    assert outcome.state == "succeeded", outcome.fault
    expected = 255 - image
    for level in levels_of(store.read(naming.RESULTS, f"{job}.tif")):
        np.testing.assert_array_equal(level, expected, strict=True)
        expected = halved(expected)
