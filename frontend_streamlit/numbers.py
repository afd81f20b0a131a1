"""Numbers that somebody typed."""

import json
import math
from typing import Any


class InvalidValue(Exception):
    """Raised when what was typed isn't a value; the message says what to type."""


def parse_numbers(text: str, *, rows: bool) -> list[Any]:
    """Read numbers with commas or spaces between them.

    Parameters
    ----------
    text : str
    rows : bool
        Whether each line is a list of its own.

    Returns
    -------
    list
        Of int and float, or of lists of them.

    Raises
    ------
    InvalidValue
        When something else than numbers is there, or nothing.
    """
    lines = [_parse_line(line) for line in text.splitlines() if line.strip()]
    if not lines:
        raise InvalidValue("Type at least one number.")
    return lines if rows else [number for line in lines for number in line]


def _parse_line(line: str) -> list[int | float]:
    numbers = []
    for word in line.replace(",", " ").split():
        try:
            number = json.loads(word)
        except ValueError:
            number = None
        if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
            raise InvalidValue(
                f"“{word}” isn't a number. Type numbers with commas between them, such as 1, 0.5."
            )
        numbers.append(number)
    return numbers
