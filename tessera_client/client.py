"""The API's calls as methods."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal, Self

import httpx

from tessera_client import calls, uploads
from tessera_client.downloads import LinkExpired, fetch_picture, fetch_result
from tessera_client.errors import JobFailed
from tessera_client.models import CopiedUpload, Health, Job, Operation, Output, Preset, Result, Step, Upload
from tessera_client.polling import poll
from tessera_client.retry import RetryPolicy
from tessera_client.settings import DEFAULT_API_URL
from tessera_client.transport import Transport
from tessera_client.upload_state import UploadState
from tessera_client.uploads import Progress
from tessera_client.views import (
    Batch,
    BatchSummary,
    JobFilter,
    JobSummary,
    Plan,
    Preview,
    Previews,
    Ready,
    Tile,
)

__all__ = ["DEFAULT_API_URL", "Client"]

LARGEST_PAGE = 100


class Client:
    """A connection to a Tessera API; use it as a context manager or call ``close``.

    Methods may be called from several threads. In addition to the errors it names, each raises
    `ConnectionFailed`, `UnexpectedResponse`, `Refused` or `Unavailable`; and one that is given an ID
    raises `NotFound` when there is no such upload or job, or no longer.

    Parameters
    ----------
    api_url : str, optional
        Default: the environment's ``TESSERA_API_URL``, else ``http://127.0.0.1:7071``.
    api_key : str, optional
        Default: the environment's ``TESSERA_API_KEY``; without one no key is sent.
    timeout : float
        Seconds without a byte before a request is given up and tried again.
    policy : RetryPolicy
    transport : httpx.BaseTransport, optional
        Replaces the network, for instance `httpx.MockTransport` in tests.

    Raises
    ------
    ConnectionFailed
        When ``api_url`` is not an http or https address.
    """

    def __init__(
        self,
        api_url: str | None = None,
        api_key: str | None = None,
        *,
        timeout: float = 60.0,
        policy: RetryPolicy | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._transport = Transport(api_url, api_key, timeout=timeout, policy=policy, base=transport)

    @property
    def api_url(self) -> str:
        """Address of the API."""
        return self._transport.connection.api_url

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def health(self) -> Health:
        """Ask whether the API is alive."""
        return self._transport.run(calls.health())

    def ready(self) -> Ready:
        """Ask whether the API reaches its storage and its task hub; `Unavailable` says that it doesn't."""
        return self._transport.run(calls.ready())

    def operations(self) -> tuple[Operation, ...]:
        """List the operations of the catalogue."""
        return self._transport.run(calls.operations())

    def presets(self) -> tuple[Preset, ...]:
        """List the stored pipelines."""
        return self._transport.run(calls.presets())

    def upload(
        self,
        source: str | Path | BinaryIO,
        *,
        name: str | None = None,
        content_type: str | None = None,
        progress: Progress | None = None,
        state: UploadState | None = None,
    ) -> Upload:
        """Send an image straight to storage.

        Parameters
        ----------
        source : str, Path or binary file
            A file object has to be seekable and is read from its start.
        name : str, optional
            File name to keep with the image; default: the source's own.
        content_type : str, optional
            Media type; default: guessed from the name. The API looks at the bytes, not at this.
        progress : callable, optional
            Called with (bytes sent, bytes in all), also from other threads, one at a time.
        state : UploadState, optional
            Is kept up to date. After a failure, another call with the same bytes and the same state goes on
            where this one stopped, while the permission to write lasts.

        Returns
        -------
        Upload
            Its ``id`` is what `submit` takes.

        Raises
        ------
        UploadFailed
            When the source cannot be read, is empty or larger than the API takes, or storage does not
            take it.
        """
        return uploads.send(self._transport, source, name, content_type, progress, state)

    def create_upload(self, name: str, size: int, content_type: str) -> Upload:
        """Ask for a place for a file that something else sends, for instance a browser.

        Parameters
        ----------
        name : str
            File name to keep with the image.
        size : int
            Bytes.
        content_type : str
            Media type.

        Returns
        -------
        Upload
            Its ``url`` takes the bytes: one Put Blob, or Put Block and Put Block List.

        Raises
        ------
        UploadFailed
            When the file is larger than the API takes.
        """
        place = self._transport.run(calls.upload(name, size, content_type))
        return uploads.check_size(place, name, size)

    def copy_upload(self, job_id: str, of: Literal["input", "result"] = "input") -> CopiedUpload:
        """Make an upload of a job's image or its result; storage copies it, and nothing is sent.

        The copy stays when the job is deleted.

        Parameters
        ----------
        job_id : str
        of : "input" or "result"

        Returns
        -------
        CopiedUpload
            Its ``id`` is what `submit` takes.

        Raises
        ------
        Refused
            When the job has no result, the image or the result is no longer kept, or it is larger than the
            API takes.
        """
        return self._transport.run(calls.copy_upload(job_id, of))

    def submit(
        self,
        upload_id: str,
        pipeline: Sequence[Step],
        output: Output | None = None,
        *,
        name: str | None = None,
        page: int = 0,
        idempotency_key: str | None = None,
    ) -> Job:
        """Start a job.

        Parameters
        ----------
        upload_id : str
        pipeline : sequence of Step
            The operations in order, at least one.
        output : Output, optional
            Default: PNG.
        name : str, optional
            File name of the input, to tell jobs apart.
        page : int
            Page, frame or directory of the file, from 0.
        idempotency_key : str, optional
            Two calls with one key start one job. Default: a new key, so that the retries within this
            call start one job.

        Returns
        -------
        Job
            With its ``id`` and ``state`` only.
        """
        return self._transport.run(calls.submit(upload_id, pipeline, output, name, page, idempotency_key))

    def plan(
        self, upload_id: str, pipeline: Sequence[Step], output: Output | None = None, *, page: int = 0
    ) -> Plan:
        """Ask what a job would take, and start nothing; parameters as for `submit`."""
        return self._transport.run(calls.plan(upload_id, pipeline, output, page))

    def job(self, job_id: str) -> Job:
        """Ask how a job is doing."""
        return self._transport.run(calls.job(job_id))

    def jobs(
        self,
        *,
        state: str | None = None,
        text: str | None = None,
        since: date | None = None,
        until: date | None = None,
        limit: int | None = None,
    ) -> Iterator[JobSummary]:
        """List jobs, the newest first, page by page as they are asked for.

        Parameters
        ----------
        state : str, optional
            Only jobs in this state.
        text : str, optional
            Only jobs whose file name, or the name of an operation, contains this.
        since, until : date, optional
            First and last day (UTC) on which they began.
        limit : int, optional
            At most so many.

        Yields
        ------
        JobSummary
        """
        wanted = JobFilter(state=state, text=text, since=since, until=until)
        return islice(self._all_jobs(wanted, limit), limit)

    def tiles(self, job_id: str) -> Iterator[Tile]:
        """List the tiles of a job, page by page as they are asked for."""
        first: int | None = None
        while True:
            page = self._transport.run(calls.tiles(job_id, first, None))
            yield from page.tiles
            if page.next is None:
                return
            first = page.next

    def result(self, job_id: str) -> Result:
        """Ask for a fresh link to the result; `Refused` where there is none (yet)."""
        return self._transport.run(calls.result(job_id))

    def previews(self, job_id: str) -> Previews:
        """Ask for links to small pictures of the input and the result."""
        return self._transport.run(calls.previews(job_id))

    def picture(self, preview: Preview) -> bytes:
        """Fetch a small picture; `DownloadFailed` when storage doesn't give it."""
        return fetch_picture(self._transport, preview)

    def submit_batch(
        self,
        inputs: Mapping[str, str | None],
        pipeline: Sequence[Step],
        output: Output | None = None,
        *,
        tolerated_failures: int = 0,
        idempotency_key: str | None = None,
    ) -> Batch:
        """Start a batch: one pipeline over many uploads, each a job of its own.

        Parameters
        ----------
        inputs : mapping of str to str or None
            The file name of each upload, by its ID.
        pipeline, output
            As for `submit`.
        tolerated_failures : int
            After more failures than that, no further job starts.
        idempotency_key : str, optional
            As for `submit`.

        Returns
        -------
        Batch
            With its ``id`` and ``state`` only.
        """
        return self._transport.run(
            calls.submit_batch(inputs, pipeline, output, tolerated_failures, idempotency_key)
        )

    def batch(self, batch_id: str) -> Batch:
        """Ask how a batch is doing."""
        return self._transport.run(calls.batch(batch_id))

    def batches(self, *, limit: int | None = None) -> Iterator[BatchSummary]:
        """List batches, the newest first, page by page as they are asked for; at most *limit*."""
        return islice(self._all_batches(limit), limit)

    def cancel_batch(self, batch_id: str) -> Batch:
        """Stop the jobs of a batch."""
        return self._transport.run(calls.cancel_batch(batch_id))

    def watch(self, job_id: str, *, timeout: float | None = None) -> Iterator[Job]:
        """Ask again and again until the state is final, ever more slowly up to once a second.

        An API that is away for a while (see `RetryPolicy`) does not end it; ``timeout``, in seconds, does.

        Yields
        ------
        Job
            Every answer; the last one is final.

        Raises
        ------
        WaitTimedOut
            When it has not finished in time; it goes on.
        """
        return poll(
            lambda known: self._transport.run(calls.job(job_id, known)),
            outage=self._transport.policy.outage,
            timeout=timeout,
        )

    def wait(self, job_id: str, *, timeout: float | None = None) -> Job:
        """Wait like `watch`, and return the job once it has succeeded.

        Raises
        ------
        JobFailed
            When it failed or was cancelled.
        """
        for job in self.watch(job_id, timeout=timeout):
            if job.finished and not job.succeeded:
                raise JobFailed(job)
        return job

    def cancel(self, job_id: str) -> Job:
        """Stop a job: no further tile starts, its work is removed, and it stays in the list as cancelled.

        `Refused` where it is over already.
        """
        return self._transport.run(calls.cancel(job_id))

    def retry(self, job_id: str) -> Job:
        """Take up a job again that failed or was cancelled; what had succeeded isn't done again."""
        return self._transport.run(calls.retry(job_id))

    def delete(self, job_id: str) -> None:
        """Remove every trace of a job, its result too; one that runs is stopped first."""
        self._transport.run(calls.delete(job_id))

    def download(
        self, job: Job, target: str | Path, *, overwrite: bool = False, progress: Progress | None = None
    ) -> Path:
        """Fetch the result of a job that succeeded; the target is complete or not there.

        Parameters
        ----------
        job : Job
        target : str or Path
        overwrite : bool
            Whether an existing target is replaced.
        progress : callable, optional
            Called with (bytes received, bytes in all).

        Returns
        -------
        Path
            The target.

        Raises
        ------
        JobFailed
            When the job failed or was cancelled.
        DownloadFailed
            When there is no result yet, the target exists or cannot be written, or the bytes do not
            arrive as promised.
        """
        target = Path(target)
        try:
            fetch_result(self._transport, job, target, overwrite=overwrite, progress=progress)
        except LinkExpired:
            fetch_result(self._transport, self.job(job.id), target, overwrite=overwrite, progress=progress)
        return target

    def _all_batches(self, limit: int | None) -> Iterator[BatchSummary]:
        size, cursor = None if limit is None else min(limit, LARGEST_PAGE), None
        while True:
            page = self._transport.run(calls.batches(size, cursor))
            yield from page.batches
            if page.next is None:
                return
            cursor = page.next

    def _all_jobs(self, wanted: JobFilter, limit: int | None) -> Iterator[JobSummary]:
        size, cursor = None if limit is None else min(limit, LARGEST_PAGE), None
        while True:
            page = self._transport.run(calls.jobs(wanted, size, cursor))
            yield from page.jobs
            if page.next is None:
                return
            cursor = page.next
