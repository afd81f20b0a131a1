"""``tessera drill``: the only module that reaches the drills."""

import os
from collections import Counter

import typer

from drill import outside
from drill.customer import Run
from tessera_client.commands.finishing import finish
from tessera_client.commands.report import print_json
from tessera_client.commands.session import failure, reporting
from tessera_client.commands.settings import Settings
from tessera_client.exit_codes import ExitCode


def drill(settings: Settings, plan: outside.Plan) -> None:
    """Run jobs whose results are known, and print how each ended.

    Raises
    ------
    typer.Exit
        With 1 when a result is wrong, or a job failed for no reason that was given to it.
    """
    key = os.environ.get("TESSERA_API_KEY") or settings.api_key

    def told(run: Run, wrong: str | None) -> None:
        if not settings.json and (wrong or not settings.quiet):
            # What is judged right may still have failed, if a killed worker is the reason.
            typer.echo(
                f"{'WRONG' if wrong else _words(run)}  {run.order.words}{f': {wrong}' if wrong else ''}"
            )

    with reporting(settings):
        try:
            found = finish(outside.check(plan, settings.api, key, told))
        except outside.NotHere as error:
            raise failure(settings, str(error), "Leave --kill-every out.", ExitCode.USAGE) from None
    exact = sum(run.exact for run in found.runs)
    retried = sum(run.retried for run in found.runs)
    if settings.json:
        print_json(
            {
                "jobs": len(found.runs),
                "exact": exact,
                "cancelled": sum(run.state == "cancelled" for run in found.runs),
                "failed": dict(Counter(run.code for run in found.runs if run.state == "failed")),
                "retried": retried,
                "kills": found.kills,
                "wrong": found.wrong,
            }
        )
    else:
        typer.echo(
            f"{len(found.runs)} jobs, {exact} right in every pixel, {len(found.wrong)} wrong; "
            f"{found.kills} workers killed, {retried} tiles begun again"
        )
    if found.wrong:
        raise typer.Exit(ExitCode.FAILED)


def _words(run: Run) -> str:
    return "exact" if run.exact else run.state if run.code is None else f"{run.state} ({run.code})"
