"""Child processes: they never outlive the host, and some give way to others."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

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


def give_way(pid: int, nice: int) -> None:
    """Let other processes have the processors first.

    Where Linux groups processes by session, what is nice in one group means nothing to another: then the
    group of a process that has a session of its own is made as nice. Where it shares one, as with a shell,
    the group is left alone: its other processes would stay behind for good.

    Parameters
    ----------
    pid
        A process of one's own.
    nice
        1 to 19, the nicest.
    """
    os.setpriority(os.PRIO_PROCESS, pid, nice)
    group = Path(f"/proc/{pid}/autogroup")
    with suppress(OSError):
        if os.getsid(pid) == pid and group.exists():
            group.write_text(str(nice))
