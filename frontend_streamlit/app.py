"""Entry of the page: decides by the address what is shown."""

from pathlib import Path

import streamlit as st

from frontend_streamlit import job_page, order_page

# A file of ours: Streamlit has its named icons fetched from another site.
ICON = str(Path(__file__).with_name("icon.svg"))


def main() -> None:
    """Show a job when the address names one, else the form that starts one."""
    st.set_page_config(page_title="Tessera", page_icon=ICON, layout="centered")
    st.title("Tessera", anchor=False)
    job_id = st.query_params.get("job")
    if job_id:
        job_page.show(job_id)
    else:
        order_page.show()


main()
