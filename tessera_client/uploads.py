"""Send a file to Blob Storage, in blocks where it is large; memory does not grow with the file."""

import hashlib
import mimetypes
import os
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from tessera_client import calls
from tessera_client.errors import UploadFailed, UploadRefused
from tessera_client.models import Upload
from tessera_client.transport import Transport
from tessera_client.upload_state import UploadState

Progress = Callable[[int, int], None]

MIB = 1 << 20
SINGLE_PUT_LIMIT = 8 * MIB
SMALLEST_BLOCK = 4 * MIB
MOST_BLOCKS = 50_000
PARALLEL = 4
PIECE = 64 << 10


def send(
    transport: Transport,
    source: str | Path | BinaryIO,
    name: str | None = None,
    content_type: str | None = None,
    progress: Progress | None = None,
    state: UploadState | None = None,
) -> Upload:
    """Ask the API for a place and send the source there; see `Client.upload`.

    Raises
    ------
    UploadFailed
        When the source cannot be read, is empty or larger than the API takes, or storage does not
        take it.
    """
    state = state or UploadState()
    with _opened(source) as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        name = name or Path(str(getattr(file, "name", "image"))).name
        if not size:
            raise UploadFailed(f"{name} is empty")
        content_type = content_type or mimetypes.guess_type(name)[0] or "application/octet-stream"
        if not state.goes_on(size):
            state.begin(check_size(transport.run(calls.upload(name, size, content_type)), name, size), size)
        assert state.place is not None
        upload = state.place
        try:
            FileUpload(transport, upload.url, size, content_type, progress, state.done).send(file)
        except UploadRefused:
            state.clear()
            raise
    return upload


def check_size(place: Upload, name: str, size: int) -> Upload:
    """Return *place*.

    Raises
    ------
    UploadFailed
        When the API takes no file of *size* bytes.
    """
    if place.max_bytes is not None and size > place.max_bytes:
        raise UploadFailed(f"{name} has {size:,} bytes; this API takes at most {place.max_bytes:,}")
    return place


@contextmanager
def _opened(source: str | Path | BinaryIO) -> Iterator[BinaryIO]:
    try:
        if isinstance(source, str | Path):
            with Path(source).open("rb") as file:
                yield file
        else:
            yield source
    except OSError as unreadable:
        raise UploadFailed(f"cannot read {source}: {unreadable.strerror or unreadable}") from unreadable


