"""Run what is asynchronous to its end, or to an orderly one."""

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import typer

from tessera_client.exit_codes import ExitCode


def finish[T](work: Coroutine[Any, Any, T]) -> T:
    """Run *work* to its end; Ctrl-C and SIGTERM end it after it has cleaned up.

    Raises
    ------
    KeyboardInterrupt
        After Ctrl-C.
    typer.Exit
        After SIGTERM.
    """
    terminated = False

    async def watched() -> T:
        task = asyncio.ensure_future(work)

        def terminate() -> None:
            nonlocal terminated
            terminated = True
            task.cancel()

        with suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, terminate)
        return await task

    try:
        return asyncio.run(watched())
    except asyncio.CancelledError:
        if not terminated:
            raise
        raise typer.Exit(ExitCode.TERMINATED) from None
