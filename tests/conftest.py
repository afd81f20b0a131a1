"""What all tests need."""

import random
import signal
from typing import Any

import hypothesis
import pytest
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

# Background jobs of a shell begin with SIGINT ignored, and so do their children: Ctrl-C needs the default.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

hypothesis.settings.register_profile("tessera", print_blob=True)
hypothesis.settings.load_profile("tessera")


TOGETHER = ("tests/infra/", "tests/frontend/browser/")
"""Folders whose tests share what takes long to make: tools and a package; a stack and a browser."""


class Scheduling(LoadFileScheduling):
    """Tests of a file run in one process, and so do those of some folders."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return next((folder for folder in TOGETHER if file.startswith(folder)), file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    return Scheduling(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Choose a seed, unless there is one, before Hypothesis takes it from its option."""
    if config.option.hypothesis_seed is None:
        chosen = getattr(config, "workerinput", {}).get("hypothesis_seed")
        config.option.hypothesis_seed = chosen or str(random.SystemRandom().getrandbits(32))


def pytest_configure_node(node: WorkerController) -> None:
    """Give a worker of xdist the seed, which isn't among the arguments that it is started with."""
    node.workerinput["hypothesis_seed"] = node.config.option.hypothesis_seed


def pytest_report_header(config: pytest.Config) -> str:
    return _repeat(config)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    """Tell the seed again where something failed: --quiet leaves the header out."""
    if exitstatus != pytest.ExitCode.OK:
        terminalreporter.write_line(_repeat(config))


def _repeat(config: pytest.Config) -> str:
    return f"the same random inputs: --hypothesis-seed={config.option.hypothesis_seed}"
