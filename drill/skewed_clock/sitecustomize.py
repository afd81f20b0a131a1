"""Python imports this at its start: a worker that finds an offset waiting takes it, and its clock is off.

A worker is a process of its own, or a copy of the emulator's fork server.

The offset (seconds) is in the file that DRILL_CLOCK_OFFSET names; one worker takes it.
"""

import os
import sys
from pathlib import Path


def _take() -> float:
    path = Path(os.environ.get("DRILL_CLOCK_OFFSET", ""))
    taken = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.rename(taken)
    except OSError:
        return 0.0
    return float(taken.read_text())


def _skew() -> None:
    if offset := _take():
        import time

        import time_machine

        time_machine.travel(time.time() + offset, tick=True).start()


if any("emulator.fork_server" in argument for argument in sys.orig_argv):
    os.register_at_fork(after_in_child=_skew)
elif any("emulator.worker_process" in argument for argument in sys.orig_argv):
    _skew()
