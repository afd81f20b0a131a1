"""One job as a customer sees it: upload, submit, watch, fetch, compare; and try again where that may help."""

import asyncio
import io
import time
from dataclasses import dataclass, field
from pathlib import Path

from drill.inputs import file_of
from drill.jobs import Order, difference
from tessera_client import AsyncClient, RetryPolicy
from tessera_client.errors import (
    ApiError,
    DownloadFailed,
    NotFound,
    Refused,
    TesseraClientError,
    UploadFailed,
    WaitTimedOut,
)
from tessera_client.models import Job, Output, Step, Upload

PATIENT = RetryPolicy(attempts=12, first_wait=0.3, longest_wait=5.0, outage=120.0)
"""Bears a host that is killed and starts again."""

_TRIES = 8
_PAUSE = 1.0


@dataclass
class Run:
    """What became of an order.

    Attributes
    ----------
    began, ended : float
        Seconds since 1970.
    state : str
        The job's last state; ``stuck`` if it had none in time, ``lost`` if the service doesn't know it.
    code, detail : str or None
        The stated reason.
    differs : str or None
        How the result differs from what it must be.
    asked_to_cancel : bool
        Whether the customer cancelled it.
    tiles, retried : int
        As the service counts them: attempts beyond the first are *retried*.
    again : list of str
        What the customer had to ask for once more, and why.
    """

    order: Order
    began: float
    ended: float = 0.0
    job: str = ""
    upload: str = ""
    state: str = "not started"
    code: str | None = None
    detail: str | None = None
    differs: str | None = None
    asked_to_cancel: bool = False
    tiles: int = 0
    retried: int = 0
    again: list[str] = field(default_factory=list)

    @property
    def exact(self) -> bool:
        """Return whether the result is there, and right in every pixel."""
        return self.state == "succeeded" and self.differs is None


class Customer:
    """Runs orders on a service.

    Parameters
    ----------
    client : AsyncClient
    folder : Path
        Where results are put while they are compared.
    patience : float
        Seconds after which a job counts as stuck.
    """

    def __init__(self, client: AsyncClient, folder: Path, patience: float) -> None:
        self._client = client
        self._folder = folder
        self._patience = patience

    async def run(self, order: Order) -> Run:
        """Run an order to its end, whatever that is."""
        run = Run(order, time.time())
        try:
            job = await self._submitted(run)
            canceller = asyncio.create_task(self._cancel(run)) if order.cancel_after is not None else None
            try:
                await self._follow(run, job)
            finally:
                if canceller is not None:
                    canceller.cancel()
                    await asyncio.gather(canceller, return_exceptions=True)
        except TesseraClientError as error:
            run.detail = f"{type(error).__name__}: {error}"
        run.ended = time.time()
        return run

    async def take_up(self, earlier: Run) -> Run:
        """Let a job that has failed or was cancelled go on to its end."""
        run = Run(earlier.order, time.time(), job=earlier.job, upload=earlier.upload)
        try:
            await self._follow(run, await self._client.retry(run.job))
        except TesseraClientError as error:
            run.detail = f"{type(error).__name__}: {error}"
        run.ended = time.time()
        return run

    async def delete(self, run: Run) -> str | None:
        """Remove every trace of a job; say why if that fails."""
        try:
            if run.job:
                await self._client.delete(run.job)
        except NotFound:
            # The worker that deleted it was killed before it answered, and was asked again.
            return None
        except TesseraClientError as error:
            return f"it could not be deleted: {error}"
        return None

    async def _submitted(self, run: Run) -> Job:
        """Upload and submit; an upload that storage refused is begun anew."""
        order = run.order
        steps = [Step(step.operation, step.parameters) for step in order.steps]
        upload = await self._uploaded(run)
        run.upload = upload.id
        job = await self._client.submit(upload.id, steps, Output(format=order.output), name=order.given.name)
        run.job = job.id
        return job

    async def _uploaded(self, run: Run) -> Upload:
        data = await asyncio.to_thread(file_of, run.order.given)
        for attempt in range(_TRIES):
            try:
                return await self._client.upload(io.BytesIO(data), name=run.order.given.name)
            except UploadFailed as error:
                run.again.append(f"upload: {error}")
                if attempt == _TRIES - 1:
                    raise
                await asyncio.sleep(_PAUSE)
        raise AssertionError("unreachable")

    async def _follow(self, run: Run, job: Job) -> None:
        try:
            async for now in self._client.watch(job.id, timeout=self._patience):
                job = now
        except WaitTimedOut:
            run.state, run.detail = "stuck", f"last seen {job.state} at {job.progress:.0%}"
            return
        except ApiError as error:
            run.state, run.detail = "lost", str(error)
            return
        run.state, run.tiles, run.retried = job.state, job.tiles.total, job.tiles.retried
        if job.error is not None:
            run.code, run.detail = job.error.code, job.error.detail
        if job.succeeded:
            made = await self._fetched(run, job)
            run.differs = await asyncio.to_thread(difference, run.order, made)

    async def _fetched(self, run: Run, job: Job) -> bytes:
        """Fetch the result; one that the client saw to be damaged is fetched again."""
        target = self._folder / job.id
        for attempt in range(_TRIES):
            try:
                await self._client.download(job, target, overwrite=True)
                return target.read_bytes()
            except DownloadFailed as error:
                run.again.append(f"download: {error}")
                if attempt == _TRIES - 1:
                    raise
                await asyncio.sleep(_PAUSE)
            finally:
                target.unlink(missing_ok=True)
        raise AssertionError("unreachable")

    async def _cancel(self, run: Run) -> None:
        await asyncio.sleep(run.order.cancel_after or 0.0)
        try:
            run.asked_to_cancel = True
            await self._client.cancel(run.job)
        except Refused:
            pass  # it came to its end first
