"""Commands about jobs that were started."""

from datetime import datetime
from typing import Annotated, Any

import typer

from tessera_client.cli import options as o
from tessera_client.cli.root import app, examples, settings

PANEL = "Jobs"


def _day(name: str, help: str) -> Any:
    return typer.Option(name, metavar="YYYY-MM-DD", formats=["%Y-%m-%d"], help=help)


OutputFile = Annotated[
    str | None, typer.Option("-o", "--output", metavar="FILE", help="Where to write the result; - is stdout.")
]


@app.command(
    rich_help_panel=PANEL,
    epilog=examples(
        "tessera status 3f2a --json",
        "tessera status 3f2a --tiles",
    ),
)
def status(
    context: typer.Context,
    job: o.JobId,
    tiles: Annotated[bool, typer.Option("--tiles", help="List the tiles with attempts and seconds.")] = False,
    api: o.Api = None,
    json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Print how a job is doing; with --quiet its state only."""
    from tessera_client.commands import jobs

    jobs.status(settings(context, api, json, quiet), job, tiles=tiles)


@app.command(
    rich_help_panel=PANEL,
    epilog=examples(
        "tessera wait 3f2a -o edges.png",
        "tessera wait 3f2a --timeout 600 --quiet",
    ),
)
def wait(
    context: typer.Context,
    job: o.JobId,
    output: OutputFile = None,
    force: o.Force = False,
    timeout: o.Timeout = None,
    api: o.Api = None,
    json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Wait until a job is finished, and fetch its result with -o. Ctrl-C leaves the job running."""
    from tessera_client.commands import jobs

    jobs.wait(settings(context, api, json, quiet), job, output, force=force, timeout=timeout)


@app.command(rich_help_panel=PANEL, epilog=examples("tessera watch 3f2a"))
def watch(
    context: typer.Context,
    job: o.JobId,
    timeout: o.Timeout = None,
    api: o.Api = None,
    json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Watch a job until it is finished, and print it. With --json, a line for each change.

    Ctrl-C leaves the job running.
    """
    from tessera_client.commands import jobs

    jobs.watch(settings(context, api, json, quiet), job, timeout=timeout)


@app.command(
    rich_help_panel=PANEL,
    epilog=examples(
        "tessera result 3f2a -o edges.png",
        "tessera result 3f2a --quiet | xargs curl -O",
    ),
)
def result(
    context: typer.Context,
    job: o.JobId,
    output: OutputFile = None,
    force: o.Force = False,
    api: o.Api = None,
    json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Fetch the result of a finished job, or print a link to it, which lets anybody fetch it for a while."""
    from tessera_client.commands import jobs

    jobs.result(settings(context, api, json, quiet), job, output, force=force)


@app.command(rich_help_panel=PANEL, epilog=examples("tessera cancel 3f2a"))
def cancel(
    context: typer.Context,
    job: o.JobIds,
    api: o.Api = None,
    json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Stop jobs. They stay in the list as cancelled, and can be taken up again with `tessera retry`."""
    from tessera_client.commands import changes

    changes.cancel(settings(context, api, json, quiet), job)


@app.command(rich_help_panel=PANEL, epilog=examples("tessera retry 3f2a && tessera wait 3f2a -o edges.png"))
def retry(
    context: typer.Context,
    job: o.JobIds,
    api: o.Api = None,
    json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Take up jobs again that failed or were cancelled; what had succeeded isn't done again."""
    from tessera_client.commands import changes

    changes.retry(settings(context, api, json, quiet), job)


@app.command(
    rich_help_panel=PANEL, epilog=examples("tessera list --state failed --quiet | xargs tessera delete")
)
def delete(
    context: typer.Context,
    job: o.JobIds,
    api: o.Api = None,
    json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Remove every trace of jobs, their results too; one that runs is stopped first."""
    from tessera_client.commands import changes

    changes.delete(settings(context, api, json, quiet), job)


@app.command(
    "list",
    rich_help_panel=PANEL,
    epilog=examples(
        "tessera list",
        "tessera list --state running --json",
        "tessera list --text canny --since 2026-11-01",
    ),
)
def list_jobs(
    context: typer.Context,
    state: Annotated[o.State | None, typer.Option("--state", help="Only jobs in this state.")] = None,
    text: Annotated[
        str | None,
        typer.Option("--text", help="Only jobs whose file name, or the name of an operation, contains this."),
    ] = None,
    since: Annotated[datetime | None, _day("--since", "Only jobs of this day (UTC) and later.")] = None,
    until: Annotated[datetime | None, _day("--until", "Only jobs of this day (UTC) and earlier.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Jobs at most.")] = 20,
    api: o.Api = None,
    json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """List your jobs, the newest first; with --quiet their IDs only."""
    from tessera_client.commands import jobs
    from tessera_client.views import JobFilter

    first, last = (day.date() if day else None for day in (since, until))
    wanted = JobFilter(state=state, text=text or None, since=first, until=last)
    jobs.list_jobs(settings(context, api, json, quiet), wanted, limit)


@app.command(
    rich_help_panel=PANEL,
    epilog=examples(
        "tessera batches",
        "tessera batches 3f2a --json",
    ),
)
def batches(
    context: typer.Context,
    batch: Annotated[
        str | None, typer.Argument(metavar="ID", help="One batch, with what became of each image.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Batches at most.")] = 20,
    api: o.Api = None,
    json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """List your batches, the newest first, or show one; with --quiet IDs only, of batches or of jobs."""
    from tessera_client.commands import jobs

    chosen = settings(context, api, json, quiet)
    if batch:
        jobs.show_batch(chosen, batch)
    else:
        jobs.list_batches(chosen, limit)
