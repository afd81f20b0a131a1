"""Words and JSON on stdout."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer
from rich.filesize import decimal

from tessera_client.commands.progress import describe
from tessera_client.errors import describe as describe_problem
from tessera_client.models import Job


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
    facts = [decimal(path.stat().st_size)]
    if job.result and job.result.width and job.result.height:
        facts.insert(0, f"{job.result.width} x {job.result.height} pixels")
    typer.echo(f"Result  {path.absolute()} ({', '.join(facts)})")
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
        "Time": ", ".join(f"{phase} {duration(value)}" for phase, value in job.seconds.items()),
        "Result": f"{decimal(job.result.size)}, fetch it with `tessera wait {job.id} -o FILE`"
        if job.result
        else "",
        "Error": f"{describe_problem(job.error)}. {job.error.hint or ''}".strip() if job.error else "",
    }
    for name, value in facts.items():
        if value:
            typer.echo(f"{name:<9} {value}")


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
