"""A stack whose parts can be made to fail one by one: Azurite, the proxy before it, the host, its workers."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import httpx
import psutil

from drill.ledger import Ledger
from drill.proxy import StorageProxy
from drill.storage_faults import StorageFaults
from emulator.azurite import Azurite
from emulator.ports import free_port
from emulator.processes import dies_with

ROOT = Path(__file__).resolve().parent.parent
_HOST = "127.0.0.1"
_START_SECONDS = 60.0
_STOP_SECONDS = 15.0
CLOCKS = Path(__file__).with_name("skewed_clock")
DURABLE = "/runtime/webhooks/durabletask"


class StackFailed(Exception):
    """A part of the stack didn't start; the message says which, and where its log is."""


class Stack:
    """Azurite, a proxy, an emulator and workers, for the length of an ``async with`` block.

    Parameters
    ----------
    folder : Path
        Where data, state and logs go.
    faults : StorageFaults, optional
        What the proxy does to calls; None to call storage without it.
    ledger : Ledger
    workers : int
        Worker processes.
    settings : mapping
        App settings.
    http_workers : int
        Worker processes more that serve requests alone.
    """

    def __init__(
        self,
        folder: Path,
        faults: StorageFaults | None,
        ledger: Ledger,
        workers: int,
        settings: Mapping[str, str],
        http_workers: int = 0,
    ) -> None:
        self.folder = folder
        self._workers, self._http_workers = workers, http_workers
        self._settings = settings
        self._azurite_port, self._host_port = free_port(_HOST), free_port(_HOST)
        self.azurite_data = folder / "azurite"
        self.azurite = Azurite(self.azurite_data, self._azurite_port, ROOT, lambda _: None)
        self._faults, self.proxy = (
            faults,
            StorageProxy(self._azurite_port, faults or StorageFaults(0.0, 0), ledger),
        )
        self.host: subprocess.Popen[bytes] | None = None
        self.seen: dict[int, float] = {}

    @property
    def url(self) -> str:
        """Address of the functions' host."""
        return f"http://{_HOST}:{self._host_port}"

    @property
    def storage(self) -> str:
        """Connection string of Azurite itself, past the proxy."""
        return self.azurite.connection_string

    @property
    def log(self) -> Path:
        """What host and workers print."""
        return self.folder / "host.log"

    @property
    def clock_offset(self) -> Path:
        """File whose offset in seconds the next worker that starts takes for its clock."""
        return self.folder / "clock-offset"

    async def __aenter__(self) -> Self:
        self._http = httpx.AsyncClient(base_url=self.url, timeout=5)
        self._others = {process.pid for process in psutil.Process().children()}
        await self.azurite.start()
        await self.proxy.start()
        try:
            await self.start_host()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self.note_processes()
        await self._http.aclose()
        if self.host is not None and self.host.poll() is None:
            self.host.terminate()
            await asyncio.to_thread(self._wait_for_host)
        await self.proxy.close()
        await self.azurite.close()

    async def start_host(self) -> None:
        """Start the host on the state of the one before, and wait until it serves.

        Raises
        ------
        StackFailed
            If it ends, or isn't ready within a minute.
        """
        ready = self.folder / "ready.json"
        ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", "emulator", "start", "--app", str(ROOT)]
        command += ["--port", str(self._host_port), "--state", str(self.folder / "state.sqlite")]
        command += ["--min-workers", str(self._workers), "--max-workers", str(self._workers)]
        command += ["--http-workers", str(self._http_workers), "--ready-file", str(ready)]
        with self.log.open("ab") as output:
            self.host = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=dies_with(os.getpid(), signal.SIGTERM),
            )
        deadline = time.monotonic() + _START_SECONDS
        while not ready.exists():
            if self.host.poll() is not None or time.monotonic() > deadline:
                raise StackFailed(f"the host didn't start; see {self.log}")
            await asyncio.sleep(0.05)

    async def worker_pids(self) -> list[int]:
        """Return the process ids of the workers that serve; none while the host is away."""
        with suppress(httpx.TransportError, json.JSONDecodeError):
            answer = await self._http.get("/admin/emulator/workers")
            self.note_processes()
            return [worker["pid"] for worker in answer.json() if worker["state"] == "running"]
        return []

    async def redeliver(self, pid: int) -> list[str]:
        """Have what a worker runs delivered to another too, and return the activities' names."""
        with suppress(httpx.TransportError, json.JSONDecodeError):
            answer = await self._http.post(f"/admin/emulator/workers/{pid}/redeliver")
            names: list[str] = answer.json()
            return names
        return []

    async def unfinished(self) -> list[dict[str, Any]]:
        """Return the orchestrations that aren't over."""
        query = {"runtimeStatus": "Running,Pending,ContinuedAsNew,Suspended", "showInput": "false"}
        found: list[dict[str, Any]] = (await self._http.get(f"{DURABLE}/instances", params=query)).json()
        return found

    def note_processes(self) -> None:
        """Remember every process below this one that came with the stack, for `left_processes`."""
        for child in psutil.Process().children():
            if child.pid in self._others:
                continue
            with suppress(psutil.Error):
                for process in (child, *child.children(recursive=True)):
                    self.seen[process.pid] = process.create_time()

    def left_processes(self) -> list[str]:
        """Return the processes of the stack that are still there."""
        left = []
        for pid, created in self.seen.items():
            with suppress(psutil.Error):
                process = psutil.Process(pid)
                if process.create_time() == created and process.status() != psutil.STATUS_ZOMBIE:
                    left.append(f"{pid} {' '.join(process.cmdline())[:120]}")
        return left

    def _environment(self) -> dict[str, str]:
        account = self.azurite.connection_string
        if self._faults is not None:
            account = account.replace(f":{self._azurite_port}/", f":{self.proxy.port}/")
        return {
            **os.environ,
            **self._settings,
            "AzureWebJobsStorage": account,
            "PYTHONPATH": str(CLOCKS),
            "DRILL_CLOCK_OFFSET": str(self.clock_offset),
        }

    def _wait_for_host(self) -> None:
        assert self.host is not None
        try:
            self.host.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.host.kill()
            self.host.wait()
