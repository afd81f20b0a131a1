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


@app.command(
    rich_help_panel=PANEL,
    epilog=examples(
        "tessera drill",
        "tessera drill --jobs 100 --at-once 8 --largest 8 --json",
        "tessera drill --jobs 50 --kill-every 5 --api http://127.0.0.1:7071",
    ),
)
def drill(
    context: typer.Context,
    jobs: Annotated[int, typer.Option("--jobs", min=1, max=100_000, help="Jobs in all.")] = 20,
    at_once: Annotated[int, typer.Option("--at-once", min=1, max=64, help="Jobs at a time.")] = 4,
    largest: Annotated[
        float,
        typer.Option("--largest", metavar="MP", min=0.1, max=100.0, help="Megapixels of the largest image."),
    ] = 2.0,
    seed: Annotated[int, typer.Option("--seed", metavar="NUMBER", help="Another one gives other jobs.")] = 1,
    kill_every: Annotated[
        float | None,
        typer.Option(
            "--kill-every",
            metavar="SECONDS",
            help="Kill a worker so often; only of an emulator on this machine.",
            show_default=False,
        ),
    ] = None,
    api: o.Api = None,
    json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Try a service: run jobs on made-up images and compare every pixel with OpenCV on this machine.

    Its jobs, some of which it cancels, are deleted at the end. It sees a service from outside: it can make
    workers fail, with --kill-every. Storage, host, disk and clock fail in `make drill`, on its own stack.
    """
    from drill.outside import Plan
    from tessera_client.commands import drill

    plan = Plan(jobs=jobs, seed=seed, largest=largest, at_once=at_once, kill_every=kill_every)
    drill.drill(settings(context, api, json, quiet), plan)
