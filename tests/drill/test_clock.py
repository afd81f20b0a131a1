"""The clock that is off: in one worker, and in nothing else."""

import os
import subprocess
import sys
import time
from pathlib import Path

from drill.stack import CLOCKS

SHOW = "import time, datetime; print(time.time(), datetime.datetime.now(datetime.UTC).timestamp())"
A_MINUTE = 60.0


def clocks(offset: Path, *, worker: bool) -> list[float]:
    """Return two clocks of a process, in seconds against ours."""
    script = f"{SHOW}  # {'emulator.worker_process' if worker else 'another'}"
    environment = {**os.environ, "PYTHONPATH": str(CLOCKS), "DRILL_CLOCK_OFFSET": str(offset)}
    command = [sys.executable, "-P", "-c", script]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == ""
    return [float(shown) - time.time() for shown in done.stdout.split()]


def test_one_worker_takes_the_offset(tmp_path: Path) -> None:
    offset = tmp_path / "offset"
    assert all(abs(clock) < A_MINUTE for clock in clocks(offset, worker=True)), "no offset waits"
    offset.write_text("-3600")
    assert all(abs(clock) < A_MINUTE for clock in clocks(offset, worker=False)), "it is no worker"
    assert all(abs(clock + 3600) < A_MINUTE for clock in clocks(offset, worker=True))
    assert all(abs(clock) < A_MINUTE for clock in clocks(offset, worker=True)), "another took it"
    assert len(list(tmp_path.iterdir())) == 1, "the file with its process id says who"
