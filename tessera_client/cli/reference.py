"""``operations``, ``presets`` and ``doctor``."""

from typing import Annotated

import typer

from tessera_client.cli import options as o
from tessera_client.cli.root import app, examples, settings

PANEL = "Reference"

Name = Annotated[str | None, typer.Argument(metavar="NAME", help="Only this one, with details.")]


@app.command(
    rich_help_panel=PANEL,
    epilog=examples(
        "tessera operations",
        "tessera operations canny --local",
    ),
)
def operations(
    context: typer.Context,
    name: Name = None,
    local: o.Local = False,
    api: o.Api = None,
    json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """List the operations, or one with its parameters."""
    from tessera_client.commands import operations

    operations.show(settings(context, api, json, quiet), name, local=local)


@app.command(
    rich_help_panel=PANEL,
    epilog=examples(
        "tessera presets",
        "tessera presets clean_edges --local --json > steps.json",
    ),
)
def presets(
    context: typer.Context,
    name: Name = None,
    local: o.Local = False,
    api: o.Api = None,
    json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """List the stored pipelines, or one with its steps; its JSON is a file for --pipeline."""
    from tessera_client.commands import presets

    presets.show(settings(context, api, json, quiet), name, local=local)


@app.command(
    rich_help_panel=PANEL,
    epilog=examples(
        "tessera doctor",
        "tessera doctor --local",
    ),
)
def doctor(
    context: typer.Context,
    local: o.Local = False,
    temp_dir: o.TempDir = None,
    api: o.Api = None,
    json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Check the set-up and say what to do. With --local, only what work on this machine needs."""
    from tessera_client.commands import doctor

    doctor.check(settings(context, api, json, quiet), local_only=local, temp_dir=temp_dir)
