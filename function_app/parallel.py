"""Calls to storage in other threads: several at a time, and those of who only looks before all others."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial

_AT_ONCE = 16
_LOOKING = 8
_pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="storage")
_looking = ThreadPoolExecutor(_LOOKING, thread_name_prefix="looking")


def begin[Result](call: Callable[[], Result]) -> Future[Result]:
    """Begin *call* in another thread; it must not begin others and wait for them."""
    return _pool.submit(call)


async def looking[**Given, Result](
    call: Callable[Given, Result], *given: Given.args, **named: Given.kwargs
) -> Result:
    """Do what `asyncio.to_thread` does, in threads that changes don't use.

    Whoever asks how a job is doing doesn't wait for hundreds that are just being submitted.
    """
    context = copy_context()
    work = partial(context.run, call, *given, **named)
    return await asyncio.get_running_loop().run_in_executor(_looking, work)
