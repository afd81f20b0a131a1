"""Waits for durable timers."""

import asyncio
import heapq
import time
from collections.abc import Awaitable, Callable

from emulator import history
from emulator.records import Timer

# The event loop's clock and the system's may drift apart: look again at least this often.
_LONGEST_WAIT = 60.0


class TimerQueue:
    """Calls back when timers are due.

    Parameters
    ----------
    fire
        Called with the timers that are due, earliest first.
    """

    def __init__(self, fire: Callable[[list[Timer]], Awaitable[None]]) -> None:
        self._fire = fire
        self._timers: list[Timer] = []
        self._handle: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Future[None]] = set()

    def add(self, timer: Timer) -> None:
        """Wait for a timer.

        Parameters
        ----------
        timer
            The timer; one in the past is due at once.
        """
        heapq.heappush(self._timers, timer)
        if self._timers[0] is timer:
            self._schedule()

    def close(self) -> None:
        """Stop waiting."""
        self._timers.clear()
        if self._handle is not None:
            self._handle.cancel()

    def _schedule(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        if self._timers:
            wait = history.moment(self._timers[0].fire_at).timestamp() - time.time()
            delay = min(_LONGEST_WAIT, max(0.0, wait))
            self._handle = asyncio.get_running_loop().call_later(delay, self._look)

    def _look(self) -> None:
        self._handle = None
        now = history.now()
        due = []
        while self._timers and self._timers[0].fire_at <= now:
            due.append(heapq.heappop(self._timers))
        if due:
            task = asyncio.ensure_future(self._fire(due))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._schedule()
