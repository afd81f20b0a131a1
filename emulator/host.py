"""The host: puts the parts together, serves until told to stop, and tidies up."""

import asyncio
import signal
import socket
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator.admin_api import AdminApi
from emulator.app_settings import app_environment
from emulator.azurite import Azurite
from emulator.client_binding import ClientBinding
from emulator.console import Console
from emulator.durable_api import DurableApi
from emulator.engine import ACTIVITY, ORCHESTRATOR, Engine
from emulator.functions import Function, of_kind, parse_functions
from emulator.http_functions import Endpoint, HttpFunctions, endpoints
from emulator.keys import Keys
from emulator.pool import WorkerPool
from emulator.ports import listen
from emulator.ready_file import announce_ready
from emulator.settings import PoolLimits, host_settings
from emulator.start_api import StartApi
from emulator.store import Store
from emulator.timer_functions import TimerFunctions
from emulator.web_app import RPC_PREFIX, internal_app, public_app, serve

_LOOPBACK = "127.0.0.1"
_ANY_ADDRESS = {"0.0.0.0", "::", ""}


@dataclass(frozen=True)
class Options:
    """The command line."""

    app: Path
    host: str
    port: int
    min_workers: int
    max_workers: int
    http_workers: int
    idle_seconds: float
    state: Path
    enforce_keys: bool
    azurite: Path | None
    azurite_port: int
    ready_file: Path | None
    verbose: bool


class Host:
    """One running emulator.

    Parameters
    ----------
    options
        The command line.
    environment
        The emulator's own environment.

    Raises
    ------
    ConfigurationError
        When the app's settings can't be used.
    """

    def __init__(self, options: Options, environment: Mapping[str, str]) -> None:
        self._options = options
        self._environment = app_environment(options.app, environment)
        self._settings = host_settings(options.app, self._environment)
        self._console = Console(self._settings, options.verbose)
        self._stop = asyncio.Event()
        self._failure: BaseException | None = None

    async def run(self) -> None:
        """Serve until SIGINT, SIGTERM or a failure that can't be survived.

        Raises
        ------
        EmulatorError
            When the host can't start, or can't go on.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self._stop.set)
        async with AsyncExitStack() as stack:
            starting = asyncio.create_task(self._start(stack))
            stopping = asyncio.create_task(self._stop.wait())
            await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
            if not starting.done():
                starting.cancel()
            try:
                await starting
            except asyncio.CancelledError:
                self._stop.set()
            await stopping
            self._console.say("stopping")
        if self._failure is not None:
            raise self._failure

    def _fail(self, error: BaseException) -> None:
        if self._failure is None:
            self._failure = error
        self._stop.set()

    async def _start(self, stack: AsyncExitStack) -> None:
        """Start everything; closing the stack undoes it in reverse order."""
        options, settings = self._options, self._settings
        public = listen(options.host, options.port, "--port")
        stack.callback(public.close)
        internal = listen(_LOOPBACK, 0, "--port")
        stack.callback(internal.close)
        store = Store(options.state, self._fail)
        stack.push_async_callback(store.close)
        keys = Keys(options.state.with_name("keys.json"), options.enforce_keys)
        azurite = self._azurite(stack)
        slots = {ACTIVITY: settings.max_activities, ORCHESTRATOR: settings.max_orchestrators}
        limits = PoolLimits(
            options.min_workers, options.max_workers, options.idle_seconds, slots, options.http_workers
        )
        pool = WorkerPool(options.app, self._environment, limits, self._console, self._fail)
        stack.push_async_callback(pool.close)
        opening = asyncio.create_task(pool.open())
        await _together(opening, *([asyncio.create_task(azurite.start())] if azurite else []))
        functions = parse_functions(opening.result())
        activities, orchestrators = of_kind(functions, ACTIVITY), of_kind(functions, ORCHESTRATOR)
        engine = Engine(store, pool, activities, orchestrators, settings.default_version, self._fail)
        stack.callback(engine.close)
        pool.has_backlog, pool.on_change = engine.has_backlog, engine.pump
        client = ClientBinding(self._url(public), self._rpc_url(internal), settings.task_hub, keys.durable)
        timers = TimerFunctions(functions, pool, client, store, self._console, self._environment)
        stack.callback(timers.close)
        routes = endpoints(functions, settings.route_prefix)
        start = StartApi(engine, store, orchestrators, settings.default_version, client)
        management = (start, DurableApi(engine, store))
        admin = AdminApi(pool, functions, timers.run_now, engine.redeliver)
        http = HttpFunctions(routes, pool, keys, client)
        await serve(stack, public_app(http, management, admin, keys), public)
        await serve(stack, internal_app(management), internal)
        await engine.open()
        await timers.open()
        self._announce(functions, routes, self._url(public))
        if options.ready_file is not None:
            storage = self._environment["AzureWebJobsStorage"] if azurite else None
            pids = [worker.pid for worker in pool.workers]
            stack.callback(announce_ready(options.ready_file, self._url(public), storage, pids))

    def _azurite(self, stack: AsyncExitStack) -> Azurite | None:
        if self._options.azurite is None:
            return None
        options = self._options
        azurite = Azurite(self._options.azurite, options.azurite_port, options.app, self._console.say)
        stack.push_async_callback(azurite.close)
        self._environment["AzureWebJobsStorage"] = azurite.connection_string
        return azurite

    def _url(self, listener: socket.socket) -> str:
        host = self._options.host
        return f"http://{_LOOPBACK if host in _ANY_ADDRESS else host}:{listener.getsockname()[1]}"

    def _rpc_url(self, listener: socket.socket) -> str:
        return f"http://{_LOOPBACK}:{listener.getsockname()[1]}{RPC_PREFIX}/"

    def _announce(self, functions: Iterable[Function], routes: Iterable[Endpoint], url: str) -> None:
        say = self._console.say
        say("Functions:")
        for endpoint in routes:
            methods = ",".join(sorted(endpoint.methods)) if endpoint.methods else "ALL"
            say(f"  {endpoint.function.name}: [{methods}] {url}/{endpoint.route.template}")
        for function in functions:
            if function.kind != "httpTrigger":
                say(f"  {function.name}: {function.kind}")
        if self._settings.unheeded:
            say(f"host.json: only Azure acts on these settings: {', '.join(self._settings.unheeded)}")
        if self._options.host not in (_LOOPBACK, "localhost", "::1"):
            say(
                f"listening on {self._options.host}: this is a development tool, don't expose it to a network"
            )
        if self._options.enforce_keys:
            say(f"keys are enforced; they are in {self._options.state.with_name('keys.json')}")
        say(f"ready: {url}")


async def _together(*tasks: "asyncio.Task[Any]") -> None:
    """Wait for all tasks; when one fails, end the others and raise its error."""
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
