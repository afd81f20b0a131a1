"""Short drills on the whole stack for real: the long ones are `make drill` and `make load`."""

import asyncio
import random
from pathlib import Path

from drill import faults, load, report
from drill.kinds import OF_CALLS, REDELIVER


def test_jobs_survive_what_happens_to_storage_workers_and_host(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    plan = faults.Plan(jobs=18, seed=seed, largest=0.5, strike_every=2, tile_pixels=120_000, workers=3)
    found = asyncio.run(faults.drill(plan, tmp_path))
    print(report.page(found))
    assert found.wrong == []
    assert len(found.runs) == plan.jobs
    struck = {fault.kind for fault in found.faults} - set(OF_CALLS)
    # Each kind falls once in nine; the last may find no activity left to deliver twice.
    assert len(struck | {REDELIVER}) == 9
    assert sum(fault.kind in OF_CALLS for fault in found.faults) > 10


def test_more_jobs_than_are_let_in_are_sent_away_and_come_again(tmp_path: Path) -> None:
    plan = load.Plan(customers=5, jobs=2, pollers=6, minutes=0.0)
    found = asyncio.run(load.run(plan, tmp_path))
    print(load.page(found))
    assert found.wrong == []
    assert found.done == plan.customers
    assert found.answers[429] > 0
    assert len(found.status_seconds) >= plan.customers
    assert max(found.answers) < 500
