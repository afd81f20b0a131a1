"""Python imports this at its start: a worker that finds an offset waiting takes it, and its clock is off.

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


if any("emulator.worker_process" in argument for argument in sys.orig_argv) and (offset := _take()):
    import time

    import time_machine

    time_machine.travel(time.time() + offset, tick=True).start()
