"""The jobs that are kept: pictures, filter, pages, delete."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import Any

import streamlit as st

from frontend_streamlit import access, address, batch_list, job_page, previews
from frontend_streamlit.words import plain, show_error, title
from tessera_client import JobSummary, TesseraClientError

A_PAGE = 10
KINDS = ("All jobs", "Batches")
_DAY = "YYYY-MM-DD"
STATES = {
    "all": "All",
    "running": "Running",
    "succeeded": "Done",
    "failed": "Failed",
    "cancelled": "Cancelled",
}
_MARKS = {
    "succeeded": ":green[:material/check_circle:] Done",
    "failed": ":red[:material/error:] Failed",
    "cancelled": ":gray[:material/block:] Cancelled",
}


def show() -> None:
    """Show the jobs or the batches, the newest first."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader("Jobs", anchor=False, width="content")
        kind = st.segmented_control(
            "What is shown", KINDS, default=KINDS[0], key="jobs_kind", label_visibility="collapsed"
        )
        st.button("Refresh", icon=":material/refresh:")
    if kind == KINDS[1]:
        batch_list.show()
    else:
        _show_jobs()


def _show_jobs() -> None:
    wanted = _ask_filter()
    number = st.session_state.setdefault("jobs_page", 0)
    try:
        found = access.client().jobs(**wanted, limit=(number + 1) * A_PAGE + 1)
        listed = list(islice(found, number * A_PAGE, None))
    except TesseraClientError as error:
        show_error(error)
        return
    _list(listed[:A_PAGE])
    _pages(number, more=len(listed) > A_PAGE)


def _first_page() -> None:
    st.session_state["jobs_page"] = 0


def _ask_filter() -> dict[str, Any]:
    with st.container(horizontal=True, vertical_alignment="top"):
        state = st.segmented_control(
            "State",
            list(STATES),
            format_func=lambda each: STATES[each],
            default="all",
            key="jobs_state",
            on_change=_first_page,
        )
        text = st.text_input(
            "Name or operation", key="jobs_text", max_chars=200, on_change=_first_page, width=200
        )
        with st.container(horizontal=True, width="content"):
            since, until = (
                st.date_input(label, None, key=f"jobs_{label}", on_change=_first_page, format=_DAY, width=140)
                for label in ("From", "To")
            )
    return {
        "state": None if state == "all" else state,
        "text": text.strip() or None,
        "since": since,
        "until": until,
    }


def _list(jobs: list[JobSummary]) -> None:
    if not jobs:
        st.info("There are no such jobs. What you process appears here, and is kept for some days.")
        return
    for job, picture in zip(jobs, _pictures(jobs), strict=True):
        _row(job, picture)


def _pictures(jobs: list[JobSummary]) -> list[bytes | None]:
    connected = access.client()
    wanted = [job.id if job.state == "succeeded" else None for job in jobs]
    with ThreadPoolExecutor(A_PAGE) as pool:
        return list(pool.map(partial(previews.thumbnail, connected=connected), wanted))


def _row(job: JobSummary, picture: bytes | None) -> None:
    name = job.name or "Image"
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"job_{job.id}"):
        if picture:
            st.image(picture, alt=f"The result of {name}", width=72)
        else:
            st.markdown("### :gray[:material/image:]", width=72)
        operations = " → ".join(title(each) for each in job.operations)
        size = f"{job.width:,} × {job.height:,}" if job.width and job.height else ""
        when = f"{job.created_at:%Y-%m-%d %H:%M} UTC" if job.created_at else ""
        details = " · ".join(plain(each) for each in (operations, size, when) if each)
        mark = _MARKS.get(job.state, ":orange[:material/pending:] Running")
        st.markdown(f"**{plain(name)}** &nbsp; {mark}  \n:small[{details}]", width="stretch")
        st.button("Open", key=f"open_{job.id}", on_click=address.go_to_job, args=(job.id,))
        with st.popover("Delete", icon=":material/delete:", type="tertiary", key=f"ask_{job.id}"):
            st.markdown("Removes the image, the result and everything else of this job.")
            st.button("Delete for good", key=f"delete_{job.id}", on_click=job_page.delete, args=(job.id,))


def _pages(number: int, *, more: bool) -> None:
    if number == 0 and not more:
        return
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="center"):
        st.button("Newer", disabled=number == 0, on_click=_turn, args=(-1,))
        st.caption(f"Page {number + 1}", width="content")
        st.button("Older", disabled=not more, on_click=_turn, args=(1,))


def _turn(pages: int) -> None:
    st.session_state["jobs_page"] = max(0, st.session_state["jobs_page"] + pages)
