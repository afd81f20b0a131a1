"""Whether everything that the page needs is there."""

from collections.abc import Callable

import streamlit as st

from frontend_streamlit import access
from frontend_streamlit.words import explain, plain
from tessera_client import TesseraClientError


def show() -> None:
    """Show the state of the service and its storage, and what this is."""
    st.subheader("Status", anchor=False)
    version = _line("The service answers", lambda: f"version {access.client().health().version or 'unknown'}")
    _line("Its storage and its queue of tasks can be reached", lambda: access.client().ready().status)
    st.button("Ask again", icon=":material/refresh:")
    st.subheader("About", anchor=False)
    st.markdown(
        "Tessera processes images of any size. It cuts an image into parts, has many small machines work on "
        "them at the same time, and puts the parts together again. The result is the same, bit for bit, as "
        "if the image had been processed in one piece, whatever breaks on the way. Machines are there only "
        "while there is work."
    )
    if version:
        st.caption(f"The service is of {plain(version)}.")


def _line(what: str, ask: Callable[[], str]) -> str | None:
    try:
        answer = ask()
    except TesseraClientError as error:
        message, hint = explain(error)
        st.error(
            f"**Not now: {plain(what.lower())}.** {plain(message)} {plain(hint)}", icon=":material/error:"
        )
        return None
    st.success(f"{what}.", icon=":material/check:")
    return answer
