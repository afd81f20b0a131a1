"""Calls to storage that don't depend on one another, at a time."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

_AT_ONCE = 16
_pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="storage")


def begin[Result](call: Callable[[], Result]) -> Future[Result]:
    """Begin *call* in another thread; it must not begin others and wait for them."""
    return _pool.submit(call)
