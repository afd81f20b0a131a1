"""A job while it runs, and what came of it."""

from collections.abc import Callable

import streamlit as st

from frontend_streamlit import access, address, result_view, taken, watch
from frontend_streamlit.words import plain, show_error, show_problem, title
from tessera_client import ConnectionFailed, Job, NotFound, Refused, TesseraClientError, Unavailable

_REFRESH_SECONDS = 1.0
_IS_OVER = "job-is-over"


def show(job_id: str) -> None:
    """Show a job, from its beginning to its result.

    Parameters
    ----------
    job_id : str
    """
    try:
        job = access.client().job(job_id)
    except NotFound:
        _show_gone(job_id)
        return
    except TesseraClientError as error:
        show_error(error)
        st.button("Try again", icon=":material/refresh:")
        return
    if not job.finished:
        with st.container():
            _watch(job_id)
        st.caption("The address of this page leads back here: you may close it meanwhile.")
        return
    _heading(job)
    if job.succeeded:
        result_view.show(job)
    else:
        _show_ended(job)
    _show_failure(job_id)
    _actions(job)


def _heading(job: Job) -> None:
    name = job.input.name if job.input else None
    st.subheader(plain(name or "Image"), anchor=False)
    st.caption(" → ".join(plain(title(step.operation)) for step in job.pipeline))
    batch = job.document.get("batch")
    if isinstance(batch, str):
        st.button("All images of this batch", type="tertiary", on_click=address.go_to_batch, args=(batch,))


@st.fragment(run_every=_REFRESH_SECONDS)
def _watch(job_id: str) -> None:
    try:
        job = access.client().job(job_id)
    except NotFound:
        st.rerun()
    except (ConnectionFailed, Unavailable):
        st.warning("The service doesn't answer just now. The job goes on; this page keeps asking.")
        return
    except TesseraClientError as error:
        show_error(error)
        return
    if job.finished:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.container():
            _heading(job)
        if job.state != "cancelling":
            st.button("Cancel", icon=":material/close:", on_click=_cancel, args=(job_id,))
    _show_failure(job_id)
    watch.show(job)


def _show_ended(job: Job) -> None:
    if job.state == "cancelled":
        st.info("Cancelled. Nothing more is done; what had been done is kept for a day.")
    elif job.error:
        show_problem(job.error)
    else:
        st.error("This job failed.", icon=":material/error:")
    watch.show_board(job)


def _cancel(job_id: str) -> None:
    def cancel() -> None:
        try:
            access.client().cancel(job_id)
        except Refused as refused:
            # It ended in the moment of the click: what is shown next says so.
            if refused.problem.code != _IS_OVER:
                raise

    _try(job_id, cancel)


def _try(job_id: str, action: Callable[[], object]) -> None:
    """Do something to a job; when that fails, it's said below the job."""
    st.session_state.pop("job_failure", None)
    try:
        action()
    except TesseraClientError as error:
        st.session_state["job_failure"] = (job_id, error)


def _show_failure(job_id: str) -> None:
    failed_id, error = st.session_state.get("job_failure", (None, None))
    if failed_id == job_id and error is not None:
        show_error(error)


def _show_gone(job_id: str) -> None:
    if st.session_state.get("deleted") == job_id:
        st.info("Everything of this job was removed.", icon=":material/check:")
    else:
        st.error(
            "**There is no job at this address.**\n\nIt was removed, or its time to be kept is over.",
            icon=":material/error:",
        )
    st.button(
        "Process an image", icon=":material/add_photo_alternate:", on_click=address.go, args=("process",)
    )


def _actions(job: Job) -> None:
    with st.container(horizontal=True, gap="small"):
        st.button("Run again with changes", icon=":material/edit:", on_click=taken.begin_again, args=(job,))
        if job.succeeded:
            label = "Use the result as a new image"
            st.button(label, icon=":material/add_photo_alternate:", on_click=_use_result, args=(job,))
        else:
            st.button("Retry", icon=":material/replay:", on_click=_retry, args=(job.id,))
        with st.popover("Delete", icon=":material/delete:", type="tertiary"):
            st.markdown("Removes the image, the result and everything else of this job.")
            st.button("Delete for good", on_click=delete, args=(job.id,))


def _use_result(job: Job) -> None:
    _try(job.id, lambda: taken.begin_with_result(job))


def _retry(job_id: str) -> None:
    _try(job_id, lambda: access.client().retry(job_id))


def delete(job_id: str) -> None:
    """Remove a job, and remember that for whoever looks at its address.

    Parameters
    ----------
    job_id : str
    """

    def remove() -> None:
        access.client().delete(job_id)
        st.session_state["deleted"] = job_id

    _try(job_id, remove)
