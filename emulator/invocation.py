"""A function that runs in a worker, and who learns about it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from emulator.wire import Header


class Observer(Protocol):
    """Learns what functions log and how they end; see `emulator.console.Console`."""

    def record(self, function: str | None, record: Mapping[str, Any]) -> None:
        """Take a log record, of a function if it is known."""

    def executed(self, function: str, invocation: str, started: float, error: str | None) -> None:
        """Take the end of an invocation; ``error`` says why it failed."""


class FunctionError(Exception):
    """A function raised; ``stack`` is its traceback."""

    def __init__(self, message: str, stack: str) -> None:
        super().__init__(message)
        self.stack = stack


@dataclass(eq=False)
class Invocation:
    """A function that is running in a worker."""

    function: str
    kind: str
    started: float
    result: "asyncio.Future[tuple[Header, bytes]]"
