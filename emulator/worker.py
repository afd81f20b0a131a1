"""One worker process, seen from the host."""

import asyncio
import logging
import signal
import socket
import time
import uuid
from asyncio.subprocess import Process
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from emulator import wire
from emulator.errors import AppLoadError, WorkerDiedError, WorkerKilledError
from emulator.forking import ForkedProcess
from emulator.invocation import FunctionError, Invocation, Observer
from emulator.wire import Header

READ_LIMIT = 1 << 20
HTTP, OTHERS = "httpTrigger", "others"
"""Groups of workers."""


@dataclass(eq=False)
class Worker:
    """A worker process.

    ``state`` is starting, running, retiring or ended; ``group`` says what it is for; ``taken`` counts the
    slots in use by trigger type; ``seconds`` says how long each function has run, by its name.
    """

    process: Process | ForkedProcess
    connection: socket.socket
    observer: Observer
    started_at: float = field(default_factory=time.time)
    state: str = "starting"
    group: str = OTHERS
    expected_end: bool = False
    executions: int = 0
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    taken: Counter[str] = field(default_factory=Counter)
    running: dict[str, Invocation] = field(default_factory=dict)
    idle_since: float = field(default_factory=time.monotonic)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def pid(self) -> int:
        """Process id."""
        return self.process.pid

    async def start(self) -> Mapping[str, Any]:
        """Wait until the worker has indexed the app.

        Returns
        -------
        Mapping
            Its report on the app's functions.

        Raises
        ------
        AppLoadError
            When it couldn't import or index the app; the message holds the traceback.
        WorkerDiedError
            When the process ended before it was ready.
        """
        self._reader, self._writer = await asyncio.open_connection(sock=self.connection, limit=READ_LIMIT)
        self._outputs = [
            asyncio.create_task(self._relay(stream, level))
            for stream, level in ((self.process.stdout, logging.INFO), (self.process.stderr, logging.WARNING))
            if stream is not None
        ]
        while True:
            try:
                header, _ = await wire.read(self._reader)
            except (asyncio.IncompleteReadError, OSError) as error:
                code = await self._bury()
                died = WorkerKilledError if code == -signal.SIGKILL else WorkerDiedError
                raise died(f"worker process {self.pid} ended while it started (exit code {code})") from error
            if header["type"] == "log":
                self._log(header)
            elif header["type"] == "failed":
                await self._bury()
                raise AppLoadError(
                    f"the app can't be loaded: {header['message']}\n{header['stack']}".rstrip()
                )
            else:
                self.state = "running"
                self.idle_since = time.monotonic()
                self._receiver = asyncio.create_task(self._receive())
                return header

    async def invoke(
        self, function_id: str, name: str, kind: str, inputs: Sequence[Mapping[str, Any]], body: bytes = b""
    ) -> tuple[Header, bytes]:
        """Run a function in this worker.

        Parameters
        ----------
        function_id, name, kind
            The function and the type of its trigger.
        inputs
            Its parameters: name, kind of value and value, or ``in_body`` for the one that is in ``body``.
        body
            Value of one parameter, as bytes.

        Returns
        -------
        tuple
            Description of the returned value and its bytes.

        Raises
        ------
        FunctionError
            When the function raised.
        WorkerDiedError
            When the process ended before it answered.
        """
        if self.state == "ended":
            raise WorkerDiedError(f"worker process {self.pid} has ended")
        number = str(uuid.uuid4())
        invocation = Invocation(name, kind, time.time(), asyncio.get_running_loop().create_future())
        self.running[number] = invocation
        self.executions += 1
        try:
            self._writer.write(wire.pack({"id": number, "function": function_id, "inputs": inputs}, body))
            header, payload = await invocation.result
        except WorkerDiedError as error:
            self.observer.executed(name, number, invocation.started, str(error))
            raise
        finally:
            self.running.pop(number, None)
            self.seconds[name] += time.time() - invocation.started
            self.idle_since = time.monotonic()
        failure = payload.decode() if "error" in header else None
        self.observer.executed(name, number, invocation.started, failure)
        if failure is not None:
            raise FunctionError(header["error"], failure)
        return header, payload

    def retire(self) -> None:
        """Let the process end by itself; it must have nothing to do."""
        self.state = "retiring"
        self.expected_end = True
        self._writer.close()

    def kill(self) -> None:
        """End the process at once."""
        self.expected_end = True
        self._kill()

    def _kill(self) -> None:
        if self.process.returncode is None:
            self.process.kill()

    async def _receive(self) -> None:
        try:
            while True:
                header, body = await wire.read(self._reader)
                if header["type"] == "log":
                    self._log(header)
                elif (invocation := self.running.get(header["id"])) and not invocation.result.done():
                    invocation.result.set_result((header, body))
        except (asyncio.IncompleteReadError, OSError):
            await self._bury()

    async def _bury(self) -> int:
        """Tidy up after the process; its invocations fail."""
        self._kill()
        code = await self.process.wait()
        self.state = "ended"
        self._writer.close()
        for invocation in self.running.values():
            if not invocation.result.done():
                invocation.result.set_exception(
                    WorkerDiedError(
                        f"worker process {self.pid} ended (exit code {code}) during '{invocation.function}'"
                    )
                )
        await asyncio.gather(*self._outputs, return_exceptions=True)
        self.ended.set()
        return code

    async def _relay(self, stream: asyncio.StreamReader, level: int) -> None:
        """Pass on what the app prints."""
        while True:
            try:
                line = await stream.readline()
            except ValueError:
                continue
            if not line:
                return
            text = line.decode(errors="replace").rstrip()
            self.observer.record(None, {"level": level, "message": text, "system": False})

    def _log(self, record: Header) -> None:
        invocation = self.running.get(record["invocation"] or "")
        self.observer.record(invocation.function if invocation else None, record)
