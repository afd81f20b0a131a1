"""Runs the real orchestrators and activities in one process, tasks in any order and some of them twice."""

import asyncio
from collections.abc import Awaitable, Coroutine, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import uuid4

from activities.store import Store
from tessera import naming
from tessera.messages import JobOrder, Outcome
from tessera.pipeline import bind
from tessera.plan import Output, Step
from tessera.planner import Limits
from tessera_local import driver
from tessera_local.driver import over_the_wire
from tessera_local.tasks import run_activity

DELIVERED_TWICE = 0.1
EFFORT = ("retried", "seconds", "platforms")


@dataclass
class Driver:
    """Runs the activities of one job; ``random`` shuffles those that go in parallel and repeats some."""

    store: Store
    limits: Limits
    random: Random

    def run(self, order: JobOrder) -> Outcome:
        """Run the job of *order* to its end."""
        return Outcome.from_json(asyncio.run(driver.drive("process_image", order.to_json(), self)))

    async def activity(self, name: str, data: Any) -> Any:
        first = self._activity(name, data)
        if self.random.random() < DELIVERED_TWICE:
            assert _without_effort(self._activity(name, data)) == _without_effort(first)
        return first

    async def all(self, tasks: Sequence[Awaitable[Any]]) -> list[Any]:
        order = list(range(len(tasks)))
        self.random.shuffle(order)
        try:
            results = {index: await tasks[index] for index in order}
        finally:
            for task in tasks:
                if isinstance(task, Coroutine):
                    task.close()
        return [results[index] for index in range(len(tasks))]

    def _activity(self, name: str, data: Any) -> Any:
        return over_the_wire(run_activity(name, over_the_wire(data), self.store, self.limits))


def run_job(
    store: Store,
    upload: bytes,
    pipeline: list[Step],
    output: Output | None = None,
    *,
    limits: Limits | None = None,
    random: Random | None = None,
    page: int = 0,
) -> tuple[str, Outcome]:
    """Upload *upload*, run its job to the end, and return the job's id and outcome."""
    job, name = uuid4().hex, uuid4().hex
    store.write(naming.UPLOADS, name, upload)
    store.write(naming.JOBS, naming.record(job), b"{}")
    steps = tuple(bound.step for bound in bind(pipeline))
    order = JobOrder(job=job, upload=name, pipeline=steps, output=output or Output(), page=page)
    runner = Driver(store, limits or Limits(), random or Random(0))
    return job, runner.run(order)


def _without_effort(data: Any) -> Any:
    """Drop what may differ between two runs of the same order: retries, seconds and machines."""
    if isinstance(data, dict):
        return {key: _without_effort(item) for key, item in data.items() if key not in EFFORT}
    return data
