"""What the address of the page names: a view, a job or a batch. Whoever opens it again sees the same."""

from collections.abc import Sequence

import streamlit as st

VIEWS = {"process": "Process", "jobs": "Jobs", "operations": "Operations", "status": "Status"}
FIRST = "process"


def view() -> str:
    """Return the view that the address names, else the first."""
    named = st.query_params.get("view", FIRST)
    return named if named in VIEWS else FIRST


def job() -> str | None:
    """Return the job that the address names."""
    return st.query_params.get("job") or None


def batch() -> str | None:
    """Return the batch that the address names."""
    return st.query_params.get("batch") or None


def copy() -> str | None:
    """Return the job that made a copy of the shown result to zoom into."""
    return st.query_params.get("copy") or None


def keep_copy(job_id: str) -> None:
    """Name the job that makes a copy of the shown result, so that the address leads back to both."""
    st.query_params["copy"] = job_id


def go(name: str) -> None:
    """Show a view.

    Parameters
    ----------
    name : str
        A key of `VIEWS`.
    """
    _replace([] if name == FIRST else [("view", name)])


def go_to_job(job_id: str) -> None:
    """Show a job."""
    _replace([("job", job_id)])


def go_to_batch(batch_id: str) -> None:
    """Show a batch."""
    _replace([("batch", batch_id)])


def _replace(query: Sequence[tuple[str, str]]) -> None:
    st.session_state.pop("failure", None)
    st.query_params.from_dict(dict(query))


def show_navigation() -> None:
    """Show the views to choose from, none of them chosen while a job or a batch is shown."""
    now = None if job() or batch() else view()
    with st.container(horizontal=True, vertical_alignment="center", key="navigation", gap="small"):
        for name, label in VIEWS.items():
            st.button(
                label,
                key=f"go_{name}",
                type="primary" if name == now else "tertiary",
                on_click=go,
                args=(name,),
            )
