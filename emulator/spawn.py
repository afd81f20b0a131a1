"""Starts worker processes."""

import asyncio
import os
import re
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from emulator.errors import WorkerDiedError
from emulator.forking import ForkServer
from emulator.invocation import Observer
from emulator.worker import READ_LIMIT, Worker

# The app must find its own folder and the installed packages on sys.path, not the folder of this package.
_BOOTSTRAP = "import sys; sys.path.insert(0, {!r}); from emulator.{} import main; del sys.path[0]; main()"
_NEEDED = "azure.durable_functions"
_SLOW = {"azure-storage-blob": "azure.storage.blob", "opencv-python-headless": "cv2", "pydantic": "pydantic"}
"""Modules that take long to import, by package."""


class Spawner:
    """Starts the workers of an app.

    On Linux they are copies of a process that has imported what they need; elsewhere, and where that fails,
    each starts from nothing.

    Parameters
    ----------
    app
        The app folder, which becomes their working directory.
    environment
        Their whole environment.
    """

    def __init__(self, app: Path, environment: Mapping[str, str]) -> None:
        self._app, self._environment = app, environment
        self._lock = asyncio.Lock()
        self._server: ForkServer | None = None

    async def spawn(self, observer: Observer) -> Worker:
        """Start a worker process.

        Parameters
        ----------
        observer
            Learns what it logs and prints.

        Returns
        -------
        Worker
            The worker, still starting.
        """
        ours, theirs = socket.socketpair()
        try:
            if sys.platform == "linux":
                # Where there is nothing to copy, a worker that starts from nothing can say why.
                with suppress(WorkerDiedError):
                    server = await self._fork_server()
                    return Worker(await server.fork(theirs.fileno(), READ_LIMIT), ours, observer)
            process = await self._start("worker_process", theirs, (), output=PIPE)
            return Worker(process, ours, observer)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()

    async def close(self) -> None:
        """End what workers are copied from."""
        if self._server is not None:
            await self._server.close()

    async def _fork_server(self) -> ForkServer:
        async with self._lock:
            if self._server is None or not self._server.serves:
                await self.close()
                ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                ours.setblocking(False)
                try:
                    process = await self._start("fork_server", theirs, _imported(self._app), output=DEVNULL)
                except BaseException:
                    ours.close()
                    raise
                finally:
                    theirs.close()
                self._server = ForkServer(ours, process)
        return self._server

    async def _start(
        self, module: str, connection: socket.socket, more: Sequence[str], output: int
    ) -> Process:
        package_parent = str(Path(__file__).resolve().parent.parent)
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-c",
            _BOOTSTRAP.format(package_parent, module),
            str(connection.fileno()),
            str(self._app),
            str(os.getpid()),
            *more,
            stdin=DEVNULL,
            stdout=output,
            stderr=output,
            limit=READ_LIMIT,
            cwd=self._app,
            env={**self._environment, "PYTHONUNBUFFERED": "1"},
            pass_fds=(connection.fileno(),),
            start_new_session=True,
        )


def _imported(app: Path) -> list[str]:
    """Return what the workers of an app will import, by what its requirements.txt names."""
    requirements = app / "requirements.txt"
    named = re.findall(r"^[\w-]+", requirements.read_text(), re.MULTILINE) if requirements.exists() else []
    return [_NEEDED, *(module for package, module in _SLOW.items() if package in named)]
