"""Worker processes that are copies of one that has imported what they need (Linux)."""

import asyncio
import os
import signal
import socket
from asyncio.subprocess import Process
from collections.abc import Sequence
from contextlib import suppress

from emulator.errors import WorkerDiedError
from emulator.fork_server import FORK


class ForkServer:
    """The process that is copied, seen from the host.

    Parameters
    ----------
    control
        The connection to it.
    process
        The process.
    """

    def __init__(self, control: socket.socket, process: Process) -> None:
        self._control, self._process = control, process
        self._lock = asyncio.Lock()

    @property
    def serves(self) -> bool:
        """Whether it is still there."""
        return self._process.returncode is None

    async def fork(self, connection: int, limit: int) -> "ForkedProcess":
        """Start a worker.

        Parameters
        ----------
        connection
            Descriptor of the worker's connection; it stays the caller's.
        limit
            Bytes of the longest line of its output.

        Raises
        ------
        WorkerDiedError
            When the process that is copied has ended.
        """
        pipes = [os.pipe() for _ in range(2)]
        try:
            pid = await self._ask(FORK, [connection, *(writing for _, writing in pipes)])
        except BaseException:
            for reading, _ in pipes:
                os.close(reading)
            raise
        finally:
            for _, writing in pipes:
                os.close(writing)
        output, errors = [await _reader(reading, limit) for reading, _ in pipes]
        return ForkedProcess(pid, self, output, errors)

    async def exit_code(self, pid: int) -> int:
        """Return how a worker has ended; all die with the process that is copied."""
        try:
            return await self._ask(b"%d" % pid)
        except WorkerDiedError:
            return -signal.SIGKILL

    async def close(self) -> None:
        """End the process, and with it workers that are still there."""
        async with self._lock:
            self._control.close()
        await self._process.wait()

    async def _ask(self, message: bytes, descriptors: Sequence[int] = ()) -> int:
        # Somebody who doesn't wait any more must not leave an answer to the next one.
        return await asyncio.shield(asyncio.ensure_future(self._exchange(message, descriptors)))

    async def _exchange(self, message: bytes, descriptors: Sequence[int]) -> int:
        async with self._lock:
            try:
                socket.send_fds(self._control, [message], descriptors)
                answer = await asyncio.get_running_loop().sock_recv(self._control, 64)
            except OSError as error:
                raise WorkerDiedError("the process that workers are copied from has ended") from error
        if not answer:
            raise WorkerDiedError("the process that workers are copied from has ended")
        return int(answer)


class ForkedProcess:
    """A copy, with what is used of `asyncio.subprocess.Process`."""

    def __init__(
        self, pid: int, server: ForkServer, stdout: asyncio.StreamReader, stderr: asyncio.StreamReader
    ) -> None:
        self.pid, self.stdout, self.stderr = pid, stdout, stderr
        self.returncode: int | None = None
        # The number stays the process's until the server has been asked how it ended.
        self._handle = os.pidfd_open(pid)
        self._end = asyncio.ensure_future(self._wait(server))

    async def wait(self) -> int:
        """Wait for its end, and return its exit code."""
        return await asyncio.shield(self._end)

    def kill(self) -> None:
        """End it at once."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    async def _wait(self, server: ForkServer) -> int:
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        loop.add_reader(self._handle, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(self._handle)
        self.returncode = await server.exit_code(self.pid)
        os.close(self._handle)
        return self.returncode


async def _reader(descriptor: int, limit: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit)
    pipe = os.fdopen(descriptor, "rb", 0)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    return reader
