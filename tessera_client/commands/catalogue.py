"""Check a pipeline against the service's operations before a large image is sent for nothing."""

from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches

from tessera_client.commands.schema import parameters
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
    """Check names, bounds and listed values; everything else is the service's to judge.

    Raises
    ------
    InvalidPipeline
        When an operation or a parameter does not exist, a required parameter is missing, or a value is
        out of bounds.
    """
    for step in steps:
        known = {each.name: each for each in parameters(find(operations, step.operation))}
        advice = f"See `tessera operations {step.operation}`."
        for name, value in step.parameters.items():
            if name not in known:
                raise InvalidPipeline(
                    f"{step.operation} has no parameter '{name}'", _nearest(name, known) + advice
                )
            if not known[name].allows(value):
                allowed = known[name].range or known[name].kind
                raise InvalidPipeline(f"{step.operation}: {name}={value} is not within {allowed}", advice)
        for name, parameter in known.items():
            if parameter.required and name not in step.parameters:
                raise InvalidPipeline(f"{step.operation} needs the parameter '{name}'", advice)


def _nearest(name: str, names: Collection[str]) -> str:
    near = get_close_matches(name, names, n=1)
    return f"Did you mean {near[0]}? " if near else ""
