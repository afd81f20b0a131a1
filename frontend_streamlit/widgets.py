"""A widget for each parameter of an operation, from its JSON schema."""

import math
from collections.abc import Mapping
from typing import Any

import streamlit as st

from frontend_streamlit import matrices
from frontend_streamlit.numbers import parse_numbers
from frontend_streamlit.words import plain, title
from tessera_client.commands.schema import Parameter

_FINEST_STEP = 0.001


def ask(parameter: Parameter, initial: Any, key: str) -> Any:
    """Show the widget of a parameter.

    Parameters
    ----------
    parameter : Parameter
    initial : object
        What the widget starts with; None for the parameter's default.
    key : str

    Returns
    -------
    object
        What the widget holds, as JSON has it.

    Raises
    ------
    InvalidValue
        When what was typed isn't a value.
    """
    entry, label = parameter.entry, title(parameter.name)
    start = parameter.value if initial is None else initial
    common: dict[str, Any] = {"key": key, "help": _help(parameter)}
    if "enum" in entry:
        choices = list(entry["enum"])
        index = choices.index(start) if start in choices else 0
        return st.selectbox(label, choices, index, format_func=lambda each: title(str(each)), **common)
    match entry.get("type"):
        case "boolean":
            return st.toggle(label, bool(start), **common)
        case "integer":
            return _whole_number(label, entry, start, common)
        case "number":
            return _number(label, entry, start, common)
        case "array":
            return _numbers(label, parameter, start, common)
    return st.text_input(label, str(start or ""), **common)


def is_table(parameter: Parameter) -> bool:
    """Say whether a parameter is rows of numbers, which take the whole width."""
    return isinstance(parameter.value, list | tuple) and any(
        isinstance(each, list | tuple) for each in parameter.value
    )


def _whole_number(label: str, entry: Mapping[str, Any], start: Any, common: Mapping[str, Any]) -> int:
    low, high = entry.get("minimum"), entry.get("maximum")
    low = entry["exclusiveMinimum"] + 1 if "exclusiveMinimum" in entry else low
    high = entry["exclusiveMaximum"] - 1 if "exclusiveMaximum" in entry else high
    step = 2 if entry.get("odd") else int(entry.get("multipleOf", 1))
    value = int(_first(start, low, 0))
    return int(st.number_input(label, low, high, value, step, **common))


def _number(label: str, entry: Mapping[str, Any], start: Any, common: Mapping[str, Any]) -> float:
    low = entry.get("minimum", entry.get("exclusiveMinimum"))
    high = entry.get("maximum", entry.get("exclusiveMaximum"))
    value = float(_first(start, low, 0))
    step = _step(low, high, value)
    bounds = [None if bound is None else float(bound) for bound in (low, high)]
    return float(st.number_input(label, bounds[0], bounds[1], value, step, "%g", **common))


def _first(*values: Any) -> Any:
    return next(value for value in values if value is not None)


def _step(low: float | None, high: float | None, start: float) -> float:
    """Return the power of ten that goes well with the range and with the value to begin with."""
    scales = [1.0]
    if low is not None and high is not None and high > low:
        scales.append((high - low) / 50)
    if start:
        scales.append(abs(start) / 10)
    return max(_FINEST_STEP, float(10.0 ** math.floor(math.log10(min(scales)))))


def _numbers(label: str, parameter: Parameter, start: Any, common: Mapping[str, Any]) -> list[Any]:
    start = start or []
    if is_table(parameter):
        rows = [list(row) for row in start]
        return matrices.ask(label, parameter.name, parameter.entry, rows, common)
    text = ", ".join(f"{number:g}" for number in start)
    return parse_numbers(st.text_input(label, text, **common), rows=False)


def _help(parameter: Parameter) -> str | None:
    sentences = [parameter.description, parameter.range]
    text = " ".join(f"{each[:1].upper()}{each[1:].rstrip('.')}." for each in sentences if each)
    return plain(text) or None
