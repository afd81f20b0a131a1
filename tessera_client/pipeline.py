"""Operations with their parameters as people write them: on one line, or in a file."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from tessera_client.errors import InvalidPipeline
from tessera_client.models import Step

EXAMPLE = "canny:low=50,high=150"
_OPENING, _CLOSING = "[{", "]}"
_FILE_EXAMPLE = "Write a list of steps such as `- canny: {low: 50, high: 150}` or `- invert`."


def parse_step(text: str) -> Step:
    """Read one operation from ``NAME`` or ``NAME:key=value,key=value``.

    Parameters
    ----------
    text : str
        A value that is a JSON number, boolean, list, object or quoted string becomes one; anything else stays
        a string. Commas inside brackets and quotes don't end a value.

    Returns
    -------
    Step

    Raises
    ------
    InvalidPipeline
        When the name or a key is missing, a key comes twice, a value has no ``=``, or a list is no JSON.

    Examples
    --------
    >>> parse_step("canny:low=50,high=150")
    Step(operation='canny', parameters={'low': 50, 'high': 150})
    >>> parse_step("curves:points=[[0,0],[0.5,0.7],[1,1]]")
    Step(operation='curves', parameters={'points': [[0, 0], [0.5, 0.7], [1, 1]]})
    """
    name, colon, rest = text.strip().partition(":")
    name = name.strip()
    if not name or "=" in name or "," in name:
        raise InvalidPipeline(f"'{text}' does not start with an operation's name; write it like {EXAMPLE}")
    if colon and not rest.strip():
        raise InvalidPipeline(f"'{text}' has a colon but no parameters; write {name}, or like {EXAMPLE}")
    parameters: dict[str, Any] = {}
    for item in _items(rest) if colon else ():
        key, equals, value = (part.strip() for part in item.partition("="))
        if not (key and equals and value):
            raise InvalidPipeline(f"'{item}' in '{text}' is not name=value; write it like {EXAMPLE}")
        if key in parameters:
            raise InvalidPipeline(f"'{key}' is given twice in '{text}'")
        parameters[key] = _value(key, value)
    return Step(name, parameters)


def load_pipeline(path: str | Path) -> tuple[Step, ...]:
    """Read the operations of a YAML or JSON file.

    Parameters
    ----------
    path : str or Path
        The file is a list of steps, or has one under ``pipeline``. A step is a name, a line as `parse_step`
        takes it, a mapping of one name to its parameters, or ``operation`` with ``parameters`` as the API
        has it.

    Returns
    -------
    tuple of Step

    Raises
    ------
    InvalidPipeline
        When the file cannot be read or holds something else; the message names the step.
    """
    document = _load(Path(path))
    if isinstance(document, Mapping) and "pipeline" in document:
        document = document["pipeline"]
    if not isinstance(document, list) or not document:
        raise InvalidPipeline(f"{path} holds no list of steps", _FILE_EXAMPLE)
    return tuple(_step(entry, f"step {number} of {path}") for number, entry in enumerate(document, 1))


def _load(path: Path) -> Any:
    import yaml

    try:
        # Every JSON document is a YAML document.
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as unreadable:
        raise InvalidPipeline(f"cannot read {path}: {unreadable.strerror or unreadable}") from unreadable
    except (yaml.YAMLError, UnicodeDecodeError) as invalid:
        reason = " ".join(str(invalid).split())
        raise InvalidPipeline(f"{path} is neither YAML nor JSON: {reason}") from invalid


def _step(entry: Any, place: str) -> Step:
    if isinstance(entry, str):
        return parse_step(entry)
    if isinstance(entry, Mapping) and "operation" in entry and set(entry) <= {"operation", "parameters"}:
        name, parameters = entry["operation"], entry.get("parameters")
    elif isinstance(entry, Mapping) and len(entry) == 1:
        ((name, parameters),) = entry.items()
    else:
        raise InvalidPipeline(f"{place} is no operation", _FILE_EXAMPLE)
    if not isinstance(name, str) or not isinstance(parameters or {}, Mapping):
        raise InvalidPipeline(f"{place} is no operation with named parameters", _FILE_EXAMPLE)
    return Step(name, dict(parameters or {}))


def _items(text: str) -> Iterator[str]:
    """Split at the commas that stand outside of brackets and quotes."""
    depth, quoted, start = 0, False, 0
    for index, character in enumerate(text):
        if quoted:
            quoted = character != '"' or text[index - 1] == "\\"
        elif character == '"':
            quoted = True
        elif character in _OPENING:
            depth += 1
        elif character in _CLOSING:
            depth -= 1
        elif character == "," and depth <= 0:
            yield text[start:index]
            start = index + 1
    yield text[start:]


def _value(key: str, text: str) -> Any:
    try:
        value = json.loads(text, parse_constant=_not_json)
    except ValueError as invalid:
        if text[0] in _OPENING:
            raise InvalidPipeline(
                f"{key}={text} is not valid JSON: {invalid}", "In a shell, put it into single quotes."
            ) from invalid
        return text
    return text if value is None else value


def _not_json(constant: str) -> NoReturn:
    raise ValueError(constant)
