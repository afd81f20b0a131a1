"""``tessera status``, ``wait`` and ``cancel``."""

from pathlib import Path

import typer

from tessera_client.client import Client
from tessera_client.commands import Settings, connected
from tessera_client.commands.interrupts import keeping
from tessera_client.commands.progress import Display, display
from tessera_client.commands.report import print_job, print_json, print_result, without_link
from tessera_client.commands.target import check_writable
from tessera_client.errors import JobFailed
from tessera_client.models import Job


def status(settings: Settings, job_id: str) -> None:
    """Print how a job is doing.

    Parameters
    ----------
    settings : Settings
    job_id : str
    """
    with connected(settings) as client:
        job = client.job(job_id)
    if settings.json:
        print_json(job.document)
    elif settings.quiet:
        typer.echo(job.state)
    else:
        print_job(job)


def wait(settings: Settings, job_id: str, path: Path | None, *, force: bool) -> None:
    """Wait for a job; fetch its result where a path is given.

    Parameters
    ----------
    settings : Settings
    job_id : str
    path : Path or None
    force : bool
        Overwrite the file at ``path``.
    """
    if path:
        check_writable(path, force=force)
    with connected(settings) as client, keeping(job_id), display(quiet=settings.quiet) as shown:
        job = follow(client, job_id, shown, settings)
        if path:
            fetch(client, job, path, shown, force=force)
    if settings.json:
        print_json({"path": str(path.absolute()), "job": without_link(job)} if path else job.document)
    elif settings.quiet:
        typer.echo(path or job.state)
    elif path:
        print_result(job, path, job.seconds)
    else:
        print_job(job)


def cancel(settings: Settings, job_id: str) -> None:
    """Cancel a job.

    Parameters
    ----------
    settings : Settings
    job_id : str
    """
    with connected(settings) as client:
        client.cancel(job_id)
    if settings.json:
        print_json({"id": job_id, "cancelled": True})
    elif not settings.quiet:
        typer.echo(f"Job {job_id} is being cancelled, its data is removed.")


def follow(client: Client, job_id: str, shown: Display, settings: Settings) -> Job:
    """Show a job until it is finished.

    Parameters
    ----------
    client : Client
    job_id : str
    shown : Display
    settings : Settings

    Returns
    -------
    Job
        Succeeded.

    Raises
    ------
    JobFailed
        When it failed or was cancelled; with ``--json`` it is printed before.
    """
    for job in client.watch(job_id):
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
