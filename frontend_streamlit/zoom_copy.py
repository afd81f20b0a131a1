"""A copy of a result that can be zoomed into: the same pixels as a TIFF with smaller copies, by a job."""

from typing import Final

import streamlit as st

from frontend_streamlit import access, address, watch
from frontend_streamlit.words import show_error, show_problem
from tessera_client import Job, NotFound, Output, Step, TesseraClientError

_REFRESH_SECONDS = 1.0
# A job has at least one operation; a crop to the whole image changes no pixel.
_NOTHING: Final = Step("crop")
_OUTPUT: Final = Output("tiff", pyramid=True)
_OFFER = (
    "This file is too large to be zoomed into as it is; a copy with the same pixels can be. "
    "To make it counts as a job: it is in the list of jobs, and kept as long as they are."
)
_MADE = "You zoom into a copy with the same pixels. *Download* gives the file itself."


def find(job: Job) -> Job | None:
    """Return the job that makes, or has made, the copy of a job's result, where the address names it.

    Parameters
    ----------
    job : Job
    """
    named = address.copy()
    if named is None:
        return None
    try:
        copy = access.client().job(named)
    except TesseraClientError:
        return None
    return copy if _is_copy(copy, job) else None


def show(job: Job, copy: Job | None) -> None:
    """Offer to make the copy, say how far it is, or that it is what is zoomed into.

    Parameters
    ----------
    job : Job
        With a result that can't be shown whole.
    copy : Job or None
        What `find` returned.
    """
    with st.container():
        if copy is not None and copy.succeeded:
            st.caption(_MADE)
        elif copy is not None and not copy.finished:
            _wait(copy.id)
        else:
            _offer(job, copy)


def _offer(job: Job, copy: Job | None) -> None:
    failed_id, failure = st.session_state.get("copy_failure", (None, None))
    if failed_id == job.id and failure is not None:
        show_error(failure)
    elif copy is not None and copy.error:
        show_problem(copy.error)
    elif copy is not None:
        st.info("The copy was not made.")
    label = "Make a copy to zoom into"
    st.button(label, icon=":material/zoom_in:", on_click=_begin, args=(job.id,), key="make_copy")
    st.caption(_OFFER)


def _begin(job_id: str) -> None:
    st.session_state.pop("copy_failure", None)
    client = access.client()
    try:
        upload = client.copy_upload(job_id, "result")
        copy = client.submit(upload.id, [_NOTHING], _OUTPUT, name=upload.name)
    except TesseraClientError as error:
        st.session_state["copy_failure"] = (job_id, error)
    else:
        address.keep_copy(copy.id)


@st.fragment(run_every=_REFRESH_SECONDS)
def _wait(copy_id: str) -> None:
    try:
        copy = access.client().job(copy_id)
    except NotFound:
        st.rerun()
    except TesseraClientError:
        st.caption("The service doesn't answer just now. The copy goes on; this page keeps asking.")
        return
    if copy.finished:
        st.rerun()
    st.progress(min(1.0, max(0.0, copy.progress)), f"Making the copy. {watch.describe(copy)}")


def _is_copy(copy: Job, job: Job) -> bool:
    """Say whether a job is what `_begin` starts: whoever writes the address may name any."""
    if [step.operation for step in copy.pipeline] != [_NOTHING.operation] or job.result is None:
        return False
    if copy.output is None or copy.output.format != _OUTPUT.format:
        return False
    if copy.result is None:
        return True
    return (copy.result.width, copy.result.height) == (job.result.width, job.result.height)
