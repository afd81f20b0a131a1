"""``tessera presets``."""

import shlex
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import typer

from tessera_client.cli.completion import remember
from tessera_client.commands.orders import find_preset
from tessera_client.commands.report import print_json, print_table
from tessera_client.commands.schema import written
from tessera_client.commands.session import connected, reporting
from tessera_client.commands.settings import Settings
from tessera_client.models import Preset


def show(settings: Settings, name: str | None, *, local: bool = False) -> None:
    """Print the stored pipelines as a table, or the steps of one.

    Parameters
    ----------
    settings : Settings
    name : str or None
    local : bool
        Ask this machine, and no service.
    """
    with reporting(settings):
        presets = _local() if local else _asked(settings)
        remember("presets", (preset.name for preset in presets))
        chosen = find_preset(presets, name) if name else None
    if settings.json:
        print_json(_document(chosen) if chosen else [_document(each) for each in presets])
    elif settings.quiet:
        lines = [each.name for each in presets] if chosen is None else _lines(chosen)
        typer.echo("\n".join(lines))
    elif chosen:
        typer.echo(f"{chosen.name}: {chosen.summary}\n")
        typer.echo("\n".join(f"  --op {shlex.quote(line)}" for line in _lines(chosen)))
        typer.echo(f"\nExample: tessera run photo.jpg --preset {chosen.name}")
    else:
        rows = [
            [each.name, ", ".join(step.operation for step in each.pipeline), each.summary] for each in presets
        ]
        print_table(["preset", "operations", "what it does"], rows)


def _document(preset: Preset) -> dict[str, Any]:
    steps = [asdict(step) for step in preset.pipeline]
    return {"name": preset.name, "summary": preset.summary, "pipeline": steps}


def _lines(preset: Preset) -> list[str]:
    return [written(step.operation, step.parameters) for step in preset.pipeline]


def _asked(settings: Settings) -> Sequence[Preset]:
    with connected(settings) as client:
        return client.presets()


def _local() -> Sequence[Preset]:
    from tessera_client.commands.local import presets

    return presets()
