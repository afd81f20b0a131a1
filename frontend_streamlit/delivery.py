"""One image on its way to the service, in a thread of its own so that the page stays alive."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import BinaryIO

from tessera_client import Client, Output, Step


@dataclass(frozen=True, slots=True)
class Order:
    """An image and what to do with it."""

    file: BinaryIO
    name: str
    pipeline: Sequence[Step]
    output: Output
    preview: bytes | None = None


class Stopped(Exception):
    """Raised by `Delivery.job_id` when it was stopped before the job began."""


class Delivery:
    """Sends an image to storage and then starts its job.

    Parameters
    ----------
    client : Client
    order : Order
    """

    def __init__(self, client: Client, order: Order) -> None:
        self.order = order
        self._client = client
        self._stop = threading.Event()
        self._sent, self._size = 0, 0
        self._future: Future[str] = Future()

    def start(self) -> None:
        """Begin; returns at once."""
        # A thread that would keep the server from ending is worse than an image that is half sent.
        threading.Thread(target=self._run, name="delivery", daemon=True).start()

    def stop(self) -> None:
        """Ask it to stop; once the job has begun, it's the job that has to be cancelled."""
        self._stop.set()

    @property
    def done(self) -> bool:
        """Say whether it is over, in whatever way."""
        return self._future.done()

    @property
    def progress(self) -> tuple[int, int]:
        """Return the bytes sent, and the bytes in all: 0 until that is known."""
        return self._sent, self._size

    def job_id(self) -> str:
        """Return the job, once it is `done`.

        Raises
        ------
        TesseraClientError
            When the image could not be sent or the job was refused.
        Stopped
            When it was stopped before.
        """
        return self._future.result()

    def _run(self) -> None:
        try:
            self._future.set_result(self._deliver())
        except BaseException as failure:
            self._future.set_exception(failure)

    def _deliver(self) -> str:
        order = self.order
        upload = self._client.upload(order.file, name=order.name, progress=self._advance)
        self._check()
        return self._client.submit(upload.id, order.pipeline, order.output, name=order.name).id

    def _advance(self, sent: int, size: int) -> None:
        self._check()
        self._sent, self._size = sent, size

    def _check(self) -> None:
        if self._stop.is_set():
            raise Stopped
