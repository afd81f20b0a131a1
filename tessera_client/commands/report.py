"""Words and JSON on stdout, warnings on stderr."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

from tessera_client.commands.progress import describe
from tessera_client.commands.settings import Settings
from tessera_client.errors import describe as describe_problem
from tessera_client.models import Job
from tessera_client.views import Batch, BatchSummary, JobSummary, Tile

PIPED_WIDTH = 200


def print_json(document: Any) -> None:
    """Print a document for programs."""
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))


def without_link(job: Job) -> dict[str, Any]:
    """Take the link to the result, which is a permission, out of the API's document.

    Parameters
    ----------
    job : Job

    Returns
    -------
    dict
    """
    result = job.document.get("result")
    if not isinstance(result, dict):
        return job.document
    return job.document | {"result": {name: value for name, value in result.items() if name != "url"}}


def print_result(job: Job, path: Path, seconds: Mapping[str, float]) -> None:
    """Print where the result is and how long each phase took.

    Parameters
    ----------
    job : Job
    path : Path
    seconds : mapping of str to float
    """
    known = job.result if job.result and job.result.width and job.result.height else None
    print_file(path, f"{known.width} x {known.height} pixels" if known else "", seconds)
    print_warnings(job)


def print_warnings(job: Job) -> None:
    """Print on stderr what to know about the result."""
    for warning in job.warnings:
        typer.echo(f"tessera: warning: {warning}", err=True)


def print_file(path: Path, size: str, seconds: Mapping[str, float]) -> None:
    """Print where a file is, its *size* in words and how long each phase took."""
    facts = ", ".join(filter(None, [size, decimal(path.stat().st_size)]))
    typer.echo(f"Result  {path.absolute()} ({facts})")
    typer.echo(f"Time    {', '.join(f'{phase} {duration(value)}' for phase, value in seconds.items())}")


def print_job(job: Job) -> None:
    """Print how a job is doing, one fact per line.

    Parameters
    ----------
    job : Job
    """
    facts = {
        "Job": job.id,
        "State": job.state,
        "Input": _input(job),
        "Steps": " -> ".join(step.operation for step in job.pipeline),
        "Progress": ", ".join(filter(None, [f"{job.progress:.0%}", describe(job)])),
        "Created": f"{job.created_at:%Y-%m-%d %H:%M:%S %Z}" if job.created_at else "",
        "Finished": f"{job.finished_at:%Y-%m-%d %H:%M:%S %Z}" if job.finished_at else "",
        "Cost": money(job.receipt.get("amount")),
        "Time": ", ".join(f"{phase} {duration(value)}" for phase, value in job.seconds.items()),
        "Result": f"{decimal(job.result.size)}, fetch it with `tessera result {job.id} -o FILE`"
        if job.result
        else "",
        "Error": f"{describe_problem(job.error)}. {job.error.hint or ''}".strip() if job.error else "",
    }
    for name, value in facts.items():
        if value:
            typer.echo(f"{name:<9} {value}")
    print_warnings(job)


def print_jobs(settings: Settings, listed: Sequence[JobSummary]) -> None:
    """Print a list of jobs, the newest first."""
    if settings.json:
        print_json([_plain(asdict(job)) for job in listed])
        return
    if settings.quiet:
        typer.echo("".join(f"{job.id}\n" for job in listed), nl=False)
        return
    if not listed:
        typer.echo("There are no such jobs.")
        return
    rows = [
        [
            job.id,
            f"{job.state} ({job.code})" if job.code else job.state,
            f"{job.created_at:%Y-%m-%d %H:%M:%S}" if job.created_at else "",
            job.name or "",
            ", ".join(job.operations),
        ]
        for job in listed
    ]
    print_table(["job", "state", "created (UTC)", "input", "operations"], rows)


def print_batches(settings: Settings, listed: Sequence[BatchSummary]) -> None:
    """Print a list of batches, the newest first."""
    if settings.json:
        print_json([_plain(asdict(batch)) for batch in listed])
        return
    if settings.quiet:
        typer.echo("".join(f"{batch.id}\n" for batch in listed), nl=False)
        return
    if not listed:
        typer.echo("There are no batches.")
        return
    rows = [
        [
            batch.id,
            batch.state,
            f"{batch.created_at:%Y-%m-%d %H:%M:%S}" if batch.created_at else "",
            f"{batch.done} of {batch.total}",
            ", ".join(batch.operations),
        ]
        for batch in listed
    ]
    print_table(["batch", "state", "created (UTC)", "images done", "operations"], rows)


def print_batch(settings: Settings, batch: Batch) -> None:
    """Print a batch and, once it is over, what became of each image."""
    entries = batch.manifest or ()
    if settings.json:
        print_json(_plain(asdict(batch)))
        return
    if settings.quiet:
        typer.echo("".join(f"{entry.job}\n" for entry in entries), nl=False)
        return
    typer.echo(f"{batch.state}, {batch.done} of {batch.total} images are done")
    rows = [
        [entry.name or "", f"{entry.state} ({entry.code})" if entry.code else entry.state, entry.job]
        for entry in entries
    ]
    if rows:
        print_table(["input", "state", "job"], rows)


def print_tiles(listed: Sequence[Tile]) -> None:
    """Print the tiles of a job."""
    rows = [
        [
            str(tile.index),
            "" if tile.stage is None else str(tile.stage),
            "{}, {} to {}, {}".format(*tile.rect) if len(tile.rect) == 4 else "",
            tile.state,
            str(tile.attempts),
            "" if tile.seconds is None else f"{tile.seconds:.2f} s",
        ]
        for tile in listed
    ]
    typer.echo()
    print_table(["tile", "stage", "x, y", "state", "attempts", "time"], rows)


def print_table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table without lines; its last column takes what is left of the width."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for index, header in enumerate(headers):
        last = index == len(headers) - 1
        table.add_column(header, overflow="fold", no_wrap=index == 0, ratio=1 if last else None)
    for row in rows:
        table.add_row(*row)
    # What is piped on is cut by nobody's window.
    width = None if sys.stdout.isatty() else PIPED_WIDTH
    Console(markup=False, width=width).print(table)


def money(cost: Any) -> str:
    """Put what the API tells of a cost into words; empty where it tells nothing known."""
    amount = cost.get("total") if isinstance(cost, Mapping) else cost
    if isinstance(cost, Mapping) and amount is None and {"low", "high"} <= cost.keys():
        return " to ".join(filter(None, (money(cost["low"]), money(cost["high"]))))
    return f"${amount:.6f}" if isinstance(amount, int | float) else ""


def _plain(document: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in document.items()
    }


def duration(seconds: float) -> str:
    """Put a duration into words, such as ``0.42 s`` or ``2 min 05 s``.

    Parameters
    ----------
    seconds : float

    Returns
    -------
    str
    """
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"


def _input(job: Job) -> str:
    if not job.input:
        return ""
    known = job.input
    facts = [
        known.name,
        known.format and known.format.upper(),
        f"{known.width} x {known.height} pixels" if known.width and known.height else None,
        decimal(known.size) if known.size else None,
    ]
    return ", ".join(filter(None, facts))
