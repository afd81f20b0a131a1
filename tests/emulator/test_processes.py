"""Processes that give way: with a session of their own, and as one of several in it."""

import os
import subprocess
from pathlib import Path

import pytest

from emulator.processes import give_way

# Elsewhere nothing groups processes by session, so there is no group that could be left behind.
pytestmark = pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="needs Linux's autogroups")


@pytest.mark.parametrize("leads", [True, False])
def test_a_session_gives_way_with_the_process_that_leads_it(leads: bool) -> None:
    command = ["sh", "-c", "sleep 600 & echo $!; read _; kill $!"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, start_new_session=True) as leader:
        assert leader.stdout is not None
        pid = leader.pid if leads else int(leader.stdout.readline())
        give_way(pid, 7)
        assert os.getpriority(os.PRIO_PROCESS, pid) == 7
        nice = int(Path(f"/proc/{pid}/autogroup").read_text().split()[-1])
        leader.communicate(b"")
    assert nice == (7 if leads else 0)
