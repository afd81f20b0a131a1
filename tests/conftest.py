"""What all tests need."""

import signal

import pytest

# Background jobs of a shell begin with SIGINT ignored, and so do their children: Ctrl-C needs the default.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# First: xdist reads the groups in a hook of its own.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the tests of a folder run in one process: they share a stack, tools, or the files they make."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(item.path.parent.name))
