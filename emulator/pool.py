"""The worker processes of a host: started and retired by load, replaced when they die."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator.console import Console
from emulator.errors import AppLoadError, EmulatorError, WorkerDiedError
from emulator.worker import Worker, spawn

_LOOK_EVERY = 0.25
_BACKLOG_PATIENCE = 0.5
_IDLE_GRACE = 30.0
_LARGEST_RESTART_DELAY = 10.0
_FAILED_STARTS_ALLOWED = 5


@dataclass(frozen=True)
class PoolLimits:
    """How many workers, and how many functions of a kind at once in each (by trigger type)."""

    least: int
    most: int
    slots: Mapping[str, int]


class WorkerPool:
    """Keeps between ``limits.least`` and ``limits.most`` workers running.

    Parameters
    ----------
    app
        The app folder.
    environment
        Environment of the workers.
    limits
        Numbers of workers and slots.
    console
        Where the workers' logs and the pool's messages go.
    on_failure
        Called with the error when the app can't be run at all any more.
    """

    def __init__(
        self,
        app: Path,
        environment: Mapping[str, str],
        limits: PoolLimits,
        console: Console,
        on_failure: Callable[[EmulatorError], None],
    ) -> None:
        self._app = app
        self._environment = environment
        self._limits = limits
        self._console = console
        self._say = console.say
        self._on_failure = on_failure
        self.workers: list[Worker] = []
        # Set once the engine exists: whether work waits, and what to do when a slot or a worker becomes free.
        self.has_backlog: Callable[[], bool] = lambda: False
        self.on_change: Callable[[], None] = lambda: None
        self._backlog_since: float | None = None
        self._failed_starts = 0
        self._closing = False
        self._waiting: list[asyncio.Future[None]] = []
        self._tasks: set[asyncio.Task[Any]] = set()

    async def open(self) -> Mapping[str, Any]:
        """Start the first worker, and the others without waiting for them.

        Returns
        -------
        Mapping
            The first worker's report on the app's functions.

        Raises
        ------
        AppLoadError
            When the app can't be imported or indexed.
        WorkerDiedError
            When workers keep ending while they start.
        """
        while True:
            try:
                report = await self._start_one()
                break
            except WorkerDiedError as error:
                self._failed_starts += 1
                if self._failed_starts >= _FAILED_STARTS_ALLOWED:
                    raise
                self._say(f"{error}; starting another")
        self._spawn_task(self._scale())
        return report

    async def close(self) -> None:
        """End all workers; what they run is given up (and runs again after the next start)."""
        self._closing = True
        for task in self._tasks:
            task.cancel()
        for worker in self.workers:
            worker.kill()
        await asyncio.gather(*(worker.ended.wait() for worker in self.workers if worker.state != "starting"))

    def take(self, kind: str) -> Worker | None:
        """Take a slot of the least busy worker that has a free one.

        Parameters
        ----------
        kind
            Trigger type; kinds without a limit always have a free slot.

        Returns
        -------
        Worker or None
            None when every slot is taken.
        """
        slots = self._limits.slots.get(kind)
        candidates = [worker for worker in self.workers if worker.state == "running"]
        if slots is not None:
            candidates = [worker for worker in candidates if worker.taken[kind] < slots]
        if not candidates:
            return None
        worker = min(candidates, key=lambda worker: (worker.taken[kind], worker.taken.total()))
        worker.taken[kind] += 1
        return worker

    def give_back(self, worker: Worker, kind: str) -> None:
        """Free a slot.

        Parameters
        ----------
        worker, kind
            What `take` or `wait_for_slot` was given and gave.
        """
        worker.taken[kind] -= 1
        self._changed()

    async def wait_for_slot(self, kind: str) -> Worker:
        """Take a slot as `take` does, waiting for one if there is none.

        Parameters
        ----------
        kind
            Trigger type.

        Returns
        -------
        Worker
            The worker whose slot was taken.
        """
        while (worker := self.take(kind)) is None:
            future = asyncio.get_running_loop().create_future()
            self._waiting.append(future)
            await future
        return worker

    def _changed(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)
        self.on_change()

    async def _start_one(self) -> Mapping[str, Any]:
        worker = await spawn(self._app, self._environment, self._console)
        self.workers.append(worker)
        try:
            report = await worker.start()
        except BaseException:
            worker.kill()
            self.workers.remove(worker)
            raise
        self._failed_starts = 0
        self._spawn_task(self._watch(worker))
        self._changed()
        return report

    async def _watch(self, worker: Worker) -> None:
        await worker.ended.wait()
        self.workers.remove(worker)
        if not self._closing and not worker.expected_end:
            self._say(f"worker process {worker.pid} ended with exit code {worker.process.returncode}")
            self._spawn_task(self._replace())
        self._changed()

    async def _replace(self) -> None:
        if len(self.workers) < max(1, self._limits.least):
            await self._add()

    async def _add(self) -> None:
        delay = min(_LARGEST_RESTART_DELAY, 0.5 * 2**self._failed_starts) if self._failed_starts else 0
        await asyncio.sleep(delay)
        try:
            await self._start_one()
        except (AppLoadError, WorkerDiedError, OSError) as error:
            self._failed_starts += 1
            self._say(str(error))
            if any(worker.state == "running" for worker in self.workers):
                return
            if isinstance(error, AppLoadError) or self._failed_starts >= _FAILED_STARTS_ALLOWED:
                self._on_failure(error if isinstance(error, EmulatorError) else WorkerDiedError(str(error)))

    async def _scale(self) -> None:
        """Add a worker while there is a backlog, retire idle ones after a while."""
        while True:
            now = time.monotonic()
            running = [worker for worker in self.workers if worker.state == "running"]
            starting = len(self.workers) - len(running)
            if not self.has_backlog():
                self._backlog_since = None
            elif self._backlog_since is None:
                self._backlog_since = now
            waited = self._backlog_since is not None and now - self._backlog_since >= _BACKLOG_PATIENCE
            wanted = len(running) + 1 if waited else self._limits.least
            if not starting and len(running) < min(wanted, self._limits.most):
                self._backlog_since = None
                await self._add()
            elif len(running) > self._limits.least:
                idle = [w for w in running if not w.taken.total() and now - w.idle_since > _IDLE_GRACE]
                if idle:
                    idle[-1].retire()
            await asyncio.sleep(_LOOK_EVERY)

    def _spawn_task(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
