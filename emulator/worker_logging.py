"""Sends a worker's log records to the host, marked with the invocation they belong to."""

import asyncio
import logging
import threading
import traceback
from collections.abc import Callable
from typing import Any

from azure_functions_runtime import invocation_id_cv
from azure_functions_runtime.bindings.context import _invocation_id_local

# The worker runtime's own records; Azure keeps them apart from the app's as well.
_SYSTEM_LOGGER = "azure.functions"


class _ForwardingHandler(logging.Handler):
    def __init__(self, send: Callable[[dict[str, Any]], None], loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._send = send
        self._loop = loop
        self._loop_thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
            if record.exc_info:
                message += "\n" + "".join(traceback.format_exception(*record.exc_info)).rstrip()
        except Exception:
            self.handleError(record)
            return
        invocation = invocation_id_cv.get() or getattr(_invocation_id_local, "invocation_id", None)
        system = record.name == _SYSTEM_LOGGER or record.name.startswith(_SYSTEM_LOGGER + ".")
        fields = {
            "level": record.levelno,
            "message": message,
            "invocation": invocation,
            "system": system,
            "logger": record.name,
        }
        if threading.get_ident() == self._loop_thread:
            # At once, ahead of the invocation's result: the host then still knows whose record it is.
            self._send(fields)
            return
        # The loop is closed only when the process is about to exit; a record that late has no reader.
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._send, fields)


def forward_logs(send: Callable[[dict[str, Any]], None]) -> None:
    """Route every log record of this process to the host.

    Args:
        send: Called on the event loop with level (Python's number), message, invocation id or None, whether
            the record is the runtime's own, and the logger's name.
    """
    logging.getLogger(_SYSTEM_LOGGER).setLevel(logging.WARNING)
    logging.getLogger().addHandler(_ForwardingHandler(send, asyncio.get_running_loop()))
