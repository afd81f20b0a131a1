"""The batches that are kept."""

from itertools import islice

import streamlit as st

from frontend_streamlit import access, address
from frontend_streamlit.words import plain, show_error, title
from tessera_client import BatchSummary, TesseraClientError

MOST_SHOWN = 100
_MARKS = {
    "succeeded": ":green[:material/check_circle:] Done",
    "failed": ":red[:material/error:] Failed",
    "cancelled": ":gray[:material/block:] Cancelled",
    "cancelling": ":orange[:material/pending:] Being cancelled",
}


def show() -> None:
    """Show the batches, the newest first."""
    try:
        listed = list(islice(access.client().batches(limit=MOST_SHOWN + 1), MOST_SHOWN + 1))
    except TesseraClientError as error:
        show_error(error)
        return
    if not listed:
        st.info("There are no batches. Choose several images at once, and they are listed here together.")
        return
    for batch in listed[:MOST_SHOWN]:
        _row(batch)
    if len(listed) > MOST_SHOWN:
        st.caption(f"The newest {MOST_SHOWN} are shown; `tessera batches` lists all.")


def _row(batch: BatchSummary) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"batch_{batch.id}"):
        operations = " → ".join(title(each) for each in batch.operations)
        failed = f"{batch.failed:,} failed" if batch.failed else ""
        when = f"{batch.created_at:%Y-%m-%d %H:%M} UTC" if batch.created_at else ""
        done = f"{batch.done:,} of {batch.total:,} done" if batch.done < batch.total else ""
        details = " · ".join(plain(each) for each in (operations, done, failed, when) if each)
        mark = _MARKS.get(batch.state, ":orange[:material/pending:] Running")
        images = "1 image" if batch.total == 1 else f"{batch.total:,} images"
        st.markdown(f"**{images}** &nbsp; {mark}  \n:small[{details}]", width="stretch")
        st.button("Open", key=f"open_{batch.id}", on_click=address.go_to_batch, args=(batch.id,))
