"""One image on its way to the service, in a thread of its own so that the page stays alive."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import BinaryIO, Literal

from tessera_client import Client

# More at a time wouldn't be faster, and each holds blocks of its file in memory.
_TURNS = threading.BoundedSemaphore(4)


class Stopped(Exception):
    """Raised by `Delivery.upload_id` when it was stopped before the image had arrived."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """An image that is in storage already: a `Delivery` that is over."""

    id: str
    size: int
    done: Literal[True] = True

    @property
    def progress(self) -> tuple[int, int]:
        """Return the bytes sent, and the bytes in all."""
        return self.size, self.size

    def upload_id(self) -> str:
        """Return what the service calls the image."""
        return self.id

    def stop(self) -> None:
        """Do nothing: there is nothing left to stop."""


class Delivery:
    """Sends an image to storage, in blocks, and then lets go of it.

    Parameters
    ----------
    client : Client
    file : binary file
    name : str
        File name to keep with the image.
    release : callable
        Called at the end, whatever it is: the file isn't needed any more.
    """

    def __init__(
        self, client: Client, file: BinaryIO, name: str, release: Callable[[], None] = lambda: None
    ) -> None:
        self._client = client
        self._file: BinaryIO | None = file
        self._name = name
        self._release = release
        self._stop = threading.Event()
        self._sent, self._size = 0, 0
        self._future: Future[str] = Future()

    def start(self) -> None:
        """Begin; returns at once."""
        # A thread that would keep the server from ending is worse than an image that is half sent.
        threading.Thread(target=self._run, name="delivery", daemon=True).start()

    def stop(self) -> None:
        """Ask it to stop."""
        self._stop.set()

    @property
    def done(self) -> bool:
        """Say whether it is over, in whatever way."""
        return self._future.done()

    @property
    def progress(self) -> tuple[int, int]:
        """Return the bytes sent, and the bytes in all: 0 until that is known."""
        return self._sent, self._size

    def upload_id(self) -> str:
        """Return what the service calls the image, once it is `done`.

        Raises
        ------
        TesseraClientError
            When the image could not be sent.
        Stopped
            When it was stopped before.
        """
        return self._future.result()

    def _run(self) -> None:
        try:
            with _TURNS:
                upload_id = self._send()
        except BaseException as failure:
            self._let_go()
            self._future.set_exception(failure)
        else:
            self._let_go()
            self._future.set_result(upload_id)

    def _send(self) -> str:
        self._check()
        assert self._file is not None
        upload = self._client.upload(self._file, name=self._name, progress=self._advance)
        self._check()
        return upload.id

    def _let_go(self) -> None:
        self._file = None
        self._release()

    def _advance(self, sent: int, size: int) -> None:
        self._check()
        self._sent, self._size = sent, size

    def _check(self) -> None:
        if self._stop.is_set():
            raise Stopped
