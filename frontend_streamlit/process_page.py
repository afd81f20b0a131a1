"""The form that starts a job: images, operations, the wanted file, the plan."""

from collections.abc import Sequence

import streamlit as st

from frontend_streamlit import (
    access,
    address,
    draft,
    editor,
    images,
    output_box,
    pipeline_file,
    plan_box,
    previews,
    taken,
    trial,
)
from frontend_streamlit.editor import Edited
from frontend_streamlit.images import Chosen
from frontend_streamlit.words import show_error
from tessera_client import NotFound, Output, TesseraClientError


def show() -> None:
    """Show the form."""
    try:
        # What waits for the answer is shown in here: everything below keeps its place when there is no wait.
        with st.container():
            catalogue = access.operations()
    except TesseraClientError as error:
        show_error(error)
        st.button("Try again", icon=":material/refresh:")
        return
    st.markdown(
        "Choose an image, add operations, press Start. Images may be of any size: "
        "the result is the same as if it were done in one piece."
    )
    left, right = st.columns([2, 3], gap="large")
    with left:
        st.subheader("1. Image", anchor=False)
        taken.show_missing()
        images.show()
        images.ask_page()
        preview = st.container()
    with right:
        st.subheader("2. Operations", anchor=False)
        edited = editor.show(catalogue)
        pipeline_file.show_sources()
        st.subheader("3. Result", anchor=False)
        output = output_box.show()
        chosen = images.chosen()
        if edited.complete and edited.steps:
            name, page = (chosen[0].name, chosen[0].page) if chosen else ("photo.jpg", 0)
            pipeline_file.show_exports(edited.steps, output, name, page)
        _start(chosen, edited, output)
    with preview:
        if edited.complete:
            # It is made of the picture, which may show another page.
            pictured = chosen and chosen[0].page == chosen[0].pictured
            trial.show(chosen[0] if pictured else None, edited.steps)


def _start(chosen: Sequence[Chosen], edited: Edited, output: Output) -> None:
    missing = _missing(chosen, edited)
    planned = True
    if not missing:
        st.subheader("Plan" if len(chosen) == 1 else "Plan for the first image", anchor=False)
        planned = _plan(chosen[0], edited, output, only=len(chosen) == 1)
    failure = st.session_state.get("failure")
    if failure is not None:
        show_error(failure)
    label = "Start" if len(chosen) < 2 else f"Start with {len(chosen):,} images"
    clicked = st.button(
        label, type="primary", width="stretch", disabled=bool(missing) or not planned, key="start"
    )
    if missing:
        st.caption(f"To start, {' and '.join(missing)}.")
    if clicked and not missing:
        _begin(chosen, edited, output)


def _plan(image: Chosen, edited: Edited, output: Output, *, only: bool) -> bool:
    page = image.page if only else 0
    plan = plan_box.show(str(image.upload_id), edited.steps, output, edited.places, page)
    if plan is not None and plan.input is not None and plan.input.pages != image.pages:
        image.pages = plan.input.pages
        st.rerun()
    return plan is not None


def _missing(chosen: Sequence[Chosen], edited: Edited) -> list[str]:
    missing = []
    if images.on_their_way():
        missing.append("wait until the image has been sent")
    elif not chosen:
        missing.append("choose an image")
    elif any(image.upload_id is None for image in chosen):
        missing.append("remove the image that could not be sent")
    if not edited.complete:
        missing.append("mend what is marked above")
    elif not edited.steps:
        missing.append("add an operation" if not draft.current().entries else "switch an operation on")
    return missing


def _begin(chosen: Sequence[Chosen], edited: Edited, output: Output) -> None:
    st.session_state.pop("failure", None)
    ids = {str(image.upload_id): image.name for image in chosen}
    try:
        if len(ids) == 1:
            [(upload_id, name)], page = ids.items(), chosen[0].page
            job = access.client().submit(upload_id, edited.steps, output, name=name, page=page)
            previews.keep(job.id, chosen[0].picture if page == chosen[0].pictured else None)
            address.go_to_job(job.id)
        else:
            # One broken image among many is no reason to leave out the others.
            batch = access.client().submit_batch(ids, edited.steps, output, tolerated_failures=len(ids))
            address.go_to_batch(batch.id)
    except NotFound as error:
        st.session_state["images"] = []
        st.session_state["failure"] = error
    except TesseraClientError as error:
        st.session_state["failure"] = error
    st.rerun()