class FileUpload:
    """One file on its way to one blob.

    Parameters
    ----------
    transport : Transport
    url : str
        SAS address of the blob with the permissions create and write.
    size : int
        Bytes of the file, at least 1.
    content_type : str
        Media type stored with the blob.
    progress : callable, optional
        Called with (bytes sent, bytes in all), from several threads but one at a time; a repeated
        block takes the first number back a little.
    done : set of int, optional
        Blocks that storage has already; more are added as they arrive.
    """

    def __init__(
        self,
        transport: Transport,
        url: str,
        size: int,
        content_type: str,
        progress: Progress | None = None,
        done: set[int] | None = None,
    ) -> None:
        self._transport = transport
        self._url = url
        self._size = size
        self._content_type = content_type
        self._progress = progress
        self._done = set() if done is None else done
        self._sent = 0
        self._lock = threading.Lock()
        self._cancelled = threading.Event()

    def send(self, stream: BinaryIO) -> None:
        """Send all bytes from the stream's position to its end.

        Raises
        ------
        UploadFailed
            When storage does not take the bytes, after the retries, or when there are not exactly
            ``size`` of them.
        """
        self._count(0)
        if self._size <= SINGLE_PUT_LIMIT:
            (_, data), *_ = self._blocks(stream, SINGLE_PUT_LIMIT)
            self._put("", data, {"x-ms-blob-type": "BlockBlob", "content-type": self._content_type})
        else:
            self._put_blocks(stream)

    def _put_blocks(self, stream: BinaryIO) -> None:
        length = block_size(self._size)
        running: set[Future[None]] = set()
        with ThreadPoolExecutor(PARALLEL, thread_name_prefix="upload") as pool:
            try:
                for index, data in self._blocks(stream, length):
                    running.add(pool.submit(self._put_block, index, data))
                    running = _first_done(running) if len(running) == PARALLEL else running
                while running:
                    running = _first_done(running)
            except BaseException:
                self._cancelled.set()
                pool.shutdown(cancel_futures=True)
                raise
        ids = map(_block_id, range(-(-self._size // length)))
        listed = "".join(f"<Latest>{block_id}</Latest>" for block_id in ids)
        document = f'<?xml version="1.0" encoding="utf-8"?><BlockList>{listed}</BlockList>'.encode()
        headers = {"content-type": "application/xml", "x-ms-blob-content-type": self._content_type}
        self._transport.put(f"{self._url}&comp=blocklist", document, headers)

    def _put_block(self, index: int, data: bytes) -> None:
        self._put(f"&comp=block&blockid={quote(_block_id(index), safe='')}", data, {})
        self._done.add(index)

    def _put(self, query: str, data: bytes, headers: dict[str, str]) -> None:
        digest = b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
        pieces = _Pieces(data, self._count, self._cancelled)
        headers = {**headers, "content-length": str(len(data)), "content-md5": digest}
        try:
            self._transport.put(self._url + query, pieces, headers, self._cancelled)
        finally:
            pieces.release()

    def _blocks(self, stream: BinaryIO, length: int) -> Iterator[tuple[int, bytes]]:
        """Yield the blocks that storage doesn't have; the stream has to end where the last one does."""
        for index, start in enumerate(range(0, self._size, length)):
            size = min(length, self._size - start)
            if index in self._done:
                stream.seek(size, os.SEEK_CUR)
                self._count(size)
                continue
            data = _read(stream, size)
            if start + size == self._size and stream.read(1):
                raise _changed()
            yield index, data

    def _count(self, more: int) -> None:
        with self._lock:
            self._sent += more
            if self._progress:
                self._progress(self._sent, self._size)


class _Pieces:
    """The body of a request, countable while it is sent, and from the start again for each try."""

    def __init__(self, data: bytes, count: Callable[[int], None], cancelled: threading.Event) -> None:
        self._data = data
        self._count = count
        self._cancelled = cancelled
        self._counted = 0

    def __iter__(self) -> Iterator[bytes]:
        self._count(-self._counted)
        self._counted = 0
        for start in range(0, len(self._data), PIECE):
            if self._cancelled.is_set():
                raise UploadFailed("the upload was interrupted")
            piece = self._data[start : start + PIECE]
            yield piece
            self._counted += len(piece)
            self._count(len(piece))

    def release(self) -> None:
        """Let go of the bytes: httpx keeps the request in a reference cycle after the response."""
        self._data = b""


def block_size(size: int) -> int:
    """Choose the bytes per block: whole MiB, at least 4 MiB, at most 50,000 blocks.

    Parameters
    ----------
    size : int
        Bytes of the file.

    Returns
    -------
    int
    """
    needed = -(-size // MOST_BLOCKS)
    return max(SMALLEST_BLOCK, -(-needed // MIB) * MIB)


def _block_id(index: int) -> str:
    return b64encode(b"%08d" % index).decode()


def _first_done(running: set[Future[None]]) -> set[Future[None]]:
    done, left = wait(running, return_when=FIRST_COMPLETED)
    for future in done:
        future.result()
    return left


def _read(stream: BinaryIO, length: int) -> bytes:
    data = stream.read(length)
    while len(data) < length:
        more = stream.read(length - len(data))
        if not more:
            raise _changed()
        data += more
    return data


def _changed() -> UploadFailed:
    return UploadFailed("the file changed while it was read", "Start again once it is complete.")
