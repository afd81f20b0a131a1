"""The pipeline on a small copy of the image: a job of the service like any other, and removed after it."""

import io
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path

import streamlit as st

from frontend_streamlit import access, previews
from frontend_streamlit.images import Chosen
from frontend_streamlit.words import show_error
from tessera_client import Client, Output, Step, TesseraClientError

SIDE = 640
SECONDS = 60.0
NAME = "preview.png"
_REFRESH_SECONDS = 0.4


class Trial:
    """One small picture going through the operations, in a thread of its own.

    Parameters
    ----------
    client : Client
    picture : bytes
        PNG or JPEG file.
    steps : sequence of Step
    """

    def __init__(self, client: Client, picture: bytes, steps: Sequence[Step]) -> None:
        self._client = client
        self._picture = picture
        self._steps = tuple(steps)
        self._future: Future[bytes | None] = Future()

    def start(self) -> None:
        """Begin; returns at once."""
        threading.Thread(target=self._run, name="trial", daemon=True).start()

    @property
    def done(self) -> bool:
        """Say whether it is over, in whatever way."""
        return self._future.done()

    def result(self) -> bytes | None:
        """Return the picture that came of it, once it is `done`; None where it can't be shown.

        Raises
        ------
        TesseraClientError
            When the operations can't be applied to it, or the service is away.
        """
        return self._future.result()

    def _run(self) -> None:
        try:
            self._future.set_result(self._process())
        except BaseException as failure:
            self._future.set_exception(failure)

    def _process(self) -> bytes | None:
        upload = self._client.upload(io.BytesIO(self._picture), name=NAME)
        job = self._client.submit(upload.id, self._steps, Output("png"), name=NAME)
        try:
            finished = self._client.wait(job.id, timeout=SECONDS)
            with tempfile.TemporaryDirectory(prefix="tessera-page-") as folder:
                return previews.shrink(self._client.download(finished, Path(folder) / "result"))
        finally:
            with suppress(TesseraClientError):
                self._client.delete(job.id)


def show(image: Chosen | None, steps: Sequence[Step]) -> None:
    """Show the switch, and when it is on, what the operations do to a small copy.

    Parameters
    ----------
    image : Chosen or None
    steps : sequence of Step
    """
    if image is None or image.picture is None:
        return
    wanted = st.toggle(
        "Live preview",
        key="live_preview",
        help="Applies the operations to a small copy whenever they change.",
    )
    if wanted and steps:
        _begin(image.id, image.picture, steps)
        _result()


def _begin(image_id: int, picture: bytes, steps: Sequence[Step]) -> None:
    key = (image_id, tuple((step.operation, str(step.parameters)) for step in steps))
    if st.session_state.get("trial_of") == key:
        return
    small = previews.shrink(io.BytesIO(picture), SIDE)
    if small is None:
        return
    trial = Trial(access.client(), small, steps)
    trial.start()
    st.session_state["trial_of"], st.session_state["trial"] = key, trial


def _result() -> None:
    trial: Trial | None = st.session_state.get("trial")
    if trial is None:
        return
    if trial.done:
        _show(trial)
    else:
        _wait()


@st.fragment(run_every=_REFRESH_SECONDS)
def _wait() -> None:
    trial: Trial | None = st.session_state.get("trial")
    if trial is None:
        return
    if trial.done:
        st.rerun()
    st.caption("Making the preview ...")


def _show(trial: Trial) -> None:
    try:
        picture = trial.result()
    except TesseraClientError as error:
        show_error(error)
        st.caption("That is about the small copy; the whole image may be another matter.")
        return
    if picture:
        st.image(picture, alt="Preview of the result", width="stretch")
    st.caption(
        f"**Preview** on a copy of at most {SIDE} pixels a side. In the whole image, blurs and edges "
        "are finer, and crops cut off less."
    )
