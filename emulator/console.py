"""What the emulator prints: log records by function, failures, messages of its own."""

import logging
import os
import sys
import time
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

from emulator.settings import HostSettings

_COLOURS = (36, 32, 35, 34, 96, 92, 95, 94)
_RED, _YELLOW, _GREY = 31, 33, 90
_OUT_OF_PROC_LABEL = "$OutOfProcData$"


class Console:
    """Writes to a terminal or a file.

    Parameters
    ----------
    settings
        Decides which levels are shown.
    verbose
        Whether every execution is shown.
    stream
        Where to; standard output by default.
    """

    def __init__(self, settings: HostSettings, verbose: bool, stream: TextIO | None = None) -> None:
        self._settings = settings
        self._verbose = verbose
        self._stream = stream or sys.stdout
        self._coloured = self._stream.isatty() and "NO_COLOR" not in os.environ

    def say(self, text: str) -> None:
        """Print a message of the emulator.

        Parameters
        ----------
        text
            The message.
        """
        self._print(text, None)

    def record(self, function: str | None, record: Mapping[str, Any]) -> None:
        """Print a log record of the app if its level is high enough.

        Parameters
        ----------
        function
            The function that logged it, if known.
        record
            Level, message and whether it is the worker runtime's own (``system``).
        """
        level = record["level"]
        if record["system"] and not self._verbose and level < logging.WARNING:
            return
        if level < self._settings.log_level(function):
            return
        colour = (
            _RED if level >= logging.ERROR else _YELLOW if level >= logging.WARNING else _colour(function)
        )
        prefix = f"{function}: " if function else ""
        self._print(prefix + record["message"], colour)

    def executed(self, function: str, invocation: str, started: float, error: str | None) -> None:
        """Print that a function has ended.

        Parameters
        ----------
        function
            Its name.
        invocation
            Id of the invocation.
        started
            When it began (seconds since the epoch).
        error
            Traceback or reason if it failed.
        """
        if error is None and not self._verbose:
            return
        outcome = "Succeeded" if error is None else "Failed"
        milliseconds = round((time.time() - started) * 1000)
        text = f"Executed 'Functions.{function}' ({outcome}, Id={invocation}, Duration={milliseconds}ms)"
        if error is not None:
            # The SDK appends its whole state to the message of an orchestrator's failure.
            lines = [line.split(_OUT_OF_PROC_LABEL)[0] for line in error.rstrip().splitlines()]
            text = "\n  ".join([text, *(line for line in lines if line.strip())])
        self._print(text, _colour(function) if error is None else _RED)

    def _print(self, text: str, colour: int | None) -> None:
        stamp = datetime.now(UTC).strftime("[%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z]"
        if self._coloured:
            text = f"\x1b[{_GREY}m{stamp}\x1b[0m " + (f"\x1b[{colour}m{text}\x1b[0m" if colour else text)
        else:
            text = f"{stamp} {text}"
        try:
            print(text, file=self._stream, flush=True)
        except BrokenPipeError:
            # Whoever read the log has gone; that is no reason to stop working.
            self._stream = open(os.devnull, "w")  # noqa: SIM115


def _colour(function: str | None) -> int | None:
    return _COLOURS[zlib.crc32(function.encode()) % len(_COLOURS)] if function else None
