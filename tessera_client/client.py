"""The API's calls as methods."""

import os
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self
from urllib.parse import quote

import httpx

from tessera_client import uploads
from tessera_client.decoding import decode
from tessera_client.downloads import LinkExpired, fetch_result
from tessera_client.errors import JobFailed, UnexpectedResponse
from tessera_client.models import Health, Job, Operation, Output, Step, Upload
from tessera_client.polling import poll
from tessera_client.retry import RetryPolicy
from tessera_client.transport import Transport
from tessera_client.uploads import Progress

DEFAULT_API_URL = "http://127.0.0.1:7071"


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
        self._transport = Transport(
            api_url or os.environ.get("TESSERA_API_URL") or DEFAULT_API_URL,
            api_key or os.environ.get("TESSERA_API_KEY"),
            timeout=timeout,
            policy=policy or RetryPolicy(),
            base=transport,
        )

    @property
    def api_url(self) -> str:
        """Address of the API."""
        return self._transport.api_url

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
        return decode(Health, self._transport.api("GET", "health"))

    def operations(self) -> tuple[Operation, ...]:
        """List the operations of the catalogue."""
        document = self._transport.api("GET", "operations")
        if not isinstance(document, dict) or not isinstance(document.get("operations"), list):
            raise UnexpectedResponse("the API's answer has no list of operations", "Check the API's address.")
        return tuple(decode(Operation, item) for item in document["operations"])

    def upload(
        self,
        source: str | Path | BinaryIO,
        *,
        name: str | None = None,
        content_type: str | None = None,
        progress: Progress | None = None,
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
        return uploads.send(self._transport, source, name, content_type, progress)

    def submit(
        self,
        upload_id: str,
        pipeline: Sequence[Step],
        output: Output | None = None,
        *,
        name: str | None = None,
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
        idempotency_key : str, optional
            Two calls with one key start one job. Default: a new key, so that the retries within this
            call start one job.

        Returns
        -------
        Job
            With its ``id`` and ``state`` only.
        """
        body: dict[str, Any] = {
            "upload_id": upload_id,
            "pipeline": [asdict(step) for step in pipeline],
            "output": {k: v for k, v in asdict(output or Output()).items() if v is not None},
        }
        if name is not None:
            body["name"] = name
        headers = {"idempotency-key": idempotency_key or str(uuid.uuid4())}
        return _job(self._transport.api("POST", "jobs", body=body, headers=headers))

    def job(self, job_id: str) -> Job:
        """Ask how a job is doing."""
        return _job(self._transport.api("GET", f"jobs/{quote(job_id, safe='')}"))

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
        return poll(lambda: self.job(job_id), outage=self._transport.policy.outage, timeout=timeout)

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

    def cancel(self, job_id: str) -> None:
        """Stop a job and have everything of it removed, its result too."""
        self._transport.api("DELETE", f"jobs/{quote(job_id, safe='')}")

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


def _job(document: Any) -> Job:
    return replace(decode(Job, document), document=document)
