"""The clock that is off: in one worker, and in nothing else."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from drill.stack import CLOCKS

SHOW = "import time, datetime; print(time.time(), datetime.datetime.now(datetime.UTC).timestamp())"
A_MINUTE = 60.0


COPY = f"import os; (pid := os.fork()) and os._exit(os.waitpid(pid, 0)[1]); {SHOW}"
SCRIPTS = {
    "worker": f"{SHOW}  # emulator.worker_process",
    "copy": f"{COPY}  # emulator.fork_server emulator.worker_process",
    "another": SHOW,
}


def clocks(offset: Path, process: str) -> list[float]:
    """Return two clocks of a process, in seconds against ours."""
    environment = {**os.environ, "PYTHONPATH": str(CLOCKS), "DRILL_CLOCK_OFFSET": str(offset)}
    command = [sys.executable, "-P", "-u", "-c", SCRIPTS[process]]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == ""
    return [float(shown) - time.time() for shown in done.stdout.split()]


@pytest.mark.parametrize("process", ["worker", "copy"])
def test_one_worker_takes_the_offset(process: str, tmp_path: Path) -> None:
    offset = tmp_path / "offset"
    assert all(abs(clock) < A_MINUTE for clock in clocks(offset, process)), "no offset waits"
    offset.write_text("-3600")
    assert all(abs(clock) < A_MINUTE for clock in clocks(offset, "another")), "it is no worker"
    assert all(abs(clock + 3600) < A_MINUTE for clock in clocks(offset, process))
    assert all(abs(clock) < A_MINUTE for clock in clocks(offset, process)), "another took it"
    assert len(list(tmp_path.iterdir())) == 1, "the file with its process id says who"
