"""Worker processes, started as there is work for them; one that dies takes its task back to the queue."""

import asyncio
import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from activities.attempts import MOST_ATTEMPTS
from tessera_local.errors import WorkerFailed

_LONGEST_LINE = 64 << 20
_MOST_DELIVERIES = MOST_ATTEMPTS + 2
"""A task that counts its attempts gives up earlier, by itself."""
_TRIES = 3
_FIRST_PAUSE = 0.2
_LOG = "workers.log"
_LONGEST_REASON = 500
_ENVIRONMENT = {
    # One task a process and one process a core, as on Azure; the memory settings are those of the app.
    "VIPS_CONCURRENCY": "1",
    "MALLOC_ARENA_MAX": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_MMAP_THRESHOLD_": str(24 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(64 << 20),
    "PYTHONSAFEPATH": "1",
}


class _Died(Exception):
    """The process ended before it replied."""


class _Worker:
    """One process that does one task at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, folder: Path, limits: str) -> Self:
        command = [sys.executable, "-m", "tessera_local.worker", str(folder), limits]
        with (folder / _LOG).open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                limit=_LONGEST_LINE,
                env=os.environ | _ENVIRONMENT | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                # Ctrl-C is for the process that started it, which then ends this one.
                start_new_session=True,
            )
        return cls(process)

    async def ask(self, name: str, data: Any) -> dict[str, Any]:
        reader, writer = self._process.stdout, self._process.stdin
        assert reader is not None
        assert writer is not None
        try:
            writer.write(json.dumps([name, data]).encode() + b"\n")
            await writer.drain()
            line = await reader.readline()
        except (ConnectionError, ValueError) as broken:
            raise _Died from broken
        if not line.endswith(b"\n"):
            raise _Died
        reply: dict[str, Any] = json.loads(line)
        return reply

    async def end(self) -> str:
        """End the process if it still runs, and say how it ended."""
        with suppress(ProcessLookupError):
            self._process.kill()
        # Reads and closes the pipes too, before the loop that they belong to ends.
        with suppress(RuntimeError):
            await self._process.communicate()
        code = await self._process.wait()
        if code >= 0:
            return f"exit code {code}"
        with suppress(ValueError):
            return signal.Signals(-code).name
        return f"signal {-code}"


class Pool:
    """Up to *size* worker processes over the store in *folder*; use it as an asynchronous context manager.

    *limits* is a `tessera.planner.Limits` as JSON. Leaving it ends them at once, whatever they do.
    """

    def __init__(self, size: int, folder: Path, limits: str) -> None:
        self._folder = folder
        self._limits = limits
        # None is a process that isn't running yet; the last one back is the first one taken.
        self._idle: asyncio.LifoQueue[_Worker | None] = asyncio.LifoQueue()
        for _ in range(size):
            self._idle.put_nowait(None)
        self._running: set[_Worker] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(worker.end() for worker in self._running))

    async def activity(self, name: str, data: Any) -> dict[str, Any]:
        """Run an activity on an order in parsed JSON, and return its reply.

        Raises
        ------
        WorkerFailed
            When the activity raises, or its process dies, each time it is tried.
        """
        tries, deliveries = 0, 0
        while True:
            deliveries += 1
            try:
                reply = await self._once(name, data)
            except _Died as died:
                if deliveries == _MOST_DELIVERIES:
                    raise WorkerFailed(f"{name} ends its process each time ({died}){self._log()}") from None
                continue
            if "error" not in reply:
                return reply
            tries += 1
            if tries == _TRIES:
                raise WorkerFailed(f"{name} fails each time: {reply['error']}")
            await asyncio.sleep(_FIRST_PAUSE * 2**tries)

    async def _once(self, name: str, data: Any) -> dict[str, Any]:
        worker = await self._idle.get()
        back: _Worker | None = None
        try:
            if worker is None:
                worker = await _Worker.start(self._folder, self._limits)
                self._running.add(worker)
            reply = await worker.ask(name, data)
            back = worker
            return reply
        except _Died as died:
            assert worker is not None
            how = await worker.end()
            self._running.discard(worker)
            raise _Died(how) from died
        finally:
            self._idle.put_nowait(back)

    def _log(self) -> str:
        """Return the last line that a worker left, where an error stands."""
        lines = (self._folder / _LOG).read_text(errors="replace").strip().splitlines()
        return f": {lines[-1][-_LONGEST_REASON:]}" if lines else ""
