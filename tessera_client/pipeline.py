"""Operations with their parameters, written on one line: ``canny:low=50,high=150``."""

import json
from typing import Any, NoReturn

from tessera_client.errors import InvalidPipeline
from tessera_client.models import Step

EXAMPLE = "canny:low=50,high=150"


def parse_step(text: str) -> Step:
    """Read one operation from ``NAME`` or ``NAME:key=value,key=value``.

    Parameters
    ----------
    text : str
        A value that is a JSON number or boolean becomes one; anything else stays a string.

    Returns
    -------
    Step

    Raises
    ------
    InvalidPipeline
        When the name or a key is missing, a key comes twice, or a value has no ``=``.

    Examples
    --------
    >>> parse_step("canny:low=50,high=150")
    Step(operation='canny', parameters={'low': 50, 'high': 150})
    """
    name, colon, rest = text.strip().partition(":")
    name = name.strip()
    if not name or "=" in name or "," in name:
        raise InvalidPipeline(f"'{text}' does not start with an operation's name; write it like {EXAMPLE}")
    if colon and not rest.strip():
        raise InvalidPipeline(f"'{text}' has a colon but no parameters; write {name}, or like {EXAMPLE}")
    parameters: dict[str, Any] = {}
    for item in rest.split(",") if colon else ():
        key, equals, value = (part.strip() for part in item.partition("="))
        if not (key and equals and value):
            raise InvalidPipeline(f"'{item}' in '{text}' is not name=value; write it like {EXAMPLE}")
        if key in parameters:
            raise InvalidPipeline(f"'{key}' is given twice in '{text}'")
        parameters[key] = _value(value)
    return Step(name, parameters)


def _value(text: str) -> int | float | bool | str:
    try:
        value = json.loads(text, parse_constant=_not_json)
    except ValueError:
        return text
    return value if isinstance(value, int | float | bool) else text


def _not_json(constant: str) -> NoReturn:
    raise ValueError(constant)
