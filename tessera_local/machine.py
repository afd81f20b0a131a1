"""Jobs on this machine: a store in a temporary folder, and the workers that all jobs share."""

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Self
from uuid import uuid4

from pydantic import ValidationError

from activities.store import BlobMissing
from tessera import naming
from tessera.messages import Fault, JobOrder, Outcome
from tessera.plan import Output, Plan, Step
from tessera_local.driver import drive
from tessera_local.errors import InputUnusable
from tessera_local.job import JobRunner, Progress
from tessera_local.pool import Pool
from tessera_local.store import FolderStore

if TYPE_CHECKING:
    # Its module loads NumPy and OpenCV, which only the workers need.
    from tessera.planner import Limits

_MIN_TILE_PIXELS = 2 << 20


@dataclass(frozen=True)
class Order:
    """What is to be done with one image: a file, the steps and the output, both as the API's JSON.

    *page* is that of the file, from 0.
    """

    source: Path
    pipeline: Sequence[Mapping[str, Any]]
    output: Mapping[str, Any] = field(default_factory=dict)
    page: int = 0


@dataclass(frozen=True)
class Finished:
    """How a job ended.

    *plan* is there unless inspecting failed, *cause* tells what made a task fail that may be mended, and
    *reports* are the documents that some operations make, by their place in the pipeline.
    """

    job: str
    outcome: Outcome
    plan: Plan | None
    cause: str | None
    reports: Mapping[int, Any]


class Machine:
    """Runs jobs in worker processes; use it as an asynchronous context manager.

    Any number of jobs may run at the same time: they share the workers. Leaving it ends the workers and
    removes the temporary folder, also when the program is interrupted; should this process be killed, the
    workers notice, remove the folder and end.

    Parameters
    ----------
    processes : int, optional
        At most so many workers; default: one for each processor this process may use.
    folder : Path, optional
        Where the temporary folder is made; default: the system's place.
    limits : tessera.planner.Limits, optional
        What one job may take; by default as the service, but with as many instances as there are workers,
        and smaller tiles: a task costs less here.
    """

    def __init__(
        self, processes: int | None = None, folder: Path | None = None, limits: "Limits | None" = None
    ) -> None:
        self._processes = processes or os.process_cpu_count() or 1
        self._parent = folder
        own = {"instances": self._processes, "min_tile_pixels": _MIN_TILE_PIXELS}
        self._limits = limits.model_dump_json() if limits else json.dumps(own)
        self._exits = AsyncExitStack()

    async def __aenter__(self) -> Self:
        made = tempfile.TemporaryDirectory(prefix="tessera-", dir=self._parent, ignore_cleanup_errors=True)
        self._folder = Path(self._exits.enter_context(made))
        self._store = FolderStore(self._folder)
        self._pool = await self._exits.enter_async_context(Pool(self._processes, self._folder, self._limits))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._exits.aclose()

    async def run(self, order: Order, on_progress: Callable[[Progress], None] | None = None) -> Finished:
        """Run a job to its end; its result stays until the machine is left or `forget` is called.

        Raises
        ------
        InputUnusable
            When the file can't be read, or the pipeline or the output isn't written as the API takes it.
        WorkerFailed
            When not even the end of the job could be recorded, for instance because no worker starts.
        """
        ordered = self._take(order)
        runner = JobRunner(self._pool, self._folder, on_progress or (lambda progress: None))
        outcome = Outcome.from_json(await drive("process_image", ordered.to_json(), runner))
        reports = dict(self._reports(ordered))
        return Finished(ordered.job, outcome, runner.plan, runner.cause, reports)

    async def plan(self, order: Order) -> Plan | Fault:
        """Return the plan of a job without running it, or the fault for which there would be none.

        Raises
        ------
        InputUnusable
            As for `run`.
        WorkerFailed
            When the worker dies each time it looks at the image.
        """
        reply = await self._pool.activity("inspect_upload", self._take(order).to_json())
        return Plan.from_json(reply["value"]) if "value" in reply else Fault.from_json(reply["fault"])

    def export(self, job: str, target: BinaryIO) -> int:
        """Write the result of a job that succeeded to an open file, and return its size in bytes."""
        pictures = {naming.preview(job, of) for of in ("input", "result")}
        (name,) = set(self._store.names(naming.RESULTS, job)) - pictures
        return self._store.export(naming.RESULTS, name, target)

    def discard(self, job: str) -> None:
        """Remove all of a job that is over: its space is free for others."""
        areas = ((naming.WORK, naming.work(job)), (naming.RESULTS, job), (naming.JOBS, f"{job}/"))
        for container, prefix in areas:
            for name in self._store.names(container, prefix):
                self._store.delete(container, name)

    def _reports(self, ordered: JobOrder) -> Iterator[tuple[int, Any]]:
        for place in range(len(ordered.pipeline)):
            with suppress(BlobMissing):
                yield place, json.loads(self._store.read(naming.JOBS, naming.report(ordered.job, place)))

    def _take(self, order: Order) -> JobOrder:
        """Record a job whose upload is the file itself, where it is."""
        job, upload = uuid4().hex, uuid4().hex
        try:
            pipeline = tuple(Step.from_json(dict(step)) for step in order.pipeline)
            output = Output.from_json(dict(order.output))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = "/".join(str(part) for part in first["loc"])
            raise InputUnusable(f"{place}: {first['msg']}") from None
        try:
            with order.source.open("rb"):
                self._store.adopt(naming.UPLOADS, upload, order.source)
        except OSError as unreadable:
            raise InputUnusable(f"cannot read {order.source}: {unreadable.strerror}") from unreadable
        self._store.write(naming.JOBS, naming.record(job), b"{}")
        return JobOrder(job=job, upload=upload, page=order.page, pipeline=pipeline, output=output)
