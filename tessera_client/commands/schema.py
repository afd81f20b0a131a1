"""Read the JSON schema of an operation's parameters, as pydantic writes it."""

import json
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tessera_client.models import Operation

_BOUNDS = {
    "minimum": (">=", operator.ge),
    "exclusiveMinimum": (">", operator.gt),
    "maximum": ("<=", operator.le),
    "exclusiveMaximum": ("<", operator.lt),
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter in words.

    Attributes
    ----------
    kind : str
        Its type, or the values it can have.
    range : str
        Its bounds, empty where there are none.
    default : object
        Meaningless where ``required``.
    value : object
        One it can have: the default, else an example; None where none is known.
    """

    name: str
    kind: str
    range: str
    required: bool
    default: Any
    description: str
    value: Any
    entry: Mapping[str, Any]

    def allows(self, value: Any) -> bool:
        """Say whether a value is among those listed or within the bounds; its type is not looked at.

        Parameters
        ----------
        value : object

        Returns
        -------
        bool
        """
        if "enum" in self.entry:
            return value in self.entry["enum"]
        tests = [(test, self.entry[key]) for key, (_, test) in _BOUNDS.items() if key in self.entry]
        return not isinstance(value, int | float) or all(test(value, bound) for test, bound in tests)


def parameters(operation: Operation) -> list[Parameter]:
    """List the parameters of an operation.

    Parameters
    ----------
    operation : Operation

    Returns
    -------
    list of Parameter
    """
    schema = operation.parameters
    required = schema.get("required", ())
    return [
        _parameter(name, _resolved(entry, schema), name in required)
        for name, entry in schema.get("properties", {}).items()
    ]


def example(operation: Operation) -> str:
    """Write the operation as ``--op`` takes it: with its defaults, and a possible value where there is none.

    Parameters
    ----------
    operation : Operation

    Returns
    -------
    str
    """
    values = {each.name: each.value for each in parameters(operation) if each.value is not None}
    return written(operation.name, values)


def written(operation: str, values: Mapping[str, Any]) -> str:
    """Write an operation with these parameters as ``--op`` takes it.

    Parameters
    ----------
    operation : str
    values : mapping of str to object

    Returns
    -------
    str
    """
    if not values:
        return operation
    items = (f"{name}={_json(value)}" for name, value in values.items())
    return f"{operation}:{','.join(items)}"


def _json(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _parameter(name: str, entry: Mapping[str, Any], required: bool) -> Parameter:
    default = entry.get("default")
    examples = entry.get("examples") or entry.get("enum") or [entry.get("minimum")]
    return Parameter(
        name=name,
        kind=_kind(entry),
        range=_range(entry),
        required=required,
        default=default,
        description=entry.get("description", ""),
        value=examples[0] if default is None and required else default,
        entry=entry,
    )


def _resolved(entry: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = entry.get("$ref")
    if not reference and len(entry.get("allOf", ())) == 1:
        reference = entry["allOf"][0].get("$ref")
    if not reference:
        return entry
    target = schema.get("$defs", {}).get(reference.rpartition("/")[2], {})
    return {**target, **entry}


def _kind(entry: Mapping[str, Any]) -> str:
    if "enum" in entry:
        return " | ".join(map(str, entry["enum"]))
    if "const" in entry:
        return str(entry["const"])
    if "anyOf" in entry:
        return " or ".join(_kind(option) for option in entry["anyOf"])
    return str(entry.get("type", "any"))


def _range(entry: Mapping[str, Any]) -> str:
    low, high = entry.get("minimum"), entry.get("maximum")
    if low is not None and high is not None:
        bounds = [f"{low} to {high}"]
    else:
        bounds = [f"{sign} {entry[key]}" for key, (sign, _) in _BOUNDS.items() if key in entry]
    if "multipleOf" in entry:
        bounds.append(f"multiple of {entry['multipleOf']}")
    return ", ".join(bounds)
