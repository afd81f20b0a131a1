"""Calls to storage in other threads: several at a time, and those of who only looks before all others."""

import asyncio
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial

_AT_ONCE, _LOOKING, _CHANGING = 16, 8, 2
"""Changes share one interpreter: more at once don't get through sooner, and who looks waits longer."""

_SWITCH_SECONDS = 0.0005
"""A call to storage takes the interpreter many times for a moment. With Python's five milliseconds it would
wait that long for each thread that wants it too, each time."""

sys.setswitchinterval(_SWITCH_SECONDS)
_pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="storage")
_looking = ThreadPoolExecutor(_LOOKING, thread_name_prefix="looking")
_changing = ThreadPoolExecutor(_CHANGING, thread_name_prefix="changing")


def begin[Result](call: Callable[[], Result]) -> Future[Result]:
    """Begin *call* in another thread; it must not begin others and wait for them."""
    return _pool.submit(call)


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
    """Do what `asyncio.to_thread` does, few at a time, in the order in which they came."""
    return await _within(_changing, partial(call, *given, **named))


async def _within[Result](pool: ThreadPoolExecutor, call: Callable[[], Result]) -> Result:
    return await asyncio.get_running_loop().run_in_executor(pool, partial(copy_context().run, call))
