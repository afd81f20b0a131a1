"""A job that is taken up again uses what is there, and gives the same bytes."""

from collections import Counter
from random import Random

import numpy as np
import pytest

from activities.cleanup import cleanup
from activities.survey import MOST_GAPS, gaps
from tessera import naming, reference
from tessera.codecs import codec_for
from tessera.messages import CleanupOrder, Fault, JobOrder, Outcome
from tessera.pipeline import bind
from tessera.plan import Output
from tessera.planner import Limits
from tests.support.driver import Driver, run_job
from tests.support.images import Image, decode, encode, textured
from tests.support.memory_store import MemoryStore
from tests.support.pipelines import canny, median_blur

PNG = encode(textured(500, 300))
PIPELINE = [median_blur(5), canny(40, 120)]
LIMITS = Limits(band_rows=64)


class ProcessDied(BaseException):
    """Stands for the end of the process in the middle of an activity: nothing after it runs."""


class BrittleStore(MemoryStore):
    """A store whose user dies after *last* blocks, or the ``most`` of a blob; it counts those put by blob."""

    def __init__(self, last: int) -> None:
        super().__init__()
        self.left = last
        self.put: Counter[str] = Counter()
        self.most: dict[str, int] = {}

    def put_block(self, container: str, name: str, block: str, data: bytes) -> None:
        blob = name.partition("/")[2] or "result"
        if self.left == 0 or self.put[blob] == self.most.get(blob):
            raise ProcessDied
        self.left -= 1
        self.put[blob] += 1
        super().put_block(container, name, block, data)


def undisturbed() -> tuple[Image, int]:
    """Return the pixels of the result, and how many blocks are put on the way."""
    store = BrittleStore(last=10**6)
    job, outcome = run_job(store, PNG, PIPELINE, limits=LIMITS)
    assert outcome.state == "succeeded"
    return decode(store.read(naming.RESULTS, naming.result(job, "png"))), sum(store.put.values())


EXPECTED, BLOCKS = undisturbed()


@pytest.mark.parametrize("death", range(0, BLOCKS, 3))
def test_wherever_a_job_ended_its_next_run_gives_the_same_bytes(death: int) -> None:
    store, job, upload = BrittleStore(last=death), "1" * 32, "2" * 32
    store.write(naming.UPLOADS, upload, PNG)
    store.write(naming.JOBS, naming.record(job), b"{}")
    steps = tuple(bound.step for bound in bind(PIPELINE))
    first = JobOrder(job=job, upload=upload, pipeline=steps, output=Output())
    with pytest.raises(ProcessDied):
        Driver(store, LIMITS, Random(death)).run(first)
    done = Counter(store.put)
    store.left = 10**6
    second = first.model_copy(update={"run": 2})
    outcome = Driver(store, LIMITS, Random(1)).run(second)
    assert outcome.state == "succeeded", outcome.fault
    np.testing.assert_array_equal(decode(store.read(naming.RESULTS, naming.result(job, "png"))), EXPECTED)
    assert outcome.tiles == 16
    if done["summaries-00"]:
        assert store.put["source"] == done["source"], "what was decoded is not decoded again"


OUTPUTS = [Output(), Output(format="tiff"), Output(format="tiff", pyramid=True)]


@pytest.mark.parametrize("output", OUTPUTS, ids=["png", "tiff", "pyramid"])
def test_a_job_whose_work_area_is_lost_comes_to_the_same_pixels(output: Output) -> None:
    image = textured(1300, 1800)
    store, job, upload = BrittleStore(last=10**6), "1" * 32, "2" * 32
    store.write(naming.UPLOADS, upload, encode(image))
    store.write(naming.JOBS, naming.record(job), b"{}")
    limits, name = Limits(band_rows=512, tile_columns=512), naming.result(job, codec_for(output).extension)
    first = JobOrder(job=job, upload=upload, pipeline=(median_blur(5),), output=output)
    store.most["result"] = 6
    with pytest.raises(ProcessDied):
        Driver(store, limits, Random(3)).run(first)
    for lost in list(store.names(naming.WORK, naming.work(job))):
        store.delete(naming.WORK, lost)
    store.most.clear()
    outcome = Driver(store, limits, Random(1)).run(first.model_copy(update={"run": 2}))
    assert outcome.state == "succeeded", outcome.fault
    made = decode(store.read(naming.RESULTS, name))
    np.testing.assert_array_equal(made, reference.run(image, [median_blur(5)]))


@pytest.mark.parametrize(("code", "kept"), [("gave-up", True), ("internal", True), ("corrupt-image", False)])
def test_what_can_be_used_again_is_kept(code: str, kept: bool) -> None:
    store = MemoryStore()
    job, name = "3" * 32, naming.result("3" * 32, "png")
    store.write(naming.JOBS, naming.record(job), b"{}")
    store.write(naming.WORK, naming.work(job, "source"), b"pixels")
    store.put_block(naming.RESULTS, name, "t", b"tile")
    fault = Fault(code=code, title="", detail="")
    ended = Outcome(state="failed", finished_at="", fault=fault)
    cleanup(CleanupOrder(job=job, upload=job, outcome=ended), store)
    assert store.exists(naming.WORK, naming.work(job, "source")) is kept
    assert bool(store.blocks(naming.RESULTS, name)) is kept


def test_many_gaps_are_joined_where_they_are_closest() -> None:
    random = Random(7)
    tiles = sorted(random.sample(range(5000), 400))
    ranges = gaps(tiles)
    assert len(ranges) == MOST_GAPS
    covered = {tile for first, last in ranges for tile in range(first, last)}
    assert covered >= set(tiles)
    assert ranges == sorted(ranges)
    assert gaps([]) == []
