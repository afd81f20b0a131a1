"""``tessera status``, ``wait``, ``watch``, ``result``, ``list`` and ``batches``."""

import json
import tempfile
from dataclasses import asdict
from pathlib import Path

import typer

from tessera_client.client import Client
from tessera_client.commands.interrupts import keeping
from tessera_client.commands.orders import STDIO
from tessera_client.commands.progress import Display, display
from tessera_client.commands.report import (
    print_batch,
    print_batches,
    print_job,
    print_jobs,
    print_json,
    print_result,
    print_tiles,
    print_warnings,
    without_link,
)
from tessera_client.commands.session import connected
from tessera_client.commands.settings import Settings
from tessera_client.commands.target import check_writable, write_to_stdout
from tessera_client.errors import JobFailed
from tessera_client.models import Job
from tessera_client.views import JobFilter


def status(settings: Settings, job_id: str, *, tiles: bool = False) -> None:
    """Print how a job is doing.

    Parameters
    ----------
    settings : Settings
    job_id : str
    tiles : bool
        List its tiles.
    """
    with connected(settings) as client:
        job = client.job(job_id)
        listed = list(client.tiles(job_id)) if tiles else []
    if settings.json:
        print_json(
            {"job": job.document, "tiles": [asdict(tile) for tile in listed]} if tiles else job.document
        )
    elif settings.quiet:
        typer.echo(job.state)
    else:
        print_job(job)
        if tiles:
            print_tiles(listed)


def wait(
    settings: Settings, job_id: str, target: str | None, *, force: bool, timeout: float | None = None
) -> None:
    """Wait for a job; fetch its result where a path is given.

    Parameters
    ----------
    settings : Settings
    job_id : str
    target : str or None
    force : bool
        Overwrite the file at ``target``.
    timeout : float or None
        Seconds.
    """
    _check(target, force=force)
    with connected(settings) as client:
        with keeping(job_id), display(quiet=settings.quiet) as shown:
            job = follow(client, job_id, shown, settings, timeout=timeout)
        _deliver(client, settings, job, target, force=force)


def watch(settings: Settings, job_id: str, *, timeout: float | None = None) -> None:
    """Show a job until it is finished; as JSON, a line for each change.

    Parameters
    ----------
    settings : Settings
    job_id : str
    timeout : float or None
        Seconds.
    """
    with connected(settings) as client, keeping(job_id):
        with display(quiet=settings.quiet or settings.json) as shown:
            last: Job | None = None
            for job in client.watch(job_id, timeout=timeout):
                shown.job(job)
                if settings.json and (last is None or job.document != last.document):
                    typer.echo(json.dumps(without_link(job), ensure_ascii=False))
                last = job
        assert last is not None
        if settings.quiet:
            typer.echo(last.state)
        elif not settings.json:
            print_job(last)
        if not last.succeeded:
            raise JobFailed(last)


def result(settings: Settings, job_id: str, target: str | None, *, force: bool) -> None:
    """Fetch the result of a job, or print a fresh link to it.

    Parameters
    ----------
    settings : Settings
    job_id : str
    target : str or None
    force : bool
        Overwrite the file at ``target``.
    """
    _check(target, force=force)
    with connected(settings) as client:
        if target:
            job = client.job(job_id)
            _deliver(client, settings, job, target, force=force)
            return
        found = client.result(job_id)
    if settings.json:
        document = {"url": found.url, "size": found.size, "media_type": found.media_type, "name": found.name}
        expires = found.expires_at.isoformat() if found.expires_at else None
        print_json(document | {"sha256": found.sha256, "expires_at": expires})
    else:
        typer.echo(found.url)


def list_jobs(settings: Settings, wanted: JobFilter, limit: int) -> None:
    """Print the caller's jobs.

    Parameters
    ----------
    settings : Settings
    wanted : JobFilter
    limit : int
    """
    with connected(settings) as client:
        found = client.jobs(
            state=wanted.state, text=wanted.text, since=wanted.since, until=wanted.until, limit=limit
        )
        print_jobs(settings, list(found))


def list_batches(settings: Settings, limit: int) -> None:
    """Print the caller's batches.

    Parameters
    ----------
    settings : Settings
    limit : int
    """
    with connected(settings) as client:
        print_batches(settings, list(client.batches(limit=limit)))


def show_batch(settings: Settings, batch_id: str) -> None:
    """Print a batch with its manifest.

    Parameters
    ----------
    settings : Settings
    batch_id : str
    """
    with connected(settings) as client:
        print_batch(settings, client.batch(batch_id))


def follow(
    client: Client, job_id: str, shown: Display, settings: Settings, *, timeout: float | None = None
) -> Job:
    """Show a job until it is finished.

    Parameters
    ----------
    client : Client
    job_id : str
    shown : Display
    settings : Settings
    timeout : float or None
        Seconds.

    Returns
    -------
    Job
        Succeeded.

    Raises
    ------
    JobFailed
        When it failed or was cancelled; with ``--json`` it is printed before.
    """
    for job in client.watch(job_id, timeout=timeout):
        shown.job(job)
    if job.succeeded:
        return job
    if settings.json:
        print_json(job.document)
    raise JobFailed(job)


def fetch(client: Client, job: Job, path: Path, shown: Display, *, force: bool) -> None:
    """Download the result of a job that succeeded; the job stays when that fails.

    Parameters
    ----------
    client : Client
    job : Job
    path : Path
    shown : Display
    force : bool
    """
    progress = shown.transfer(f"downloading {path.name}", job.result.size if job.result else 0)
    with keeping(job.id):
        client.download(job, path, overwrite=force, progress=progress)


def _check(target: str | None, *, force: bool) -> None:
    if target and target != STDIO:
        check_writable(Path(target), force=force)


def _deliver(client: Client, settings: Settings, job: Job, target: str | None, *, force: bool) -> None:
    if target == STDIO:
        with tempfile.TemporaryDirectory(prefix="tessera-result-") as folder:
            fetch(client, job, Path(folder) / "result", Display(), force=True)
            write_to_stdout(Path(folder) / "result")
        if not settings.quiet:
            print_warnings(job)
        return
    path = Path(target) if target else None
    if path:
        with display(quiet=settings.quiet) as shown:
            fetch(client, job, path, shown, force=force)
    if settings.json:
        print_json({"path": str(path.absolute()), "job": without_link(job)} if path else job.document)
    elif settings.quiet:
        typer.echo(path or job.state)
    elif path:
        print_result(job, path, job.seconds)
    else:
        print_job(job)
