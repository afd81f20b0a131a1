"""``tessera run`` and ``tessera submit``."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer

from tessera_client.client import Client
from tessera_client.commands import Settings, catalogue, connected
from tessera_client.commands.interrupts import cancelling, held_back, keeping
from tessera_client.commands.jobs import fetch, follow
from tessera_client.commands.progress import Display, display
from tessera_client.commands.report import print_json, print_result, without_link
from tessera_client.commands.target import check_writable, choose_output, choose_path
from tessera_client.models import Output, Step, Upload
from tessera_client.pipeline import parse_step


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done, as written on the command line."""

    source: Path
    operations: list[str]
    target: Path | None = None
    file_format: str | None = None
    quality: int | None = None
    force: bool = False

    def steps(self) -> list[Step]:
        """Read the pipeline.

        Raises
        ------
        InvalidPipeline
            When an operation is written wrongly.
        """
        return [parse_step(text) for text in self.operations]

    def output(self) -> Output:
        """Choose the file format.

        Raises
        ------
        typer.BadParameter
            When format, suffix and quality do not go together.
        """
        return choose_output(self.file_format, self.quality, self.target)


def run(settings: Settings, order: Order) -> None:
    """Upload, submit, wait and download; on Ctrl-C cancel the job.

    Parameters
    ----------
    settings : Settings
    order : Order
    """
    seconds: dict[str, float] = {}
    with connected(settings) as client:
        steps, output = order.steps(), order.output()
        path = choose_path(order.source, steps, output, order.target)
        check_writable(path, force=order.force)
        with timed(seconds, "total"), display(quiet=settings.quiet) as shown:
            with timed(seconds, "upload"):
                upload = send(client, order.source, steps, shown)
            with held_back() as release:
                job_id = client.submit(upload.id, steps, output, name=order.source.name).id
                with cancelling(client, job_id):
                    release()
                    job = follow(client, job_id, shown, settings)
            with timed(seconds, "download"):
                fetch(client, job, path, shown, force=order.force)
    seconds = {"upload": seconds["upload"], **job.seconds, **seconds}
    if settings.json:
        print_json({"path": str(path.absolute()), "seconds": seconds, "job": without_link(job)})
    elif settings.quiet:
        typer.echo(path)
    else:
        print_result(job, path, seconds)


def submit(settings: Settings, order: Order) -> None:
    """Upload and submit, print the job's ID.

    Parameters
    ----------
    settings : Settings
    order : Order
    """
    with connected(settings) as client:
        steps, output = order.steps(), order.output()
        with display(quiet=settings.quiet) as shown:
            upload = send(client, order.source, steps, shown)
        with held_back() as release:
            job = client.submit(upload.id, steps, output, name=order.source.name)
            with keeping(job.id):
                release()
    if settings.json:
        print_json(job.document)
    else:
        typer.echo(job.id)


def send(client: Client, source: Path, steps: list[Step], shown: Display) -> Upload:
    """Upload an image, once the service is known to have the operations.

    Parameters
    ----------
    client : Client
    source : Path
    steps : list of Step
    shown : Display

    Returns
    -------
    Upload
    """
    catalogue.check(steps, client.operations())
    progress = shown.transfer(f"uploading {source.name}", source.stat().st_size)
    return client.upload(source, progress=progress)


@contextmanager
def timed(seconds: dict[str, float], phase: str) -> Iterator[None]:
    """Note how long the block takes.

    Parameters
    ----------
    seconds : dict
        Gets an entry.
    phase : str
    """
    started = time.monotonic()
    yield
    seconds[phase] = round(time.monotonic() - started, 3)
