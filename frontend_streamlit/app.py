"""Entry of the page: decides by the address what is shown."""

from pathlib import Path

import streamlit as st

from frontend_streamlit import (
    access,
    address,
    batch_page,
    catalogue_page,
    draft,
    job_page,
    jobs_page,
    memory,
    process_page,
    status_page,
)
from frontend_streamlit.words import plain

# A file of ours: Streamlit has its named icons fetched from another site.
ICON = str(Path(__file__).with_name("icon.svg"))
STYLE = f"<style>{Path(__file__).with_name('page.css').read_text()}</style>"


def main() -> None:
    """Show the navigation, and below it what the address names."""
    memory.spare_modules()
    st.set_page_config(page_title="Tessera", page_icon=ICON, layout="wide")
    st.html(STYLE)
    with st.container(horizontal=True, vertical_alignment="bottom", key="top"):
        st.title("Tessera", anchor=False, width="content")
        address.show_navigation()
    if person := access.person():
        st.caption(f"Signed in as {plain(person)}")
    job_id, batch_id, view = address.job(), address.batch(), address.view()
    if job_id or batch_id or view != address.FIRST:
        draft.freeze()
    if job_id:
        job_page.show(job_id)
    elif batch_id:
        batch_page.show(batch_id)
    elif view == "jobs":
        jobs_page.show()
    elif view == "operations":
        catalogue_page.show()
    elif view == "status":
        status_page.show()
    else:
        process_page.show()


main()
