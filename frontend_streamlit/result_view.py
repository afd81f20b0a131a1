"""What came of a job: pictures, the file, sizes and times."""

import json

import streamlit as st

from frontend_streamlit import access, previews
from frontend_streamlit.words import facts, phase, plain, show_error
from tessera_client import Job, TesseraClientError
from tessera_client.commands.report import duration

_TOO_LARGE = "Too large to be shown here: download it."
_NOT_KEPT = "The picture of the original isn't kept any more."
# A link made when the page was drawn would have run out by the time a sleeping laptop wakes up.
_SAVE = """<script>
const link = document.createElement("a");
link.href = {url};
link.download = "";
document.body.append(link);
link.click();
link.remove();
</script>"""


def show(job: Job) -> None:
    """Show a job that succeeded.

    Parameters
    ----------
    job : Job
    """
    st.success("Done.", icon=":material/check:")
    _download(job.id)
    before, after = st.columns(2)
    with before:
        st.markdown("**Before**")
        _picture(previews.recent().find(job.id), "The original image", _NOT_KEPT)
        if job.input:
            st.caption(facts(job.input, job.input.format))
    with after:
        st.markdown("**After**")
        _result(job)
    _times(job)


def _result(job: Job) -> None:
    try:
        picture = previews.of_result(job.id, job, access.client())
    except TesseraClientError as error:
        show_error(error)
        return
    _picture(picture, "The result", _TOO_LARGE)
    if job.result:
        st.caption(facts(job.result, job.output.format if job.output else None))


def _picture(picture: bytes | None, what: str, otherwise: str) -> None:
    if picture:
        st.image(picture, alt=what, width="stretch")
    else:
        st.info(otherwise)


@st.fragment
def _download(job_id: str) -> None:
    if not st.button("Download", type="primary", icon=":material/download:", width="stretch"):
        return
    try:
        result = access.client().job(job_id).result
    except TesseraClientError as error:
        show_error(error)
        return
    if result is None or not result.url.startswith(("https://", "http://")):
        st.error("There is no file to download any more.")
        return
    address = json.dumps(result.url).replace("<", "\\u003c")
    st.html(_SAVE.format(url=address), unsafe_allow_javascript=True)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("The download has started. If it hasn't:", width="content")
        st.link_button("Open the file", result.url, type="tertiary")


def _times(job: Job) -> None:
    rows = [f"| {plain(phase(name))} | {duration(seconds)} |" for name, seconds in job.seconds.items()]
    if job.created_at and job.finished_at:
        whole = duration((job.finished_at - job.created_at).total_seconds())
        rows.append(f"| **From start to end** | **{whole}** |")
    if rows:
        st.markdown("\n".join(["| Phase | Time |", "|:--|--:|", *rows]))
