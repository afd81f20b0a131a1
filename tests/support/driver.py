"""Runs the real orchestrators and activities in one process, tasks in any order and some of them twice."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import uuid4

from activities.cleanup import cleanup
from activities.ingest import ingest
from activities.inspect_upload import inspect_upload
from activities.process_direct import process_direct
from activities.process_tile import process_tile
from activities.reduce import reduce
from activities.replies import reply
from activities.stitch import stitch
from activities.store import Store
from orchestrations.process_image import process_image
from orchestrations.process_tiles import process_tiles
from tessera import naming
from tessera.messages import (
    CleanupOrder,
    DirectOrder,
    IngestOrder,
    JobOrder,
    Outcome,
    ReduceOrder,
    StitchOrder,
    TileOrder,
)
from tessera.pipeline import bind
from tessera.plan import Message, Output, Step
from tessera.planner import Limits

_DELIVERED_TWICE = 0.1

type Activity = Callable[[Any, Store], Message | None]

ACTIVITIES: dict[str, tuple[Activity, type[Message]]] = {
    "ingest": (ingest, IngestOrder),
    "process_direct": (process_direct, DirectOrder),
    "process_tile": (process_tile, TileOrder),
    "reduce": (reduce, ReduceOrder),
    "stitch": (stitch, StitchOrder),
    "cleanup": (cleanup, CleanupOrder),
}


@dataclass
class Driver:
    """One run of one orchestrator. ``random`` shuffles tasks that go in parallel and repeats some."""

    store: Store
    limits: Limits
    random: Random
    input: Any = None
    current_utc_datetime: datetime = field(default_factory=lambda: datetime.now(UTC))

    def get_input(self) -> Any:
        return self.input

    def call_activity_with_retry(self, name: str, _retry: object, data: Any) -> Callable[[], Any]:
        def run() -> Any:
            first = self._activity(name, data)
            if self.random.random() < _DELIVERED_TWICE:
                assert _without_effort(self._activity(name, data)) == _without_effort(first)
            return first

        return run

    def call_sub_orchestrator(self, name: str, data: Any) -> Callable[[], Any]:
        assert name == "process_tiles"
        return lambda: Driver(self.store, self.limits, self.random, _over_the_wire(data)).run(process_tiles)

    def task_all(self, tasks: list[Callable[[], Any]]) -> Callable[[], list[Any]]:
        def run() -> list[Any]:
            order = list(range(len(tasks)))
            self.random.shuffle(order)
            results = {index: tasks[index]() for index in order}
            return [results[index] for index in range(len(tasks))]

        return run

    def run(self, orchestrator: Callable[[Any, Any], Any]) -> Any:
        generator = orchestrator(self, None)
        try:
            task = next(generator)
            while True:
                task = generator.send(task())
        except StopIteration as stop:
            return _over_the_wire(stop.value)

    def _activity(self, name: str, data: Any) -> Any:
        data = _over_the_wire(data)
        if name == "inspect_upload":
            return _over_the_wire(
                reply(lambda order: inspect_upload(order, self.store, self.limits), JobOrder, data)
            )
        activity, order_type = ACTIVITIES[name]
        return _over_the_wire(reply(lambda order: activity(order, self.store), order_type, data))


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
    driver = Driver(store, limits or Limits(), random or Random(0), order.to_json())
    return job, Outcome.from_json(driver.run(process_image))


def _over_the_wire(data: Any) -> Any:
    return json.loads(json.dumps(data))


def _without_effort(data: Any) -> Any:
    """Drop what may differ between two runs of the same order: retries and seconds."""
    if isinstance(data, dict):
        return {key: _without_effort(item) for key, item in data.items() if key not in ("retried", "seconds")}
    return data
