"""Every operation with a picture of what it does."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from frontend_streamlit import access, address, draft
from frontend_streamlit.words import plain, show_error, title
from tessera_client import Operation, TesseraClientError
from tessera_client.commands.schema import parameters

# In the container they lie beside the page, in a checkout among the documents.
_FOLDERS = (Path(__file__).with_name("pictures"), Path(__file__).parents[1] / "docs" / "operations")
ACROSS = 3
KINDS = {
    "point": "Each pixel by itself",
    "stencil": "Each pixel with its neighbours",
    "global": "With what was found in the whole image",
    "geometry": "Moves pixels",
}


def show() -> None:
    """Show the catalogue."""
    st.subheader("Operations", anchor=False)
    try:
        catalogue = access.operations()
    except TesseraClientError as error:
        show_error(error)
        st.button("Try again", icon=":material/refresh:")
        return
    left, right = st.columns([3, 1], vertical_alignment="center")
    with left:
        st.markdown(
            "Each gives the same pixels for an image in parts as for the image in one piece, bit for bit. "
            "Where that may differ between kinds of processors, it says so."
        )
        wanted = st.text_input("Search", placeholder="Blur, edges, colour ...", key="search")
    with right:
        if picture := picture_of("before"):
            st.image(picture, caption="Before", alt="The photograph before")
    found = [each for each in catalogue.values() if matches(each, wanted or "")]
    if not found:
        st.info("No operation is called or described like that.")
    for begin in range(0, len(found), ACROSS):
        _row(found[begin : begin + ACROSS])


def matches(operation: Operation, wanted: str) -> bool:
    """Say whether each word is somewhere in an operation's name or summary."""
    text = f"{title(operation.name)} {operation.name} {operation.summary}".casefold()
    return all(word in text for word in wanted.casefold().split())


def picture_of(name: str) -> str | None:
    """Return the file of a picture, if there is one."""
    return next((str(file) for folder in _FOLDERS if (file := folder / f"{name}.jpg").is_file()), None)


def _row(operations: Sequence[Operation]) -> None:
    for column, operation in zip(st.columns(ACROSS), operations, strict=False):
        with column, st.container(border=True, key=f"about_{operation.name}"):
            if picture := picture_of(operation.name):
                st.image(picture, alt=f"The photograph after {title(operation.name)}", width="stretch")
            st.markdown(f"**{plain(title(operation.name))}**")
            st.caption(plain(operation.summary))
            _details(operation)
            st.button(
                "Use it",
                key=f"use_{operation.name}",
                icon=":material/add:",
                on_click=_use,
                args=(operation.name,),
            )


def _details(operation: Operation) -> None:
    kind = KINDS.get(operation.exactness, operation.exactness.replace("_", " "))
    names = ", ".join(title(each.name).lower() for each in parameters(operation))
    st.caption(f"{plain(kind)}." + (f" Settings: {plain(names)}." if names else ""))
    if operation.delicate:
        st.caption(
            f":material/info: {plain(f'May differ between kinds of processors: {operation.delicate}.')}"
        )


def _use(name: str) -> None:
    draft.add(name)
    address.go("process")
