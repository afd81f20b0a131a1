"""Refusing JSON that is no plain description of a job, before anything is made of it."""

import json
import re
from typing import Any, Final

from function_app.problems import InvalidRequest
from tessera.errors import LimitExceeded

MOST_DEPTH: Final = 16
_MOST_EXACT = 1 << 53
_NEITHER_STRING_NOR_BRACKET = re.compile(rb'"(?:[^"\\]|\\.)*"|[^\[\]{}"]+', re.DOTALL)


def plain_json(body: bytes, most_bytes: int) -> str:
    """Return *body* as JSON text in which whole numbers are written as such, as JSON Schema sees them.

    Raises
    ------
    LimitExceeded
        If it is longer than *most_bytes* or nested more than ``MOST_DEPTH`` deep.
    InvalidRequest
        If it isn't JSON, repeats a member, or has one such as ``__class__``.
    """
    if len(body) > most_bytes:
        raise LimitExceeded(
            f"the request has {len(body):,} bytes",
            limit=most_bytes,
            actual=len(body),
            hint="send the image to the upload's URL, and only the job's description here",
        )
    depth = _depth(body)
    if depth > MOST_DEPTH:
        raise LimitExceeded(
            f"the JSON is nested {depth} deep", limit=MOST_DEPTH, actual=depth, hint="nothing here is so deep"
        )
    try:
        document = json.loads(
            body, object_pairs_hook=_members, parse_constant=_no_number, parse_float=_number
        )
    except UnicodeDecodeError as error:
        raise InvalidRequest("the body is not JSON: it is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise InvalidRequest(f"the body is not JSON: {error}") from error
    except ValueError as error:  # a number of thousands of digits
        raise InvalidRequest("the body holds a number that is too long") from error
    return json.dumps(document)


def _depth(body: bytes) -> int:
    depth = deepest = 0
    for bracket in _NEITHER_STRING_NOR_BRACKET.sub(b"", body):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise InvalidRequest("a member of an object is given twice", hint="give each once")
    for name in members:
        if name.startswith("__"):
            raise InvalidRequest(
                f"the member {name[:80]!r} is refused", hint="no name here begins with two underscores"
            )
    return members


def _number(text: str) -> float:
    number = float(text)
    return int(number) if number.is_integer() and abs(number) < _MOST_EXACT else number


def _no_number(text: str) -> None:
    raise InvalidRequest(f"the body is not JSON: {text} is no number there")
