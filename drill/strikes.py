"""Faults of processes, disk, clock and containers: each method strikes once and tells the ledger."""

import asyncio
import os
import random
import resource
import signal
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress

import psutil
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobServiceClient

from drill import kinds
from drill.ledger import Ledger
from drill.stack import Stack
from tessera import naming

_LEASE_SECONDS = 2.0
_MARKS = "drill"
"""A container of blobs by which the drill sees what Azurite has written down."""
_FULL_SECONDS = 3.0
_SHIFTED_SECONDS = 6.0
_PATIENCE = 30.0
_HOUR = 3600.0


class Striker:
    """Makes parts of a stack fail.

    Parameters
    ----------
    stack : Stack
    ledger : Ledger
    seed : int
        Chooses victims.
    """

    def __init__(self, stack: Stack, ledger: Ledger, seed: int) -> None:
        self._stack = stack
        self._ledger = ledger
        self._random = random.Random(seed)
        self._strikes: Mapping[str, Callable[[], Awaitable[None]]] = {
            kinds.KILL_WORKER: self._kill_worker,
            kinds.KILL_ALL: self._kill_all,
            kinds.KILL_HOST: self._kill_host,
            kinds.KILL_STORAGE: self._kill_storage,
            kinds.PAUSE: self._pause,
            kinds.REDELIVER: self._redeliver,
            kinds.FULL_DISK: self._fill_disk,
            kinds.CLOCK: self._shift_clock,
            kinds.NO_CONTAINER: self._delete_container,
        }

    def kinds(self) -> Iterator[str]:
        """Yield kinds for ever: all of them in one order, then all in another."""
        while True:
            yield from self._random.sample(sorted(self._strikes), len(self._strikes))

    async def strike(self, kind: str) -> None:
        """Let one fault of this kind happen, and return when its cause is gone."""
        await self._strikes[kind]()

    async def _kill_worker(self) -> None:
        pid = await self._victim()
        _signalled(pid, signal.SIGKILL)
        self._ledger.note(kinds.KILL_WORKER, str(pid))

    async def _kill_all(self) -> None:
        await self._victim()
        pids = await self._stack.worker_pids()
        for pid in pids:
            _signalled(pid, signal.SIGKILL)
        self._ledger.note(kinds.KILL_ALL, " ".join(map(str, pids)))

    async def _kill_host(self) -> None:
        host, began = self._stack.host, time.time()
        assert host is not None
        self._stack.note_processes()
        host.kill()
        await asyncio.to_thread(host.wait)
        await self._stack.start_host()
        self._ledger.note(kinds.KILL_HOST, str(host.pid), began)

    async def _kill_storage(self) -> None:
        proxy, azurite = self._stack.proxy, self._stack.azurite
        await proxy.hold_writes()
        await self._index_is_written()
        pid, began = azurite.pid, time.time()
        assert pid is not None
        _signalled(pid, signal.SIGKILL)
        await _until(lambda: azurite.pid != pid and azurite.answers)
        proxy.drop_held()
        self._ledger.note(kinds.KILL_STORAGE, str(pid), began)

    async def _index_is_written(self) -> None:
        """Wait until what Azurite holds is on its disk.

        It writes its index every few seconds if something has changed, and takes it for written even where
        the disk was full; what came later it would lose, as no real storage does.
        """
        mark, data = uuid.uuid4().hex, self._stack.azurite_data
        index, extents = data / "__azurite_db_blob__.json", data / "__azurite_db_blob_extent__.json"
        before = extents.stat().st_mtime_ns
        with BlobServiceClient.from_connection_string(self._stack.storage) as blobs:
            with suppress(ResourceExistsError):
                await asyncio.to_thread(blobs.create_container, _MARKS)
            await asyncio.to_thread(blobs.get_blob_client(_MARKS, mark).upload_blob, b"written")
        await _until(lambda: mark in index.read_text() and extents.stat().st_mtime_ns > before)

    async def _pause(self) -> None:
        pid, began = await self._victim(), time.time()
        while not _signalled(pid, signal.SIGSTOP):
            # It was killed just before, and the host doesn't know yet.
            pid, began = await self._victim(), time.time()
        await asyncio.sleep(_LEASE_SECONDS)
        names = await self._stack.redeliver(pid)
        await asyncio.sleep(_LEASE_SECONDS)
        _signalled(pid, signal.SIGCONT)
        self._ledger.note(kinds.PAUSE, f"{pid} {' '.join(names)}", began)

    async def _redeliver(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            pids = await self._stack.worker_pids()
            for pid in self._random.sample(pids, len(pids)):
                if names := await self._stack.redeliver(pid):
                    self._ledger.note(kinds.REDELIVER, " ".join(names))
                    return
            await asyncio.sleep(0.02)

    async def _fill_disk(self) -> None:
        """No file of Azurite can grow: its writes fail as they do on a full disk."""
        assert self._stack.azurite.pid is not None
        azurite, began = psutil.Process(self._stack.azurite.pid), time.time()
        before = azurite.rlimit(resource.RLIMIT_FSIZE)
        azurite.rlimit(resource.RLIMIT_FSIZE, (0, before[1]))
        await asyncio.sleep(_FULL_SECONDS)
        with suppress(psutil.NoSuchProcess):
            azurite.rlimit(resource.RLIMIT_FSIZE, before)
        self._ledger.note(kinds.FULL_DISK, str(azurite.pid), began)

    async def _shift_clock(self) -> None:
        """Replace a worker by one whose clock is off, and kill that after a while."""
        offset, began = self._stack.clock_offset, time.time()
        hours = self._random.choice([-_HOUR, _HOUR])
        offset.write_text(str(hours))
        _signalled(await self._victim(), signal.SIGKILL)
        await _until(lambda: not offset.exists())
        await asyncio.sleep(_SHIFTED_SECONDS)
        for taken in offset.parent.glob(f"{offset.name}.*"):
            _signalled(int(taken.suffix[1:]), signal.SIGKILL)
            taken.unlink()
            self._ledger.note(kinds.CLOCK, f"{taken.suffix[1:]} by {hours:+.0f} s", began)

    async def _delete_container(self) -> None:
        blobs = BlobServiceClient.from_connection_string(self._stack.storage)
        with blobs, suppress(ResourceNotFoundError):
            await asyncio.to_thread(blobs.delete_container, naming.WORK)
        self._ledger.note(kinds.NO_CONTAINER, naming.WORK)

    async def _victim(self) -> int:
        """Return a worker, waiting for one that runs something if there is none at once."""
        deadline = time.monotonic() + _PATIENCE
        while not (pids := await self._stack.worker_pids()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"no worker came back within {_PATIENCE:.0f} s; see {self._stack.log}")
            await asyncio.sleep(0.05)
        return self._random.choice(pids)


def _signalled(pid: int, number: signal.Signals) -> bool:
    """Send a signal; return whether there was a process to send it to."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


async def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"a part of the stack did not come back within {_PATIENCE:.0f} s")
        await asyncio.sleep(0.05)
