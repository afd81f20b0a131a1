"""The API's calls as coroutines."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal, Self

import httpx

from tessera_client import calls
from tessera_client.async_transport import AsyncTransport
from tessera_client.client import LARGEST_PAGE, Client
from tessera_client.errors import DownloadFailed, JobFailed
from tessera_client.models import CopiedUpload, Health, Job, Operation, Output, Preset, Result, Step, Upload
from tessera_client.polling import poll_async
from tessera_client.retry import RetryPolicy
from tessera_client.settings import connection
from tessera_client.upload_state import UploadState
from tessera_client.uploads import Progress, check_size
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

_TRANSFERS_AT_ONCE = 32


class AsyncClient:
    """`tessera_client.Client` for asyncio: the same methods with the same parameters, results and errors.

    Use it as an asynchronous context manager or call ``close``. Files are sent and fetched in threads, and a
    cancelled task stops its transfer. ``progress`` is called from these threads.

    Parameters
    ----------
    api_url, api_key, timeout, policy
        As for `tessera_client.Client`.
    transport : httpx.AsyncBaseTransport, optional
        Replaces the network for calls of the API.
    files : httpx.BaseTransport, optional
        Replaces the network for sending and fetching files.

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
        transport: httpx.AsyncBaseTransport | None = None,
        files: httpx.BaseTransport | None = None,
    ) -> None:
        self._connection = connection(api_url, api_key, timeout, policy)
        self._transport = AsyncTransport(self._connection, transport)
        self._files = Client(
            self._connection.api_url, api_key, timeout=timeout, policy=policy, transport=files
        )
        # Transfers may wait for minutes: the event loop's own threads are for others.
        self._threads = ThreadPoolExecutor(_TRANSFERS_AT_ONCE, thread_name_prefix="transfer")

    @property
    def api_url(self) -> str:
        """Address of the API."""
        return self._connection.api_url

    async def close(self) -> None:
        """Close all connections."""
        self._files.close()
        self._threads.shutdown(wait=False)
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def health(self) -> Health:
        """Ask whether the API is alive."""
        return await self._transport.run(calls.health())

    async def ready(self) -> Ready:
        """Ask whether the API reaches what it needs; see `Client.ready`."""
        return await self._transport.run(calls.ready())

    async def operations(self) -> tuple[Operation, ...]:
        """List the operations of the catalogue."""
        return await self._transport.run(calls.operations())

    async def presets(self) -> tuple[Preset, ...]:
        """List the stored pipelines."""
        return await self._transport.run(calls.presets())

    async def upload(
        self,
        source: str | Path | BinaryIO,
        *,
        name: str | None = None,
        content_type: str | None = None,
        progress: Progress | None = None,
        state: UploadState | None = None,
    ) -> Upload:
        """Send an image straight to storage; see `Client.upload`."""
        return await self._in_thread(
            lambda watched: self._files.upload(
                source, name=name, content_type=content_type, progress=watched, state=state
            ),
            progress,
        )

    async def create_upload(self, name: str, size: int, content_type: str) -> Upload:
        """Ask for a place for a file that something else sends; see `Client.create_upload`."""
        place = await self._transport.run(calls.upload(name, size, content_type))
        return check_size(place, name, size)

    async def copy_upload(self, job_id: str, of: Literal["input", "result"] = "input") -> CopiedUpload:
        """Make an upload of a job's image or its result; see `Client.copy_upload`."""
        return await self._transport.run(calls.copy_upload(job_id, of))

    async def plan(
        self, upload_id: str, pipeline: Sequence[Step], output: Output | None = None, *, page: int = 0
    ) -> Plan:
        """Ask what a job would take; see `Client.plan`."""
        return await self._transport.run(calls.plan(upload_id, pipeline, output, page))

    async def submit(
        self,
        upload_id: str,
        pipeline: Sequence[Step],
        output: Output | None = None,
        *,
        name: str | None = None,
        page: int = 0,
        idempotency_key: str | None = None,
    ) -> Job:
        """Start a job; see `Client.submit`."""
        return await self._transport.run(
            calls.submit(upload_id, pipeline, output, name, page, idempotency_key)
        )

    async def job(self, job_id: str) -> Job:
        """Ask how a job is doing."""
        return await self._transport.run(calls.job(job_id))

    async def jobs(
        self,
        *,
        state: str | None = None,
        text: str | None = None,
        since: date | None = None,
        until: date | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[JobSummary]:
        """List jobs, the newest first; see `Client.jobs`."""
        wanted = JobFilter(state=state, text=text, since=since, until=until)
        left, cursor = limit, None
        while left is None or left > 0:
            size = None if left is None else min(left, LARGEST_PAGE)
            page = await self._transport.run(calls.jobs(wanted, size, cursor))
            for summary in page.jobs[:left]:
                yield summary
            left = None if left is None else left - len(page.jobs)
            if page.next is None:
                return
            cursor = page.next

    async def tiles(self, job_id: str) -> AsyncIterator[Tile]:
        """List the tiles of a job."""
        first: int | None = None
        while True:
            page = await self._transport.run(calls.tiles(job_id, first, None))
            for tile in page.tiles:
                yield tile
            if page.next is None:
                return
            first = page.next

    async def result(self, job_id: str) -> Result:
        """Ask for a fresh link to the result; see `Client.result`."""
        return await self._transport.run(calls.result(job_id))

    async def previews(self, job_id: str) -> Previews:
        """Ask for links to small pictures of the input and the result."""
        return await self._transport.run(calls.previews(job_id))

    async def picture(self, preview: Preview) -> bytes:
        """Fetch a small picture; see `Client.picture`."""
        return await self._in_thread(lambda _: self._files.picture(preview), None)

    async def submit_batch(
        self,
        inputs: Mapping[str, str | None],
        pipeline: Sequence[Step],
        output: Output | None = None,
        *,
        tolerated_failures: int = 0,
        idempotency_key: str | None = None,
    ) -> Batch:
        """Start a batch; see `Client.submit_batch`."""
        return await self._transport.run(
            calls.submit_batch(inputs, pipeline, output, tolerated_failures, idempotency_key)
        )

    async def batch(self, batch_id: str) -> Batch:
        """Ask how a batch is doing."""
        return await self._transport.run(calls.batch(batch_id))

    async def batches(self, *, limit: int | None = None) -> AsyncIterator[BatchSummary]:
        """List batches, the newest first; see `Client.batches`."""
        left, cursor = limit, None
        while left is None or left > 0:
            size = None if left is None else min(left, LARGEST_PAGE)
            page = await self._transport.run(calls.batches(size, cursor))
            for summary in page.batches[:left]:
                yield summary
            left = None if left is None else left - len(page.batches)
            if page.next is None:
                return
            cursor = page.next

    async def cancel_batch(self, batch_id: str) -> Batch:
        """Stop the jobs of a batch."""
        return await self._transport.run(calls.cancel_batch(batch_id))

    def watch(self, job_id: str, *, timeout: float | None = None) -> AsyncIterator[Job]:
        """Ask again and again until the state is final; see `Client.watch`."""
        return poll_async(
            lambda known: self._transport.run(calls.job(job_id, known)),
            outage=self._connection.policy.outage,
            timeout=timeout,
        )

    async def wait(self, job_id: str, *, timeout: float | None = None) -> Job:
        """Wait until the job has succeeded; see `Client.wait`."""
        finished = [job async for job in self.watch(job_id, timeout=timeout) if job.finished][-1]
        if not finished.succeeded:
            raise JobFailed(finished)
        return finished

    async def cancel(self, job_id: str) -> Job:
        """Stop a job; see `Client.cancel`."""
        return await self._transport.run(calls.cancel(job_id))

    async def retry(self, job_id: str) -> Job:
        """Take up a job again; see `Client.retry`."""
        return await self._transport.run(calls.retry(job_id))

    async def delete(self, job_id: str) -> None:
        """Remove every trace of a job; see `Client.delete`."""
        await self._transport.run(calls.delete(job_id))

    async def download(
        self, job: Job, target: str | Path, *, overwrite: bool = False, progress: Progress | None = None
    ) -> Path:
        """Fetch the result of a job that succeeded; see `Client.download`."""
        return await self._in_thread(
            lambda watched: self._files.download(job, target, overwrite=overwrite, progress=watched), progress
        )

    async def _in_thread[T](self, transfer: Callable[[Progress], T], progress: Progress | None) -> T:
        """Run a transfer in a thread; if the task is cancelled, end it at its next piece, and wait for it."""
        cancelled = threading.Event()

        def watched(done: int, total: int) -> None:
            if cancelled.is_set():
                raise DownloadFailed("the transfer was interrupted")
            if progress:
                progress(done, total)

        context = copy_context()
        task = asyncio.get_running_loop().run_in_executor(self._threads, context.run, transfer, watched)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            cancelled.set()
            with suppress(Exception):
                await task
            raise
