"""The host's own endpoints: status, workers, functions, timers by hand."""

import os
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from emulator.functions import Function
from emulator.pool import WorkerPool
from emulator.responses import json_response
from emulator.worker import Worker

_HOME = "<!DOCTYPE html><title>Azure Functions emulator</title><p>Your function app is up and running.</p>"


class AdminApi:
    """Handlers below /admin, and the home page.

    Parameters
    ----------
    pool
        The workers.
    functions
        The app's functions.
    run_timer
        Runs a timer-triggered function now.
    redeliver
        Delivers once more what the worker of a process id runs.
    """

    def __init__(
        self,
        pool: WorkerPool,
        functions: Iterable[Function],
        run_timer: Callable[[str], Awaitable[bool]],
        redeliver: Callable[[int], list[str]],
    ) -> None:
        self._pool = pool
        self._functions = list(functions)
        self._run_timer = run_timer
        self._redeliver = redeliver
        self._started = time.monotonic()

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Register the handlers.

        Parameters
        ----------
        router
            Where to.
        """
        router.add_get("/", self._home)
        router.add_route("*", "/admin/host/ping", self._ping)
        router.add_get("/admin/host/status", self._status)
        router.add_get("/admin/emulator/workers", self._workers)
        router.add_post(r"/admin/emulator/workers/{pid:\d+}/redeliver", self._deliver_again)
        router.add_get("/admin/functions", self._list)
        router.add_post("/admin/functions/{name}", self._run)

    async def _home(self, _request: web.Request) -> web.Response:
        return web.Response(text=_HOME, content_type="text/html")

    async def _ping(self, _request: web.Request) -> web.Response:
        return web.Response()

    async def _status(self, _request: web.Request) -> web.Response:
        return json_response(
            200,
            {
                "id": f"emulator-{os.getpid()}",
                "state": "Running",
                "version": "4.0.0-emulator",
                "processUptime": round((time.monotonic() - self._started) * 1000),
                "workers": [_show(worker) for worker in self._pool.workers],
            },
        )

    async def _workers(self, _request: web.Request) -> web.Response:
        return json_response(200, [_show(worker) for worker in self._pool.workers])

    async def _deliver_again(self, request: web.Request) -> web.Response:
        return json_response(200, self._redeliver(int(request.match_info["pid"])))

    async def _list(self, _request: web.Request) -> web.Response:
        listed = [
            {
                "name": function.name,
                "trigger": function.kind,
                "config": {"bindings": [dict(function.trigger)]},
            }
            for function in self._functions
        ]
        return json_response(200, listed)

    async def _run(self, request: web.Request) -> web.Response:
        found = await self._run_timer(request.match_info["name"])
        return web.Response(status=202 if found else 404)


def _show(worker: Worker) -> dict[str, Any]:
    return {
        "pid": worker.pid,
        "state": worker.state,
        "group": worker.group,
        "running": sorted(invocation.function for invocation in worker.running.values()),
        "executions": worker.executions,
        "seconds": {name: round(seconds, 3) for name, seconds in worker.seconds.items()},
        "startedAt": datetime.fromtimestamp(worker.started_at, UTC).isoformat(timespec="milliseconds"),
    }
