"""Child processes that never outlive the host."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def dies_with(parent: int, by: signal.Signals = signal.SIGKILL) -> Callable[[], None]:
    """Prepare a function that ties the process calling it to its parent.

    On Linux the kernel then signals the process as soon as its parent dies; elsewhere only a parent that is
    already gone is noticed.

    Parameters
    ----------
    parent
        Process id of the parent.
    by
        The signal.

    Returns
    -------
    Callable
        To be called in the child, also between fork and exec: the C library is loaded here, because a forked
        child must not load libraries. It ends the process when the parent is gone already.
    """
    library = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

    def tie() -> None:
        if library is not None:
            library.prctl(_PR_SET_PDEATHSIG, by)
        if os.getppid() != parent:
            os._exit(1)

    return tie
