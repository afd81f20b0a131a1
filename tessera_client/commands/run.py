"""``tessera run`` and ``tessera submit`` on a service."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from tessera_client.cli.completion import remember
from tessera_client.client import Client
from tessera_client.commands import batch, catalogue, sending
from tessera_client.commands.interrupts import deciding, held_back, keeping
from tessera_client.commands.jobs import fetch, follow
from tessera_client.commands.orders import Order, Request, opened, orders
from tessera_client.commands.progress import Display, display
from tessera_client.commands.report import print_json, print_result, print_warnings, without_link
from tessera_client.commands.session import connected
from tessera_client.commands.settings import Settings
from tessera_client.commands.target import check_writable, write_to_stdout
from tessera_client.models import Job, Step, Upload


def run(settings: Settings, request: Request) -> None:
    """Upload, submit, wait and download.

    Parameters
    ----------
    settings : Settings
    request : Request
    """
    with connected(settings) as client:
        steps, output = request.steps(client.presets), request.output()
        with opened(request.inputs) as sources:
            ordered = orders(request, sources, steps, output)
            if request.is_several():
                check(client, steps)
                batch.run(settings, request, ordered, client)
            else:
                _run_one(client, settings, request, ordered[0])


def submit(settings: Settings, request: Request) -> None:
    """Upload and submit, print the job's ID.

    Parameters
    ----------
    settings : Settings
    request : Request
    """
    with connected(settings) as client:
        steps, output = request.steps(client.presets), request.output()
        with opened(request.inputs) as (source, *more):
            if more:
                raise typer.BadParameter("One image at a time.", param_hint="INPUT")
            with display(quiet=settings.quiet) as shown:
                upload = send(client, Order(source, steps, output), shown)
            with held_back() as release:
                job = client.submit(upload.id, steps, output, name=source.name, page=request.page)
                with keeping(job.id):
                    release()
    if settings.json:
        print_json(job.document)
    else:
        typer.echo(job.id)


def check(client: Client, steps: list[Step]) -> None:
    """Check a pipeline against the service's operations before a large image is sent for nothing.

    Parameters
    ----------
    client : Client
    steps : list of Step
    """
    operations = client.operations()
    remember("operations", (operation.name for operation in operations))
    catalogue.check(steps, operations)


def send(client: Client, order: Order, shown: Display) -> Upload:
    """Upload an image, once the service is known to have the operations.

    Parameters
    ----------
    client : Client
    order : Order
    shown : Display

    Returns
    -------
    Upload
    """
    check(client, order.steps)
    source = order.source
    progress = shown.transfer(f"uploading {source.name}", source.path.stat().st_size)
    return sending.upload(client, source.path, source.name, progress)


def _run_one(client: Client, settings: Settings, request: Request, order: Order) -> None:
    seconds: dict[str, float] = {}
    if order.target:
        if request.skip_existing and order.target.exists():
            return
        check_writable(order.target, force=request.force)
    with _written_to(order) as path:
        with timed(seconds, "total"), display(quiet=settings.quiet) as shown:
            job = _process(client, settings, request, order, shown, seconds)
            with timed(seconds, "download"):
                fetch(client, job, path, shown, force=request.force)
        if order.target is None:
            write_to_stdout(path)
            if not settings.quiet:
                print_warnings(job)
            return
    seconds = {"upload": seconds["upload"], **job.seconds, **seconds}
    if settings.json:
        print_json({"path": str(order.target.absolute()), "seconds": seconds, "job": without_link(job)})
    elif settings.quiet:
        typer.echo(order.target)
    else:
        print_result(job, order.target, seconds)


def _process(
    client: Client,
    settings: Settings,
    request: Request,
    order: Order,
    shown: Display,
    seconds: dict[str, float],
) -> Job:
    with timed(seconds, "upload"):
        upload = send(client, order, shown)
    with held_back() as release:
        name, page = order.source.name, order.page
        job_id = client.submit(upload.id, order.steps, order.output, name=name, page=page).id
        with deciding(client, job_id, request.on_interrupt, shown.hide):
            release()
            return follow(client, job_id, shown, settings)


@contextmanager
def _written_to(order: Order) -> Iterator[Path]:
    """Give the file to write to: the target, or a temporary one on the way to stdout."""
    if order.target:
        yield order.target
        return
    with tempfile.TemporaryDirectory(prefix="tessera-result-") as folder:
        yield Path(folder) / "result"


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
