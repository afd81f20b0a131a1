"""What is being put together: the operations in order, and the wanted file."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from tessera_client import Output, Step

_IDS = itertools.count()


@dataclass(slots=True)
class Entry:
    """One operation.

    Attributes
    ----------
    initial : mapping
        Values its widgets start with. What they hold later is Streamlit's to keep: a widget whose initial
        value changes is another widget, and forgets.
    latest : mapping or None
        Values they held when they were shown last.
    on : bool
        Whether it is applied.
    id : int
        Tells two entries of one operation apart.
    """

    operation: str
    initial: Mapping[str, Any] = field(default_factory=dict)
    latest: Mapping[str, Any] | None = None
    on: bool = True
    id: int = field(default_factory=lambda: next(_IDS))


@dataclass(slots=True)
class Draft:
    """The operations in order, the file format to start with, and the one that was shown last."""

    entries: list[Entry] = field(default_factory=list)
    output: Output = field(default_factory=Output)
    latest: Output | None = None
    id: int = field(default_factory=lambda: next(_IDS))


def current() -> Draft:
    """Return the draft of this session, at first an empty one."""
    if "draft" not in st.session_state:
        st.session_state["draft"] = Draft()
    found: Draft = st.session_state["draft"]
    return found


def begin_with(pipeline: Sequence[Step], output: Output | None = None) -> None:
    """Start a new draft with these operations.

    Parameters
    ----------
    pipeline : sequence of Step
    output : Output, optional
        Default: what is chosen now.
    """
    old = current()
    entries = [Entry(step.operation, step.parameters) for step in pipeline]
    st.session_state["draft"] = Draft(entries, output or old.latest or old.output)


def freeze() -> None:
    """Keep what the widgets hold: they aren't shown now, so Streamlit forgets it."""
    draft = current()
    for entry in draft.entries:
        if entry.latest is not None:
            entry.initial, entry.latest, entry.id = entry.latest, None, next(_IDS)
    if draft.latest is not None:
        draft.output, draft.latest, draft.id = draft.latest, None, next(_IDS)


def add(operation: str) -> None:
    """Put an operation at the end."""
    current().entries.append(Entry(operation))


def remove(entry_id: int) -> None:
    """Take an operation out."""
    draft = current()
    draft.entries = [entry for entry in draft.entries if entry.id != entry_id]


def switch(entry_id: int) -> None:
    """Switch an operation off, or on again."""
    for entry in current().entries:
        if entry.id == entry_id:
            entry.on = not entry.on


def move(entry_id: int, places: int) -> None:
    """Move an operation towards the end, or to the beginning where ``places`` is negative.

    Parameters
    ----------
    entry_id : int
    places : int
    """
    entries = current().entries
    index = next((i for i, entry in enumerate(entries) if entry.id == entry_id), None)
    if index is not None:
        entries.insert(max(0, index + places), entries.pop(index))
