"""``tessera plan`` on a service."""

import typer
from rich.filesize import decimal

from tessera_client.commands.orders import Order, Request, opened
from tessera_client.commands.progress import display
from tessera_client.commands.report import duration, money, print_json
from tessera_client.commands.run import send
from tessera_client.commands.session import connected
from tessera_client.commands.settings import Settings
from tessera_client.views import Plan


def plan(settings: Settings, request: Request) -> None:
    """Send an image and print what a job would take.

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
        made = client.plan(upload.id, steps, output, page=request.page)
    print_plan(settings, made)


def print_plan(settings: Settings, made: Plan) -> None:
    """Print a plan; with --quiet the number of tiles only."""
    if settings.json:
        print_json(made.document)
        return
    if settings.quiet:
        typer.echo(made.tiles)
        return
    channels = "1 channel" if made.channels == 1 else f"{made.channels} channels"
    kind = f", {channels} of {made.depth} bits" if made.channels else ""
    facts = {
        "Result": f"{made.width} x {made.height} pixels{kind}" if made.width else "",
        "Tiles": f"{made.tiles}, in one task" if made.direct else f"{made.tiles}",
        "Memory": f"{decimal(made.memory)} in each task" if made.memory else "",
        "Work": f"{duration(made.work)} of one processor" if made.work else "",
        "Time": f"{duration(made.seconds.low)} to {duration(made.seconds.high)}" if made.seconds else "",
        "Cost": money(made.cost),
    }
    for name, value in facts.items():
        if value:
            typer.echo(f"{name:<9} {value}")
    for number, stage in enumerate(made.stages if not made.direct else (), 1):
        size = f" of {stage.columns} x {stage.rows}" if stage.columns and stage.rows else ""
        halo = f", halo {stage.halo}" if stage.halo else ""
        typer.echo(f"Stage {number:<3} {stage.tiles} tiles{size}{halo}: {stage.name}")
    for warning in made.warnings:
        typer.echo(f"Warning   {warning}")
