"""What came of a job: pictures, the file, what it took, reports."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from frontend_streamlit import access, components, histograms, previews, receipt, reports, zoom_copy
from frontend_streamlit.settings import read_settings
from frontend_streamlit.words import facts, plain, show_error
from tessera_client import Job, Result, TesseraClientError

MOST_SHOWN_BYTES = 300 << 20
_TIFF = "image/tiff"
SHOWN_TYPES = ("image/png", "image/jpeg", _TIFF)
_TOO_LARGE = "Too large to be shown here: download it."
_NOT_KEPT = "The picture of the original isn't kept any more."
# Operations after which a pixel is somewhere else.
MOVING = frozenset({"crop", "pad", "flip", "rotate", "rotate_by", "transpose", "resize", "scale", "fit"})
# A link made when the page was drawn would have run out by the time a sleeping laptop wakes up.
# In a block: a name that is declared a second time, by another download, would be an error. Drawn by each run
# after the click, because a browser that is busy may not come to what the next run replaces.
_SAVE = """<script>{{
const saved = (window.tesseraSaved ??= new Set());
if (!saved.has({click})) {{
  saved.add({click});
  const link = document.createElement("a");
  link.href = {url};
  link.download = "";
  document.body.append(link);
  link.click();
  link.remove();
}}
}}</script>"""


def show(job: Job) -> None:
    """Show a job that succeeded.

    Parameters
    ----------
    job : Job
    """
    st.success("Done.", icon=":material/check:")
    for warning in job.warnings:
        st.warning(plain(f"{warning[:1].upper()}{warning[1:]}."), icon=":material/warning:")
    # Places of their own: what a run of one fragment leaves must not be taken for what is below.
    with st.container():
        _download(job.id)
    with st.container():
        _pictures(job)
    with st.container(horizontal=True):
        if job.input:
            st.caption(f"Before: {facts(job.input, job.input.format)}", width="content")
        if job.result:
            st.caption(
                f"After: {facts(job.result, job.output.format if job.output else None)}", width="content"
            )
    reports.show(job)
    left, right = st.columns(2, gap="large")
    with left:
        receipt.show_times(job)
    with right:
        receipt.show(job)


@st.fragment
def _pictures(job: Job) -> None:
    before = previews.of_input(job.id)
    zoomable = _can_be_full(job.result)
    copy = None if zoomable else zoom_copy.find(job)
    try:
        after = previews.of_result(job)
    except TesseraClientError as error:
        show_error(error)
        after = None
    else:
        if after is None:
            st.info(_TOO_LARGE)
    if before is None:
        st.caption(_NOT_KEPT)
    if before is None and after is None:
        return
    shown = copy if copy and copy.succeeded else job
    components.viewer(_viewed(job, shown, before, after), key=f"viewer_{job.id}", on_full=lambda: None)
    if after is not None and not zoomable:
        zoom_copy.show(job, copy)
    _histograms(before, after)


def _viewed(job: Job, shown: Job, before: bytes | None, after: bytes | None) -> dict[str, Any]:
    """Return what the viewer takes; the pixels of the result are read from that of *shown*."""
    size_before = [job.input.width, job.input.height] if job.input and job.input.width else None
    size_after = [job.result.width, job.result.height] if job.result and job.result.width else None
    asked = st.session_state.get(f"viewer_{job.id}")
    wanted = asked is not None and bool(asked.get("full"))
    full_key = f"full_{shown.id}"
    if wanted and full_key not in st.session_state:
        st.session_state[full_key] = _link(shown)
    return {
        "before": components.data_url(before),
        "after": components.data_url(after),
        "full": st.session_state.get(full_key),
        "before_size": size_before,
        "after_size": size_after,
        "aligned": not MOVING & {step.operation for step in job.pipeline},
        "can_be_full": _can_be_full(shown.result),
        "tiled": shown.result is not None and shown.result.media_type == _TIFF,
        "small": True,
        "label": "The original image and the result, before and after" if before else "The result",
    }


def _can_be_full(result: Result | None) -> bool:
    if result is None or result.media_type not in SHOWN_TYPES or not result.width or not result.height:
        return False
    # Of a TIFF only the parts on the screen are fetched.
    if result.media_type == _TIFF:
        return True
    return result.width * result.height <= read_settings().shown_pixels and result.size <= MOST_SHOWN_BYTES


def _link(job: Job) -> str | None:
    """Return a fresh link to the result, for the viewer."""
    try:
        url = access.client().result(job.id).url
    except TesseraClientError:
        return None
    return url if url.startswith(("https://", "http://")) else None


def _histograms(before: bytes | None, after: bytes | None) -> None:
    with st.expander("Histograms", icon=":material/bar_chart:"):
        for column, name, picture in zip(st.columns(2), ("Before", "After"), (before, after), strict=True):
            with column:
                st.markdown(f"**{name}**")
                if picture is None:
                    st.caption("There is no picture to count.")
                else:
                    histograms.show(picture, f"Histogram {name.lower()}")
        st.caption("How many pixels there are of each level, dark to the left, in the small pictures.")


@st.fragment
def _download(job_id: str) -> None:
    kept = f"saved_{job_id}"
    if st.button("Download", type="primary", icon=":material/download:", width="stretch"):
        try:
            result = access.client().job(job_id).result
        except TesseraClientError as error:
            show_error(error)
            return
        if result is None or not result.url.startswith(("https://", "http://")):
            st.error("There is no file to download any more.")
            return
        st.session_state[kept] = (uuid.uuid4().hex, result)
    click, result = st.session_state.get(kept, ("", None))
    if result is None or (result.expires_at and result.expires_at < datetime.now(UTC)):
        return
    address = json.dumps(result.url).replace("<", "\\u003c")
    st.html(_SAVE.format(click=json.dumps(click), url=address), unsafe_allow_javascript=True)
    until = f" The link works until {result.expires_at:%H:%M} UTC." if result.expires_at else ""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"The download has started.{until} If it hasn't:", width="content")
        st.link_button("Open the file", result.url, type="tertiary")
