"""Runs the app's timer-triggered functions."""

import asyncio
import json
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

from emulator import history
from emulator.app_settings import resolve
from emulator.client_binding import ClientBinding
from emulator.console import Console
from emulator.errors import WorkerDiedError
from emulator.functions import Function
from emulator.invocation import FunctionError
from emulator.pool import WorkerPool
from emulator.schedule import Schedule
from emulator.store import Store

_KIND = "timerTrigger"
# The system's clock may be set meanwhile: look again at least this often.
_LONGEST_WAIT = timedelta(minutes=1)


class TimerFunctions:
    """Waits for schedules and calls the functions, each one never twice at the same time.

    Parameters
    ----------
    functions
        The app's functions.
    pool
        The workers.
    client
        Makes the values of durable client bindings.
    store
        Remembers when each function ran last.
    console
        For messages.
    settings
        The app settings, for schedules like ``%NAME%``.

    Raises
    ------
    ConfigurationError
        When a schedule can't be read.
    """

    def __init__(
        self,
        functions: Iterable[Function],
        pool: WorkerPool,
        client: ClientBinding,
        store: Store,
        console: Console,
        settings: Mapping[str, str],
    ) -> None:
        self._functions = {function.name: function for function in functions if function.kind == _KIND}
        self._schedules = {
            name: Schedule(resolve(str(function.trigger["schedule"]), settings), name)
            for name, function in self._functions.items()
        }
        self._locks = {name: asyncio.Lock() for name in self._functions}
        self._pool = pool
        self._client = client
        self._store = store
        self._console = console
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Start waiting."""
        for name in self._functions:
            self._spawn(name)

    def close(self) -> None:
        """Stop waiting."""
        for task in self._tasks:
            task.cancel()

    async def run_now(self, name: str) -> bool:
        """Run a function out of its turn.

        Parameters
        ----------
        name
            The function; case doesn't matter.

        Returns
        -------
        bool
            False when there is no timer-triggered function of this name.
        """
        found = next((known for known in self._functions if known.lower() == name.lower()), None)
        if found is None:
            return False
        task = asyncio.create_task(self._run(found, past_due=False))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    def _spawn(self, name: str) -> None:
        task = asyncio.create_task(self._keep_time(name))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _keep_time(self, name: str) -> None:
        trigger, schedule = self._functions[name].trigger, self._schedules[name]
        last = await self._store.read(partial(_last, function=name))
        now = datetime.now(UTC)
        missed = (
            last is not None and schedule.following(last) <= now and trigger.get("useMonitor") is not False
        )
        if missed or trigger.get("runOnStartup"):
            await self._run(name, past_due=missed)
        elif last is None:
            await self._store.write(partial(_remember, function=name, moment=history.now()))
        while True:
            due = schedule.following(datetime.now(UTC))
            while (left := due - datetime.now(UTC)) > timedelta():
                await asyncio.sleep(min(left, _LONGEST_WAIT).total_seconds())
            await self._run(name, past_due=False)

    async def _run(self, name: str, past_due: bool) -> None:
        function = self._functions[name]
        async with self._locks[name]:
            last = await self._store.read(partial(_last, function=name))
            started = datetime.now(UTC)
            info = {
                "Schedule": {"AdjustForDST": True},
                "ScheduleStatus": {
                    "Last": (last or started).isoformat(),
                    "LastUpdated": (last or started).isoformat(),
                    "Next": self._schedules[name].following(started).isoformat(),
                },
                "IsPastDue": past_due,
            }
            trigger_input = {"name": function.trigger["name"], "kind": "json", "value": json.dumps(info)}
            inputs = [trigger_input, *self._client.inputs(function)]
            worker = await self._pool.wait_for_slot(_KIND)
            try:
                await worker.invoke(function.id, function.name, _KIND, inputs)
            except (FunctionError, WorkerDiedError):
                self._console.say(f"timer function '{name}' failed; it runs again at its next due time")
            finally:
                self._pool.give_back(worker, _KIND)
            await self._store.write(partial(_remember, function=name, moment=history.timestamp(started)))


def _last(db: sqlite3.Connection, function: str) -> datetime | None:
    row = db.execute("SELECT last FROM schedules WHERE function = ?", (function,)).fetchone()
    return history.moment(row[0]) if row else None


def _remember(db: sqlite3.Connection, function: str, moment: str) -> None:
    db.execute("INSERT OR REPLACE INTO schedules VALUES (?, ?)", (function, moment))
