"""Fetch a result into a file that is complete or not there at all."""

import secrets
from collections.abc import Callable
from io import BufferedRandom
from pathlib import Path
from typing import BinaryIO

import httpx

from tessera_client import calls
from tessera_client.answers import reason, refusal
from tessera_client.digests import verify
from tessera_client.errors import DownloadFailed, JobFailed
from tessera_client.models import Job
from tessera_client.retry import TRANSIENT_STATUSES, TransientFailure, retry_after, with_retries
from tessera_client.transport import Transport
from tessera_client.views import Preview

Progress = Callable[[int, int], None]

OVERWRITE_HINT = "Choose another name, or allow overwriting (--force)."


class LinkExpired(DownloadFailed):
    """Raised when storage no longer accepts the address; the API gives a new one."""


def fetch_result(
    transport: Transport, job: Job, target: Path, *, overwrite: bool = False, progress: Progress | None = None
) -> None:
    """Write the result of a job to ``target``; see `fetch`.

    Raises
    ------
    JobFailed
        When the job failed or was cancelled.
    DownloadFailed
        Also when there is no result yet.
    """
    if job.finished and not job.succeeded:
        raise JobFailed(job)
    if job.result is None:
        raise DownloadFailed(f"job {job.id} has no result yet, it is {job.state}", "Wait for it first.")
    check_target(target, overwrite=overwrite)
    # A fresh link, and with it the digests.
    result = transport.run(calls.result(job.id))
    fetch(
        transport,
        result.url,
        target,
        result.size,
        overwrite=overwrite,
        progress=progress,
        check=lambda file: verify(file, result),
    )


def fetch(
    transport: Transport,
    url: str,
    target: Path,
    size: int,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
    check: Callable[[BufferedRandom], None] | None = None,
) -> None:
    """Write the bytes at ``url`` to a temporary file beside ``target``, check, then rename.

    A connection that breaks is taken up again where it stopped.

    Parameters
    ----------
    transport : Transport
    url : str
        SAS address of a blob.
    target : Path
    size : int
        Bytes the file must have.
    overwrite : bool
        Whether an existing target is replaced.
    progress : callable, optional
        Called with (bytes received, bytes in all).
    check : callable, optional
        Raises `DownloadFailed` when the whole file isn't the right one.

    Raises
    ------
    LinkExpired
        When storage answers 403.
    DownloadFailed
        When the target exists or cannot be written, storage does not answer, after the retries, or
        the size or a digest is another.
    """
    check_target(target, overwrite=overwrite)
    partial = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with partial.open("xb+") as file:
            _Download(transport, url, size, file, progress).run()
            if check:
                check(file)
        check_target(target, overwrite=overwrite)
        partial.replace(target)
    except OSError as unwritable:
        raise DownloadFailed(f"cannot write {target}: {unwritable.strerror or unwritable}") from unwritable
    finally:
        partial.unlink(missing_ok=True)


def fetch_picture(transport: Transport, preview: Preview) -> bytes:
    """Return the bytes of a small picture.

    Raises
    ------
    LinkExpired
        When storage answers 403.
    DownloadFailed
        When storage doesn't give it, after the retries.
    """

    def attempt() -> bytes:
        try:
            with transport.stream(preview.url, {"accept-encoding": "identity"}) as response:
                if response.status_code in TRANSIENT_STATUSES:
                    raise TransientFailure(DownloadFailed(refusal(response)), retry_after(response.headers))
                if response.status_code == 403:
                    raise LinkExpired(refusal(response), "The permission has run out: ask for the job again.")
                if response.status_code != 200:
                    raise DownloadFailed(refusal(response))
                return response.read()
        except httpx.TransportError as broken:
            failure = DownloadFailed(f"the connection to storage broke: {reason(broken)}")
            raise TransientFailure(failure) from broken

    return with_retries(transport.policy, attempt)


def check_target(target: Path, *, overwrite: bool) -> None:
    """Refuse a target that could not be written in the end.

    Raises
    ------
    DownloadFailed
        When its folder is missing, it is a folder itself, or it exists and may not be overwritten.
    """
    if not target.parent.is_dir():
        raise DownloadFailed(f"the folder {target.parent} does not exist", "Create it first.")
    if target.is_dir():
        raise DownloadFailed(f"{target} is a folder", "Name the file to write in it.")
    if target.exists() and not overwrite:
        raise DownloadFailed(f"{target} already exists", OVERWRITE_HINT)


class _Download:
    def __init__(
        self, transport: Transport, url: str, size: int, file: BinaryIO, progress: Progress | None
    ) -> None:
        self._transport = transport
        self._url = url
        self._size = size
        self._file = file
        self._progress = progress
        self._etag: str | None = None
        self._done = 0

    def run(self) -> None:
        self._advance(0)
        while self._done < self._size:
            with_retries(self._transport.policy, self._attempt)

    def _attempt(self) -> None:
        before = self._done
        try:
            with self._transport.stream(self._url, self._headers()) as response:
                self._check(response)
                for piece in response.iter_raw():
                    self._file.write(piece)
                    self._advance(len(piece))
        except httpx.TransportError as broken:
            # What came through before the break counts as success: only standing still uses up the tries.
            if self._done == before:
                failure = DownloadFailed(f"the connection to storage broke: {reason(broken)}")
                raise TransientFailure(failure) from broken

    def _headers(self) -> dict[str, str]:
        headers = {"accept-encoding": "identity"}
        if self._done and self._etag:
            headers |= {"range": f"bytes={self._done}-", "if-match": self._etag}
        return headers

    def _check(self, response: httpx.Response) -> None:
        status = response.status_code
        if status in TRANSIENT_STATUSES:
            raise TransientFailure(DownloadFailed(refusal(response)), retry_after(response.headers))
        if status == 403:
            raise LinkExpired(refusal(response), "The permission has run out: ask for the job again.")
        if status not in (200, 206):
            raise DownloadFailed(refusal(response))
        if status == 200:
            self._start_over()
        self._etag = response.headers.get("etag")
        length = response.headers.get("content-length")
        if length is not None and int(length) != self._size - self._done:
            actual = self._done + int(length)
            raise DownloadFailed(f"the result has {actual:,} bytes where {self._size:,} were promised")

    def _start_over(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        self._done = 0

    def _advance(self, more: int) -> None:
        self._done += more
        if self._progress:
            self._progress(self._done, self._size)
