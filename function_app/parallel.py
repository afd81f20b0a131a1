"""Calls to storage in other threads: several at a time, and those of who only looks before all others."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from functools import partial
from threading import Event, Lock

_AT_ONCE, _LOOKING, _CHANGING = 16, 8, 1
"""Changes share one interpreter: more at once don't get through sooner, and who looks waits longer."""

_LONGEST_WAY_SECONDS = 0.1
"""However many look, a change goes on: ten calls to storage a second at least."""

_SWITCH_SECONDS = 0.0005
"""A call to storage takes the interpreter many times for a moment. With Python's five milliseconds it would
wait that long for each thread that wants it too, each time."""

sys.setswitchinterval(_SWITCH_SECONDS)
_pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="storage")
_looking = ThreadPoolExecutor(_LOOKING, thread_name_prefix="looking")
_changing = ThreadPoolExecutor(_CHANGING, thread_name_prefix="changing")


_changes = ContextVar("_changes", default=False)


class _Lookers:
    """How many look at this moment, and whether nobody does."""

    def __init__(self) -> None:
        self._lock, self._count, self.none = Lock(), 0, Event()
        self.none.set()

    def add(self, more: int) -> None:
        with self._lock:
            self._count += more
            if self._count:
                self.none.clear()
            else:
                self.none.set()


_lookers = _Lookers()


@contextmanager
def first() -> Iterator[None]:
    """Have changes give way until the block ends."""
    _lookers.add(1)
    try:
        yield
    finally:
        _lookers.add(-1)


def give_way() -> None:
    """Wait, as part of a change, until nobody looks, but no longer than a moment."""
    if _changes.get():
        _lookers.none.wait(_LONGEST_WAY_SECONDS)


def begin[Result](call: Callable[[], Result]) -> Future[Result]:
    """Begin *call* in another thread, for whoever calls this; it must not begin others and wait for them."""
    return _pool.submit(copy_context().run, call)


async def looking[**Given, Result](
    call: Callable[Given, Result], *given: Given.args, **named: Given.kwargs
) -> Result:
    """Do what `asyncio.to_thread` does, in threads that changes don't use.

    Whoever asks how a job is doing doesn't wait for hundreds that are just being submitted.
    """
    return await _within(_looking, partial(call, *given, **named))


async def changing[**Given, Result](
    call: Callable[Given, Result], *given: Given.args, **named: Given.kwargs
) -> Result:
    """Do what `asyncio.to_thread` does, one at a time, in the order in which they came; it gives way."""
    return await _within(_changing, partial(_change, partial(call, *given, **named)))


async def changing_for_long[**Given, Result](
    call: Callable[Given, Result], *given: Given.args, **named: Given.kwargs
) -> Result:
    """Do what `asyncio.to_thread` does for a change that may take long, and keeps no other; it gives way."""
    return await asyncio.to_thread(_change, partial(call, *given, **named))


def _change[Result](call: Callable[[], Result]) -> Result:
    _changes.set(True)  # in a context of its own
    return call()


async def _within[Result](pool: ThreadPoolExecutor, call: Callable[[], Result]) -> Result:
    return await asyncio.get_running_loop().run_in_executor(pool, partial(copy_context().run, call))
