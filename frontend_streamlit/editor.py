"""The operations in order: add, set, move, switch off and remove them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from frontend_streamlit import draft
from frontend_streamlit.draft import Entry
from frontend_streamlit.numbers import InvalidValue
from frontend_streamlit.widgets import ask, is_table
from frontend_streamlit.words import plain, title
from tessera_client import Operation, Step
from tessera_client.commands.schema import parameters


@dataclass(frozen=True, slots=True)
class Edited:
    """What the editor holds.

    Attributes
    ----------
    steps : list of Step
        The operations that are switched on.
    places : list of DeltaGenerator
        For each of them, where to say what is wrong with it.
    complete : bool
        Whether each value is one.
    """

    steps: list[Step]
    places: list[DeltaGenerator]
    complete: bool


def show(catalogue: Mapping[str, Operation]) -> Edited:
    """Show the operations of the draft.

    Parameters
    ----------
    catalogue : mapping of str to Operation

    Returns
    -------
    Edited
    """
    entries = draft.current().entries
    if not entries:
        st.caption("They are applied one after the other, in this order.")
    edited = Edited([], [], complete=True)
    complete = True
    for position, entry in enumerate(entries, 1):
        with st.container(border=True, key=f"operation_{position}"):
            step, place = _entry(entry, position, len(entries), catalogue)
        complete = complete and (step is not None or not entry.on)
        if step is not None and entry.on:
            edited.steps.append(step)
            edited.places.append(place)
    _adder(catalogue)
    return Edited(edited.steps, edited.places, complete)


def _adder(catalogue: Mapping[str, Operation]) -> None:
    def describe(name: str) -> str:
        return f"{title(name)}: {catalogue[name].summary}".rstrip(": ")

    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        chosen = st.selectbox(
            "Operation to add",
            sorted(catalogue),
            index=None,
            format_func=describe,
            placeholder="Choose, or type to search",
            key="operation_to_add",
            width="stretch",
        )
        st.button(
            "Add operation",
            icon=":material/add:",
            on_click=_add_chosen,
            disabled=chosen is None,
            type="primary" if chosen else "secondary",
        )


def _add_chosen() -> None:
    chosen = st.session_state.get("operation_to_add")
    if chosen:
        draft.add(chosen)
        st.session_state["operation_to_add"] = None


def _entry(
    entry: Entry, position: int, count: int, catalogue: Mapping[str, Operation]
) -> tuple[Step | None, DeltaGenerator]:
    _heading(entry, position, count)
    operation = catalogue.get(entry.operation)
    if operation is None:
        place = st.empty()
        place.error("The service doesn't offer this operation any more: remove it.")
        return None, place
    st.caption(plain(operation.summary) if entry.on else "Switched off: it isn't applied.")
    values = _values(entry, operation)
    return values, st.empty()


def _heading(entry: Entry, position: int, count: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        name = f"{position}\\. {plain(title(entry.operation))}"
        st.markdown(f"**{name}**" if entry.on else f":gray[{name}]", width="stretch")
        switch = ("Switch off", "visibility") if entry.on else ("Switch on", "visibility_off")
        buttons = (
            (*switch, draft.switch, (entry.id,), False),
            ("Up", "arrow_upward", draft.move, (entry.id, -1), position == 1),
            ("Down", "arrow_downward", draft.move, (entry.id, 1), position == count),
            ("Remove", "delete", draft.remove, (entry.id,), False),
        )
        for label, icon, action, arguments, impossible in buttons:
            st.button(
                label,
                key=f"{label}_{entry.id}",
                icon=f":material/{icon}:",
                type="tertiary",
                on_click=action,
                args=arguments,
                disabled=impossible,
            )


def _values(entry: Entry, operation: Operation) -> Step | None:
    values: dict[str, Any] = {}
    wanted = parameters(operation)
    # A row at a time: on a narrow screen, where columns are stacked, the order stays.
    cells = iter([cell for _ in range(0, len(wanted), 2) for cell in st.columns(2)])
    for parameter in wanted:
        with st.container() if is_table(parameter) else next(cells):
            key = f"{entry.id}_{parameter.name}"
            try:
                values[parameter.name] = ask(parameter, entry.initial.get(parameter.name), key)
            except InvalidValue as invalid:
                st.error(plain(str(invalid)))
    if len(values) < len(wanted):
        return None
    entry.latest = values
    return Step(entry.operation, values)
