"""What receipts reckon with is near what a job does to storage."""

import json
from collections.abc import Sequence

import pytest

from benchmarks.job_cost import PIPELINES
from tessera import naming, receipts
from tessera.plan import Output, Plan, Step
from tessera.planner import Limits
from tessera.prices import DEFAULT
from tests.support.counting_store import CountingStore, EachOnce
from tests.support.driver import run_job
from tests.support.images import encode, textured

PHOTO = encode(textured(2801, 2000), ".jpg")
TILES = Limits(min_tile_pixels=30_000, max_tile_pixels=60_000)


@pytest.mark.parametrize("format", ["png", "tiff"])
@pytest.mark.parametrize("pipeline", PIPELINES.values(), ids=PIPELINES)
def test_operations_of_a_receipt_are_within_twice_those_of_a_job(
    pipeline: Sequence[Step], format: str
) -> None:
    store = CountingStore()
    job, outcome = run_job(
        store,
        PHOTO,
        list(pipeline),
        Output.model_validate({"format": format}),
        limits=TILES,
        random=EachOnce(),
    )
    plan = Plan.from_json(json.loads(store.read(naming.JOBS, naming.plan(job))))
    assert plan.tiles == outcome.tiles > 5
    work = receipts.Work(tasks=receipts.task_count(plan), busy=outcome.busy)
    receipt = receipts.receipt(work, 2.0, DEFAULT)
    assert store.priced_reads / 2 < receipt.reads < store.priced_reads * 2
    assert store.priced_writes / 2 < receipt.writes < store.priced_writes * 2
