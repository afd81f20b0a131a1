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
    id : int
        Tells two entries of one operation apart.
    """

    operation: str
    initial: Mapping[str, Any] = field(default_factory=dict)
    id: int = field(default_factory=lambda: next(_IDS))


@dataclass(slots=True)
class Draft:
    """The operations in order, and the file format to start with."""

    entries: list[Entry] = field(default_factory=list)
    output: Output = field(default_factory=Output)
    id: int = field(default_factory=lambda: next(_IDS))


def current() -> Draft:
    """Return the draft of this session, at first an empty one."""
    if "draft" not in st.session_state:
        st.session_state["draft"] = Draft()
    found: Draft = st.session_state["draft"]
    return found


def begin_with(pipeline: Sequence[Step], output: Output | None) -> None:
    """Start a new draft with the operations of a job.

    Parameters
    ----------
    pipeline : sequence of Step
    output : Output or None
    """
    entries = [Entry(step.operation, step.parameters) for step in pipeline]
    st.session_state["draft"] = Draft(entries, output or Output())


def add(operation: str) -> None:
    """Put an operation at the end."""
    current().entries.append(Entry(operation))


def remove(entry_id: int) -> None:
    """Take an operation out."""
    draft = current()
    draft.entries = [entry for entry in draft.entries if entry.id != entry_id]


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
