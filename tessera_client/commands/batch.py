"""``tessera run`` with several files on a service: some at a time, each for itself."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from tessera_client.cli.options import OnInterrupt
from tessera_client.client import Client
from tessera_client.commands import sending, summary
from tessera_client.commands.interrupts import cancelled, choose
from tessera_client.commands.orders import Order, Request
from tessera_client.commands.progress import Display, display
from tessera_client.commands.settings import Settings
from tessera_client.commands.summary import DONE, FAILED, STOPPED, Ended
from tessera_client.errors import JobFailed, TesseraClientError
from tessera_client.models import Job

LONGEST_STOP = 10.0


class _Stopped(Exception):
    """Ends the work on a file after Ctrl-C; *job* is the one that was started for it."""

    def __init__(self, job: str | None) -> None:
        super().__init__(job)
        self.job = job


def run(settings: Settings, request: Request, orders: Sequence[Order], client: Client) -> None:
    """Process files and print a summary; a file that fails doesn't stop the others.

    Parameters
    ----------
    settings : Settings
    request : Request
    orders : sequence of Order
    client : Client

    Raises
    ------
    typer.Exit
        See `tessera_client.commands.summary.conclude`.
    """
    started = time.monotonic()
    batch = _Batch(request, client)
    with display(quiet=settings.quiet) as shown:
        note = batch.run(orders, shown)
    ended = [batch.ended.get(index) or summary.of(order, STOPPED) for index, order in enumerate(orders)]
    summary.conclude(settings, ended, time.monotonic() - started, note)


class _Batch:
    def __init__(self, request: Request, client: Client) -> None:
        self._request = request
        self._client = client
        self._stop = threading.Event()
        self._running: set[str] = set()
        self.ended: dict[int, Ended] = {}

    def run(self, orders: Sequence[Order], shown: Display) -> str | None:
        """Do all; return what became of the jobs if Ctrl-C ended it."""
        files = shown.files(len(orders))
        with ThreadPoolExecutor(self._request.at_once, thread_name_prefix="file") as pool:
            indexes = {pool.submit(self._one, order): index for index, order in enumerate(orders)}
            try:
                pending: set[Future[Ended]] = set(indexes)
                while pending:
                    done, pending = wait(pending, return_when=FIRST_COMPLETED)
                    for future in done:
                        self.ended[indexes[future]] = future.result()
                        files.ended(future.result().line)
            except KeyboardInterrupt:
                return self._interrupted(indexes, shown)
        return None

    def _one(self, order: Order) -> Ended:
        started = time.monotonic()
        refused = summary.refused_before(
            order, force=self._request.force, skip_existing=self._request.skip_existing
        )
        if refused:
            return refused
        try:
            job = self._process(order)
        except _Stopped as stopped:
            return summary.of(order, STOPPED, job=stopped.job)
        except JobFailed as failed:
            return summary.of(order, FAILED, job=failed.job.id, error=str(failed), hint=failed.hint)
        except (TesseraClientError, OSError) as error:
            hint = error.hint if isinstance(error, TesseraClientError) else None
            return summary.of(order, FAILED, error=str(error), hint=hint)
        seconds = round(time.monotonic() - started, 3)
        return summary.of(order, DONE, job=job.id, seconds=seconds, warnings=job.warnings)

    def _process(self, order: Order) -> Job:
        self._go_on()
        source = order.source
        upload = sending.upload(self._client, source.path, source.name, lambda done, total: self._go_on())
        self._go_on()
        submitted = self._client.submit(
            upload.id, order.steps, order.output, name=source.name, page=order.page
        )
        self._running.add(submitted.id)
        job = submitted
        for job in self._client.watch(submitted.id):
            if not job.finished:
                self._go_on(job.id)
        self._running.discard(job.id)
        if not job.succeeded:
            raise JobFailed(job)
        assert order.target is not None
        self._client.download(
            job,
            order.target,
            overwrite=self._request.force,
            progress=lambda done, total: self._go_on(submitted.id),
        )
        return job

    def _go_on(self, job: str | None = None) -> None:
        if self._stop.is_set():
            raise _Stopped(job)

    def _interrupted(self, indexes: dict[Future[Ended], int], shown: Display) -> str:
        self._stop.set()
        for future in indexes:
            future.cancel()
        # A job that is just being started is known once its answer is here.
        wait(indexes, LONGEST_STOP)
        for future, index in indexes.items():
            if future.done() and not future.cancelled():
                self.ended[index] = future.result()
        running = sorted(self._running)
        if not running:
            return "interrupted; no job is running"
        choice = choose(self._request.on_interrupt, f"{len(running)} running jobs", shown.hide)
        if choice is OnInterrupt.LEAVE:
            return f"interrupted; these jobs go on: {' '.join(running)}"
        told = [cancelled(self._client, job)[0] for job in running]
        return "\n".join(told)
