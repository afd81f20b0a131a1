"""Beginning again with what a job has: storage copies its image or its result, and nobody sends it again."""

from contextlib import suppress
from typing import Literal

import streamlit as st

from frontend_streamlit import access, address, draft, images, previews
from frontend_streamlit.delivery import Arrived
from frontend_streamlit.images import Chosen
from frontend_streamlit.words import show_error
from tessera_client import ApiError, Job, TesseraClientError

_MISSING = "image_not_taken"
_GONE = ("input-gone", "job-not-found")


def begin_again(job: Job) -> None:
    """Go to the form with a job's operations and its image; where that isn't kept, the form says so.

    Parameters
    ----------
    job : Job
    """
    st.session_state.pop(_MISSING, None)
    try:
        taken = [_taken(job, "input")]
    except TesseraClientError as error:
        st.session_state[_MISSING], taken = error, []
    images.replace_all(*taken)
    draft.begin_with(job.pipeline, job.output)
    address.go("process")


def begin_with_result(job: Job) -> None:
    """Go to the form with a job's result as the image, and no operations yet.

    Parameters
    ----------
    job : Job

    Raises
    ------
    TesseraClientError
        When the result can't be taken; then nothing has changed.
    """
    images.replace_all(_taken(job, "result"))
    draft.begin_with([], job.output)
    address.go("process")


def show_missing() -> None:
    """Say why the image of a job isn't chosen, until another one is."""
    # A place of its own: whether something is said here changes no other element's place.
    with st.container():
        if images.chosen():
            st.session_state.pop(_MISSING, None)
        error = st.session_state.get(_MISSING)
        if isinstance(error, ApiError) and error.problem.code in _GONE:
            st.info("The image of that job isn't kept any more: choose it again.")
        elif error is not None:
            show_error(error)
            st.caption("The image of that job could not be taken over: choose it here.")


def _taken(job: Job, of: Literal["input", "result"]) -> Chosen:
    copy = access.client().copy_upload(job.id, of)
    source = job.input if of == "input" else None
    page, pages = (source.page, source.pages) if source else (0, 1)
    arrived = Arrived(copy.id, copy.size)
    return Chosen(
        copy.name or "image", copy.size, _picture(job, of), arrived, page=page, pages=pages, pictured=page
    )


def _picture(job: Job, of: str) -> bytes | None:
    with suppress(TesseraClientError):
        return previews.of_input(job.id) if of == "input" else previews.of_result(job)
    return None
