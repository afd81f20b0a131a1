"""``tessera operations``."""

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import typer

from tessera_client.cli.completion import remember
from tessera_client.commands import catalogue
from tessera_client.commands.report import print_json, print_table
from tessera_client.commands.schema import Parameter, example, parameters
from tessera_client.commands.session import connected, reporting
from tessera_client.commands.settings import Settings
from tessera_client.models import Operation


def show(settings: Settings, name: str | None, *, local: bool = False) -> None:
    """Print the operations as a table, or one with its parameters.

    Parameters
    ----------
    settings : Settings
    name : str or None
    local : bool
        Ask this machine, and no service.
    """
    with reporting(settings):
        operations = _local() if local else _asked(settings)
        remember("operations", (operation.name for operation in operations))
        chosen = catalogue.find(operations, name) if name else None
    if settings.json:
        print_json(_document(chosen) if chosen else [_document(each) for each in operations])
    elif settings.quiet:
        typer.echo("\n".join(each.name for each in ([chosen] if chosen else operations)))
    elif chosen:
        _print_one(chosen)
    else:
        _print_all(operations)


def _asked(settings: Settings) -> Sequence[Operation]:
    with connected(settings) as client:
        return client.operations()


def _local() -> Sequence[Operation]:
    from tessera_client.commands.local import operations

    return operations()


def _document(operation: Operation) -> dict[str, Any]:
    return {
        "name": operation.name,
        "summary": operation.summary,
        "class": operation.exactness,
        "parameters": operation.parameters,
        "accepts": operation.accepts,
        "produces": operation.produces,
    }


def _print_all(operations: Sequence[Operation]) -> None:
    rows = [
        [each.name, each.exactness, ", ".join(parameter.name for parameter in parameters(each)), each.summary]
        for each in operations
    ]
    print_table(["operation", "class", "parameters", "what it does"], rows)
    typer.echo("\n`tessera operations NAME` explains the parameters of one.")


def _print_one(operation: Operation) -> None:
    typer.echo(f"{operation.name} ({operation.exactness}): {operation.summary}")
    for label, facts in (("accepts", operation.accepts), ("produces", operation.produces)):
        if facts:
            typer.echo(f"{label:<9} {_facts(facts)}")
    found = parameters(operation)
    if found:
        typer.echo()
        rows = [[each.name, each.kind, each.range, _default(each), each.description] for each in found]
        print_table(["parameter", "type", "range", "default", "what it does"], rows)
    typer.echo(f"\nExample: tessera run photo.jpg --op {shlex.quote(example(operation))}")


def _default(parameter: Parameter) -> str:
    if parameter.required:
        return "required"
    return parameter.default if isinstance(parameter.default, str) else json.dumps(parameter.default)


def _facts(facts: Mapping[str, Any]) -> str:
    def words(value: Any) -> str:
        return " ".join(map(str, value)) if isinstance(value, list) else str(value)

    return ", ".join(f"{name}: {words(value)}" for name, value in facts.items())
