"""``tessera operations``."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from tessera_client.commands import Settings, catalogue, connected
from tessera_client.commands.report import print_json
from tessera_client.commands.schema import Parameter, example, parameters
from tessera_client.models import Operation


def show(settings: Settings, name: str | None) -> None:
    """Print the operations as a table, or one with its parameters.

    Parameters
    ----------
    settings : Settings
    name : str or None
    """
    with connected(settings) as client:
        operations = client.operations()
        chosen = catalogue.find(operations, name) if name else None
    if settings.json:
        print_json(_document(chosen) if chosen else [_document(each) for each in operations])
    elif settings.quiet:
        typer.echo("\n".join(each.name for each in ([chosen] if chosen else operations)))
    elif chosen:
        _print_one(chosen)
    else:
        _print_all(operations)


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
    table = _table("operation", "class", "parameters", "what it does")
    for each in operations:
        names = ", ".join(parameter.name for parameter in parameters(each))
        table.add_row(each.name, each.exactness, names, each.summary)
    Console().print(table)
    typer.echo("\n`tessera operations NAME` explains the parameters of one.")


def _print_one(operation: Operation) -> None:
    typer.echo(f"{operation.name} ({operation.exactness}): {operation.summary}")
    for label, facts in (("accepts", operation.accepts), ("produces", operation.produces)):
        if facts:
            typer.echo(f"{label:<9} {_facts(facts)}")
    found = parameters(operation)
    if found:
        table = _table("parameter", "type", "range", "default", "what it does")
        for each in found:
            table.add_row(each.name, each.kind, each.range, _default(each), each.description)
        typer.echo()
        Console().print(table)
    typer.echo(f"\nExample: tessera run photo.jpg --op {example(operation)}")


def _default(parameter: Parameter) -> str:
    if parameter.required:
        return "required"
    return parameter.default if isinstance(parameter.default, str) else json.dumps(parameter.default)


def _facts(facts: Mapping[str, Any]) -> str:
    def words(value: Any) -> str:
        return " ".join(map(str, value)) if isinstance(value, list) else str(value)

    return ", ".join(f"{name}: {words(value)}" for name, value in facts.items())


def _table(*headers: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for index, header in enumerate(headers):
        last = index == len(headers) - 1
        table.add_column(header, overflow="fold", no_wrap=index == 0, ratio=1 if last else None)
    return table
