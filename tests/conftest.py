"""What all tests need."""

import signal
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

# Background jobs of a shell begin with SIGINT ignored, and so do their children: Ctrl-C needs the default.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Scheduling(LoadFileScheduling):
    """Tests of a file run in one process, and all of the infrastructure, which share tools and a package."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return "infra" if file.startswith("tests/infra/") else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    return Scheduling(config, log)
