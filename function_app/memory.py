"""Memory of a worker process between activities."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache


@contextmanager
def images_freed() -> Iterator[None]:
    """Free, when the block ends, the images that only cycles keep.

    An error of the storage SDK is a variable of a frame that it holds, and a frame holds all that called it.
    So an activity's arrays outlive it, once a blob wasn't there, until Python happens to collect: a worker
    that inverted photographs of 12 MP came to hold 570 MiB.
    """
    _spare_modules()
    try:
        yield
    finally:
        gc.collect()


@cache
def _spare_modules() -> None:
    """Let collections look at nothing that was there before the first activity: that would take 0.1 s."""
    gc.freeze()
