"""One pipeline over many images: how far they are, and what came of each."""

import csv
import io
from collections.abc import Sequence

import streamlit as st
from rich.filesize import decimal

from frontend_streamlit import access, address
from frontend_streamlit.words import plain, show_error, title
from tessera_client import Batch, BatchEntry, NotFound, TesseraClientError

_REFRESH_SECONDS = 1.0
_ENDED = ("succeeded", "failed", "cancelled")
_COLUMNS = ("name", "state", "code", "size", "job", "upload_id")


def show(batch_id: str) -> None:
    """Show a batch.

    Parameters
    ----------
    batch_id : str
    """
    st.subheader("Batch", anchor=False)
    try:
        batch = access.client().batch(batch_id)
    except NotFound:
        st.error("**There is no batch at this address.**\n\nIts time to be kept may be over.")
        return
    except TesseraClientError as error:
        show_error(error)
        st.button("Try again", icon=":material/refresh:")
        return
    if batch.manifest is None:
        with st.container():
            _watch(batch_id)
        st.caption("The address of this page leads back here: you may close it meanwhile.")
    else:
        _ended(batch, batch.manifest)


@st.fragment(run_every=_REFRESH_SECONDS)
def _watch(batch_id: str) -> None:
    try:
        batch = access.client().batch(batch_id)
    except TesseraClientError:
        st.warning("The service doesn't answer just now. The batch goes on; this page keeps asking.")
        return
    if batch.manifest is not None:
        st.rerun()
    share = batch.done / batch.total if batch.total else 0.0
    st.progress(min(1.0, share), f"{batch.done:,} of {batch.total:,} images are done")
    if batch.state == "running":
        st.button("Cancel", icon=":material/close:", on_click=_cancel, args=(batch_id,))


def _cancel(batch_id: str) -> None:
    try:
        access.client().cancel_batch(batch_id)
    except TesseraClientError as error:
        st.session_state["failure"] = error


def _ended(batch: Batch, manifest: Sequence[BatchEntry]) -> None:
    failed = sum(entry.state != "succeeded" for entry in manifest)
    if failed:
        st.warning(f"{len(manifest) - failed:,} of {len(manifest):,} images are done, {failed:,} are not.")
    else:
        st.success(f"All {len(manifest):,} images are done.", icon=":material/check:")
    st.download_button("Save this list", as_csv(manifest), f"{batch.id}.csv", "text/csv", on_click="ignore")
    for entry in manifest:
        with st.container(
            border=True, horizontal=True, vertical_alignment="center", key=f"entry_{entry.job}"
        ):
            size = f", {decimal(entry.size)}" if entry.size else ""
            code = f" ({entry.code})" if entry.code else ""
            state = "Done" if entry.state == "succeeded" else title(entry.state)
            words = plain(f"{state}{code}{size}")
            st.markdown(f"**{plain(entry.name or entry.job)}**  \n:small[{words}]", width="stretch")
            st.button("Open", key=f"open_{entry.job}", on_click=address.go_to_job, args=(entry.job,))


def as_csv(manifest: Sequence[BatchEntry]) -> str:
    """Write a manifest as a table with commas."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    writer.writerows([getattr(entry, column) for column in _COLUMNS] for entry in manifest)
    return text.getvalue()
