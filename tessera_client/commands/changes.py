"""``tessera cancel``, ``retry`` and ``delete``: one change to one or more jobs."""

from collections.abc import Callable, Sequence
from typing import Any

import typer

from tessera_client.client import Client
from tessera_client.commands.report import print_json
from tessera_client.commands.session import complain, connected, exit_code
from tessera_client.commands.settings import Settings
from tessera_client.errors import ApiError


def cancel(settings: Settings, job_ids: Sequence[str]) -> None:
    """Stop jobs."""
    _change(settings, job_ids, lambda client, job_id: client.cancel(job_id).document, "is being cancelled")


def retry(settings: Settings, job_ids: Sequence[str]) -> None:
    """Take up jobs again."""
    _change(settings, job_ids, lambda client, job_id: client.retry(job_id).document, "goes on")


def delete(settings: Settings, job_ids: Sequence[str]) -> None:
    """Remove every trace of jobs."""

    def remove(client: Client, job_id: str) -> dict[str, Any]:
        client.delete(job_id)
        return {"id": job_id, "deleted": True}

    _change(settings, job_ids, remove, "is removed with everything of it")


def _change(
    settings: Settings, job_ids: Sequence[str], change: Callable[[Client, str], dict[str, Any]], done: str
) -> None:
    """Change each job; one that can't be changed doesn't keep the others from it."""
    documents: list[dict[str, Any]] = []
    failures: list[ApiError] = []
    with connected(settings) as client:
        for job_id in job_ids:
            try:
                documents.append(change(client, job_id))
            except ApiError as error:
                if len(job_ids) == 1:
                    raise
                failures.append(error)
                documents.append({"id": job_id, "error": str(error)})
                complain(f"{job_id}: {error}", error.hint)
            else:
                if not (settings.json or settings.quiet):
                    typer.echo(f"Job {job_id} {done}.")
    if settings.json:
        print_json(documents[0] if len(job_ids) == 1 else documents)
    if failures:
        raise typer.Exit(exit_code(failures[0]))
