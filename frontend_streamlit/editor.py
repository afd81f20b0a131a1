"""The operations in order: add, set, move and remove them."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from frontend_streamlit import draft
from frontend_streamlit.draft import Entry
from frontend_streamlit.widgets import InvalidValue, ask
from frontend_streamlit.words import plain, title
from tessera_client import Operation, Step
from tessera_client.commands.schema import parameters


def show(catalogue: Mapping[str, Operation]) -> list[Step] | None:
    """Show the operations of the draft.

    Parameters
    ----------
    catalogue : mapping of str to Operation

    Returns
    -------
    list of Step or None
        None while a value isn't one, which the page then says.
    """
    st.subheader("Operations", anchor=False)
    entries = draft.current().entries
    if not entries:
        st.caption("They are applied one after the other, in this order.")
    steps = [_entry(entry, position, len(entries), catalogue) for position, entry in enumerate(entries, 1)]
    _adder(catalogue)
    complete = [step for step in steps if step is not None]
    return complete if len(complete) == len(steps) else None


def _adder(catalogue: Mapping[str, Operation]) -> None:
    def describe(name: str) -> str:
        return f"{title(name)}: {catalogue[name].summary}".rstrip(": ")

    chosen = st.selectbox(
        "Operation to add",
        sorted(catalogue),
        index=None,
        format_func=describe,
        placeholder="Choose, or type to search",
        key="operation_to_add",
    )
    st.button(
        "Add operation",
        icon=":material/add:",
        on_click=_add_chosen,
        disabled=chosen is None,
    )


def _add_chosen() -> None:
    chosen = st.session_state.get("operation_to_add")
    if chosen:
        draft.add(chosen)
        st.session_state["operation_to_add"] = None


def _entry(entry: Entry, position: int, count: int, catalogue: Mapping[str, Operation]) -> Step | None:
    with st.container(border=True, key=f"operation_{position}"):
        _heading(entry, position, count)
        operation = catalogue.get(entry.operation)
        if operation is None:
            st.error("The service doesn't offer this operation any more: remove it.")
            return None
        st.caption(plain(operation.summary))
        return _values(entry, operation)


def _heading(entry: Entry, position: int, count: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{position}\\. {plain(title(entry.operation))}**", width="stretch")
        buttons = (
            ("Up", ":material/arrow_upward:", draft.move, (entry.id, -1), position == 1),
            ("Down", ":material/arrow_downward:", draft.move, (entry.id, 1), position == count),
            ("Remove", ":material/delete:", draft.remove, (entry.id,), False),
        )
        for label, icon, action, arguments, impossible in buttons:
            st.button(
                label,
                key=f"{label}_{entry.id}",
                icon=icon,
                type="tertiary",
                on_click=action,
                args=arguments,
                disabled=impossible,
            )


def _values(entry: Entry, operation: Operation) -> Step | None:
    values: dict[str, Any] = {}
    wanted = parameters(operation)
    # A row at a time: on a narrow screen, where columns are stacked, the order stays.
    cells = [cell for _ in range(0, len(wanted), 2) for cell in st.columns(2)]
    for parameter, cell in zip(wanted, cells, strict=False):
        with cell:
            key = f"{entry.id}_{parameter.name}"
            try:
                values[parameter.name] = ask(parameter, entry.initial.get(parameter.name), key)
            except InvalidValue as invalid:
                st.error(plain(str(invalid)))
    return Step(entry.operation, values) if len(values) == len(wanted) else None
