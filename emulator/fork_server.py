"""A process that has imported what every worker needs, and is copied each time the host wants a worker.

Importing is most of what the start of a worker takes. Azure prepares its workers too.
"""

import gc
import importlib
import os
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress

from emulator.processes import dies_with
from emulator.worker_process import serve

FORK = b"fork"


def main() -> None:
    """Serve the host until it closes the connection.

    Arguments of the process: the descriptor of the connection, the app folder, the host's process id, and the
    modules to import. A message is `FORK`, with a worker's connection, output and error output, answered by
    the process id of the worker; or it is the process id of one that has ended, answered by its exit code.
    """
    descriptor, app_folder, host_pid, *modules = sys.argv[1:]
    dies_with(int(host_pid))()
    control = socket.socket(fileno=int(descriptor))
    _import(modules)
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 64, 3)
        if not message:
            os._exit(0)
        if message != FORK:
            _, status = os.waitpid(int(message), 0)
            control.send(b"%d" % os.waitstatus_to_exitcode(status))
        elif (pid := _fork(descriptors)) is not None:
            control.send(b"%d" % pid)
        else:
            control.close()
            break
    serve(descriptors[0], app_folder)


def _import(modules: Sequence[str]) -> None:
    for module in modules:
        # What can't be imported is for the worker to find out, and to tell.
        with suppress(Exception):
            importlib.import_module(module)
    gc.collect()
    gc.freeze()


def _fork(descriptors: Sequence[int]) -> int | None:
    """Return the process id of the copy once it has a session of its own; in the copy, None."""
    ours, theirs = os.pipe()
    parent = os.getpid()
    if pid := os.fork():
        os.close(theirs)
        os.read(ours, 1)
        for descriptor in (ours, *descriptors):
            os.close(descriptor)
        return pid
    os.setsid()
    for number, descriptor in enumerate(descriptors[1:], start=1):
        os.dup2(descriptor, number)
        os.close(descriptor)
    dies_with(parent)()
    os.close(ours)
    os.close(theirs)
    return None
