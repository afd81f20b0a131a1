"""The worker processes of a host: started and retired by load, replaced when they die."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from emulator.console import Console
from emulator.errors import AppLoadError, EmulatorError, WorkerDiedError, WorkerKilledError
from emulator.processes import give_way
from emulator.settings import PoolLimits
from emulator.spawn import Spawner
from emulator.worker import HTTP, OTHERS, Worker

_LOOK_EVERY = 0.25
_BACKLOG_PATIENCE = 0.5
_LARGEST_RESTART_DELAY = 10.0
_FAILED_STARTS_ALLOWED = 5
_NICE = 10
"""For workers beside those for requests: here they share processors, on Azure they don't."""


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
        self._spawner = Spawner(app, environment)
        self._limits = limits
        self._console = console
        self._on_failure = on_failure
        self.workers: list[Worker] = []
        # Set once the engine exists: whether work waits, and what to do when a slot or a worker becomes free.
        self.has_backlog: Callable[[], bool] = lambda: False
        self.on_change: Callable[[], None] = lambda: None
        self._backlog_since: float | None = None
        self._failed_starts = 0
        self._starting: Counter[str] = Counter()
        self._look_now = asyncio.Event()
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
        for attempt in range(1, _FAILED_STARTS_ALLOWED + 1):
            try:
                report = await self._start_one(OTHERS)
            except WorkerDiedError as error:
                if attempt == _FAILED_STARTS_ALLOWED:
                    raise
                self._console.say(f"{error}; starting another")
            else:
                self._spawn_task(self._scale())
                return report
        raise AssertionError("unreachable")

    async def close(self) -> None:
        """End all workers; what they run is given up (and runs again after the next start)."""
        for task in self._tasks:
            task.cancel()
        for worker in self.workers:
            worker.kill()
        await asyncio.gather(*(worker.ended.wait() for worker in self.workers if worker.state != "starting"))
        await self._spawner.close()

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
        candidates = self._running(HTTP if kind == HTTP and self._limits.http else OTHERS)
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

    def _running(self, group: str) -> list[Worker]:
        return [worker for worker in self.workers if worker.state == "running" and worker.group == group]

    async def _start_one(self, group: str) -> Mapping[str, Any]:
        worker = await self._spawner.spawn(self._console)
        worker.group = group
        if self._limits.http and group == OTHERS:
            give_way(worker.pid, _NICE)
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
        if not worker.expected_end:
            self._console.say(f"worker process {worker.pid} ended with exit code {worker.process.returncode}")
        self._look_now.set()
        self._changed()

    async def _add(self, group: str) -> None:
        try:
            if self._failed_starts:
                doublings = min(self._failed_starts - 1, _FAILED_STARTS_ALLOWED)
                await asyncio.sleep(min(_LARGEST_RESTART_DELAY, 2.0**doublings))
            await self._start_one(group)
        except (AppLoadError, WorkerDiedError, OSError) as error:
            self._failed_starts += 1
            self._console.say(str(error))
            if self._is_hopeless(error) and not self._running(group):
                self._on_failure(error if isinstance(error, EmulatorError) else WorkerDiedError(str(error)))
        finally:
            self._starting[group] -= 1

    def _is_hopeless(self, error: Exception) -> bool:
        too_often = self._failed_starts >= _FAILED_STARTS_ALLOWED
        return isinstance(error, AppLoadError) or (too_often and not isinstance(error, WorkerKilledError))

    async def _scale(self) -> None:
        """Replace workers that died, add one while there is a backlog, retire those that are idle."""
        while True:
            missing = {OTHERS: self._missing(), HTTP: self._limits.http - self._present(HTTP)}
            for group in Counter(missing).elements():
                self._starting[group] += 1
                self._spawn_task(self._add(group))
            self._retire_idle()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._look_now.wait(), _LOOK_EVERY)
            self._look_now.clear()

    def _present(self, group: str) -> int:
        return len(self._running(group)) + self._starting[group]

    def _missing(self) -> int:
        """Count the workers to start now for all but requests."""
        now = time.monotonic()
        if not self.has_backlog():
            self._backlog_since = None
        elif self._backlog_since is None:
            self._backlog_since = now
        present = self._present(OTHERS)
        if present < self._limits.least:
            return self._limits.least - present
        waited = self._backlog_since is not None and now - self._backlog_since >= _BACKLOG_PATIENCE
        if not waited or self._starting[OTHERS] or present >= self._limits.most:
            return 0
        self._backlog_since = None
        return 1

    def _retire_idle(self) -> None:
        running = self._running(OTHERS)
        spare = len(running) - self._limits.least
        for worker in reversed(running):
            idle = time.monotonic() - worker.idle_since
            if spare > 0 and not worker.taken.total() and idle > self._limits.idle_seconds:
                spare -= 1
                worker.retire()

    def _spawn_task(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
