"""The form that starts a job, and the way of its image to the service."""

import streamlit as st
from rich.filesize import decimal
from streamlit.runtime.uploaded_file_manager import UploadedFile

from frontend_streamlit import access, draft, editor, previews
from frontend_streamlit.delivery import Delivery, Order, Stopped
from frontend_streamlit.words import plain, show_error
from tessera_client import Output, Step, TesseraClientError

SUFFIXES = ("png", "jpg", "jpeg")
FORMATS = {"png": "PNG, without loss", "jpeg": "JPEG, smaller"}
BEST_QUALITY = 90
_REFRESH_SECONDS = 0.3


def show() -> None:
    """Show the form, and below it the progress of an image that is being sent."""
    try:
        catalogue = access.operations()
    except TesseraClientError as error:
        show_error(error)
        st.button("Try again", icon=":material/refresh:")
        return
    st.markdown("Process an image of any size. The result is the same as if it were done in one piece.")
    file = _image()
    steps = editor.show(catalogue)
    output = _output()
    _show_failure()
    if "delivery" in st.session_state:
        _progress()
    else:
        _start_button(file, steps, output)


def _image() -> UploadedFile | None:
    file = st.file_uploader("Image (PNG or JPEG)", type=["png", "jpg", "jpeg"], key="image")
    if file is not None:
        picture = previews.of_input(file.file_id, file)
        if picture:
            st.image(picture, caption=plain(file.name), alt=f"The image {file.name}", width=320)
    return file


def _output() -> Output:
    st.subheader("Result", anchor=False)
    begun = draft.current()
    chosen = st.radio(
        "File format",
        list(FORMATS),
        index=list(FORMATS).index(begun.output.format) if begun.output.format in FORMATS else 0,
        format_func=lambda name: FORMATS[name],
        horizontal=True,
        key=f"format_{begun.id}",
    )
    if chosen != "jpeg":
        return Output(chosen)
    quality = st.slider(
        "Quality",
        1,
        100,
        begun.output.quality or BEST_QUALITY,
        help="Higher looks better and makes a larger file.",
        key=f"quality_{begun.id}",
    )
    return Output(chosen, quality)


def _start_button(file: UploadedFile | None, steps: list[Step] | None, output: Output) -> None:
    missing = []
    if file is None:
        missing.append("choose an image")
    if steps == []:
        missing.append("add an operation")
    if steps is None:
        missing.append("mend what is marked above")
    clicked = st.button("Start", type="primary", width="stretch", disabled=bool(missing))
    if missing:
        st.caption(f"To start, {' and '.join(missing)}.")
    if clicked and file is not None and steps:
        _begin(Order(file, file.name, steps, output, previews.of_input(file.file_id, file)))


def _begin(order: Order) -> None:
    st.session_state.pop("failure", None)
    delivery = Delivery(access.patient_client(), order)
    st.session_state["delivery"] = delivery
    delivery.start()
    st.rerun()


@st.fragment(run_every=_REFRESH_SECONDS)
def _progress() -> None:
    delivery: Delivery | None = st.session_state.get("delivery")
    if delivery is None:
        return
    if delivery.done:
        _finish(delivery)
        st.rerun()
    sent, size = delivery.progress
    text = f"Sending the image: {decimal(sent)} of {decimal(size)}" if sent < size else "Starting the job"
    st.progress(min(1.0, sent / size) if size else 0.0, text if size else "Sending the image")
    st.button("Stop", icon=":material/close:", on_click=delivery.stop)


def _finish(delivery: Delivery) -> None:
    del st.session_state["delivery"]
    try:
        job_id = delivery.job_id()
    except Stopped:
        return
    except TesseraClientError as error:
        st.session_state["failure"] = error
        return
    order = delivery.order
    if order.preview:
        previews.recent().keep(job_id, order.preview)
    # The widgets forget when the job is shown instead of them.
    draft.begin_with(order.pipeline, order.output)
    st.query_params["job"] = job_id


def _show_failure() -> None:
    failure = st.session_state.get("failure")
    if failure is not None:
        show_error(failure)
