"""Rows of numbers in a table; as text for whoever prefers to type or paste them, or can't use a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from frontend_streamlit.numbers import InvalidValue, parse_numbers

type Rows = list[list[Any]]

MOST_COLUMNS = 31
_WIDTH = 60
_COLUMNS = {"points": ("Input", "Output"), "matrix": ("Red", "Green", "Blue", "Offset")}
_ROWS = {"matrix": ("Red", "Green", "Blue")}
_MAKES = "Makes"


@dataclass(slots=True)
class _Held:
    """What the widget on show starts with, and what it held last; *turn* tells one widget from the next."""

    base: Rows
    now: Rows
    turn: int = 0

    def begin_again(self, rows: Rows) -> None:
        self.base, self.now, self.turn = rows, rows, self.turn + 1


def ask(label: str, name: str, entry: Mapping[str, Any], start: Rows, common: Mapping[str, Any]) -> Rows:
    """Show the table or the text.

    Parameters
    ----------
    label, name : str
        Of the parameter.
    entry : mapping
        Its JSON schema.
    start : list of list of number
    common : mapping
        ``key`` and ``help`` of the widget.

    Returns
    -------
    list of list of number

    Raises
    ------
    InvalidValue
        When a cell is empty, or what was typed isn't a value.
    """
    key = str(common["key"])
    held: _Held = st.session_state.setdefault(f"{key}_held", _Held(start, start))
    st.markdown(label, help=common["help"])
    as_text = st.toggle(
        "As text", key=f"{key}_as_text", on_change=lambda: held.begin_again(held.now), help=_TEXT_HELP
    )
    if as_text:
        held.now = _text(label, held, key)
    else:
        _ask_columns(name, held, key)
        held.now = _table(name, entry, held, key)
    return held.now


_TEXT_HELP = "Type or paste the numbers instead: commas between them, a line for each row."


def _text(label: str, held: _Held, key: str) -> Rows:
    text = "\n".join(", ".join(f"{number:g}" for number in row) for row in held.base)
    typed = st.text_area(label, text, key=f"{key}_text_{held.turn}", label_visibility="collapsed")
    return parse_numbers(typed, rows=True)


def _ask_columns(name: str, held: _Held, key: str) -> None:
    """Ask how many columns there are, where the parameter doesn't say it."""
    if name in _COLUMNS:
        return
    columns_key = f"{key}_columns_{held.turn}"

    def resize() -> None:
        wanted = int(st.session_state[columns_key])
        held.begin_again([(row + [0.0] * wanted)[:wanted] for row in held.now])

    st.number_input("Columns", 1, MOST_COLUMNS, len(held.base[0]), 2, key=columns_key, on_change=resize)


def _table(name: str, entry: Mapping[str, Any], held: _Held, key: str) -> Rows:
    columns = _COLUMNS.get(name) or tuple(str(i + 1) for i in range(len(held.base[0])))
    made = _ROWS.get(name)
    cells: dict[str, Any] = {_MAKES: list(made)} if made else {}
    cells |= {column: [row[i] for row in held.base] for i, column in enumerate(columns)}
    number = st.column_config.NumberColumn(width=_WIDTH, format="%g", required=True)
    edited = st.data_editor(
        cells,
        key=f"{key}_table_{held.turn}",
        num_rows="fixed" if entry.get("minItems") == entry.get("maxItems") else "dynamic",
        column_config=dict.fromkeys(columns, number),
        disabled=[_MAKES],
        hide_index=True,
        width="stretch",
    )
    return _complete(list(zip(*(edited[column] for column in columns), strict=True)))


def _complete(rows: Sequence[Sequence[Any]]) -> Rows:
    if not rows:
        raise InvalidValue("Fill in at least one row.")
    # An empty cell is None, or the one number that differs from itself.
    if any(number is None or number != number for row in rows for number in row):
        raise InvalidValue("Fill in each cell, or remove the row.")
    return [list(row) for row in rows]
