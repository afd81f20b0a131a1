"""Starts worker processes."""

import asyncio
import os
import socket
import sys
from asyncio.subprocess import PIPE
from collections.abc import Mapping
from pathlib import Path

from emulator.invocation import Observer
from emulator.worker import READ_LIMIT, Worker

# The app must find its own folder and the installed packages on sys.path, not the folder of this package.
_BOOTSTRAP = (
    "import sys; sys.path.insert(0, {!r}); from emulator.worker_process import main; del sys.path[0]; main()"
)


async def spawn(app: Path, environment: Mapping[str, str], observer: Observer) -> Worker:
    """Start a worker process.

    Parameters
    ----------
    app
        The app folder, which becomes its working directory.
    environment
        Its whole environment.
    observer
        Learns what it logs and prints.

    Returns
    -------
    Worker
        The worker, still starting.
    """
    ours, theirs = socket.socketpair()
    package_parent = str(Path(__file__).resolve().parent.parent)
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-c",
            _BOOTSTRAP.format(package_parent),
            str(theirs.fileno()),
            str(app),
            str(os.getpid()),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            limit=READ_LIMIT,
            cwd=app,
            env={**environment, "PYTHONUNBUFFERED": "1"},
            pass_fds=(theirs.fileno(),),
            start_new_session=True,
        )
    except OSError:
        ours.close()
        raise
    finally:
        theirs.close()
    return Worker(process, ours, observer)
