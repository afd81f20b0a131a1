"""A job while it runs, and what came of it."""

from datetime import UTC, datetime

import streamlit as st

from frontend_streamlit import access, draft, result_view
from frontend_streamlit.words import facts, plain, show_error, show_problem, title
from tessera_client import ConnectionFailed, Job, NotFound, TesseraClientError, Unavailable

STATES = {
    "queued": "Waiting for its turn",
    "inspecting": "Looking at the image",
    "running": "Working",
    "stitching": "Putting the parts together",
    "cancelling": "Being cancelled",
}
_REFRESH_SECONDS = 1.0


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
        _watch(job_id)
        st.caption("The address of this page leads back here: you may close it meanwhile.")
        return
    _heading(job)
    if job.succeeded:
        result_view.show(job)
    elif job.error:
        show_problem(job.error)
    else:
        st.info(f"This job {'was cancelled' if job.state == 'cancelled' else 'failed'}.")
    _another(job)


def _heading(job: Job) -> None:
    name = job.input.name if job.input else None
    st.subheader(plain(name or "Image"), anchor=False)
    st.caption(" → ".join(plain(title(step.operation)) for step in job.pipeline))


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
    _heading(job)
    st.progress(min(1.0, max(0.0, job.progress)), _describe(job))
    if job.input:
        st.caption(facts(job.input, job.input.format))
    if job.state != "cancelling":
        st.button("Cancel", icon=":material/close:", on_click=_cancel, args=(job_id,))
    _show_failed_cancel(job_id)


def _describe(job: Job) -> str:
    parts = [STATES.get(job.state, title(job.state))]
    if job.stage:
        name = f" ({plain(job.stage.name.replace('_', ' '))})" if job.stage.name else ""
        parts.append(f"step {job.stage.index} of {job.stage.count}{name}")
    if job.tiles.total:
        parts.append(f"{job.tiles.done:,} of {job.tiles.total:,} parts")
    if job.tiles.retried:
        parts.append(f"{job.tiles.retried:,} begun again")
    if job.created_at:
        parts.append(f"{max(0, int((datetime.now(UTC) - job.created_at).total_seconds())):,} s")
    return ", ".join(parts)


def _cancel(job_id: str) -> None:
    st.session_state.pop("cancel_failure", None)
    try:
        access.client().delete(job_id)
    except NotFound:
        pass
    except TesseraClientError as error:
        st.session_state["cancel_failure"] = (job_id, error)
        return
    st.session_state["cancelled"] = job_id


def _show_failed_cancel(job_id: str) -> None:
    failed_id, error = st.session_state.get("cancel_failure", (None, None))
    if failed_id == job_id and error is not None:
        show_error(error)


def _show_gone(job_id: str) -> None:
    if st.session_state.get("cancelled") == job_id:
        st.info("Cancelled. Everything of this job was removed.", icon=":material/check:")
    else:
        st.error(
            "**There is no job at this address.**\n\nIt was cancelled, or its time to be kept is over.",
            icon=":material/error:",
        )
    _another(None)


def _another(job: Job | None) -> None:
    label = "Process another image" if job else "Process an image"
    st.button(label, icon=":material/add_photo_alternate:", on_click=_begin_again, args=(job,))


def _begin_again(job: Job | None) -> None:
    """Go to the form, with the operations of the job that was shown."""
    if job is not None:
        draft.begin_with(job.pipeline, job.output)
    st.session_state.pop("failure", None)
    st.query_params.pop("job", None)
