"""Check a pipeline against the service's operations before a large image is sent for nothing."""

from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches

from tessera_client.errors import InvalidPipeline
from tessera_client.models import Operation, Step


def find(operations: Iterable[Operation], name: str) -> Operation:
    """Look an operation up.

    Raises
    ------
    InvalidPipeline
        When there is none of that name; the hint names the nearest.
    """
    by_name = {operation.name: operation for operation in operations}
    if name not in by_name:
        raise InvalidPipeline(
            f"there is no operation '{name}'", _nearest(name, by_name) + "`tessera operations` lists them."
        )
    return by_name[name]


def check(steps: Sequence[Step], operations: Sequence[Operation]) -> None:
    """Check the names of operations and parameters; the values are the service's to judge.

    Raises
    ------
    InvalidPipeline
        When an operation or a parameter does not exist, or a required parameter is missing.
    """
    for step in steps:
        schema = find(operations, step.operation).parameters
        known = schema.get("properties", {})
        help_command = f"See `tessera operations {step.operation}`."
        for name in step.parameters:
            if name not in known and not schema.get("additionalProperties"):
                raise InvalidPipeline(
                    f"{step.operation} has no parameter '{name}'", _nearest(name, known) + help_command
                )
        missing = [name for name in schema.get("required", ()) if name not in step.parameters]
        if missing:
            raise InvalidPipeline(f"{step.operation} needs the parameter '{missing[0]}'", help_command)


def _nearest(name: str, names: Collection[str]) -> str:
    near = get_close_matches(name, names, n=1)
    return f"Did you mean {near[0]}? " if near else ""
