"""The images of this session: chosen, sent as soon as they are, and kept as no more than a small picture."""

import itertools
from dataclasses import dataclass, field

import streamlit as st
from rich.filesize import decimal
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from frontend_streamlit import access, browser_uploads, components, previews
from frontend_streamlit.browser_uploads import BrowserUploads, Received
from frontend_streamlit.delivery import Arrived, Delivery, Stopped
from frontend_streamlit.settings import read_settings
from frontend_streamlit.words import plain, show_error
from tessera_client import TesseraClientError

SUFFIXES = ["png", "jpg", "jpeg", "tif", "tiff", "webp", "gif", "bmp"]
_HINT = "or drop them here: PNG, JPEG, TIFF, WebP, GIF or BMP."
MOST_SHOWN = 8
_REFRESH_SECONDS = 0.3
_IDS = itertools.count()


@dataclass(slots=True)
class Chosen:
    """An image and where it is on its way.

    Attributes
    ----------
    picture : bytes or None
        A small one for the screen, as `previews.shrink` makes it.
    page, pages : int
        Which page of the file is taken, from 0, and how many it has, as far as is known.
    pictured : int
        The page that the picture shows.
    """

    name: str
    size: int
    picture: bytes | None
    delivery: Delivery | Arrived
    id: int = field(default_factory=lambda: next(_IDS))
    page: int = 0
    pages: int = 1
    pictured: int = 0

    @property
    def upload_id(self) -> str | None:
        """Return what the service calls it, once it has arrived."""
        if not self.delivery.done:
            return None
        try:
            return self.delivery.upload_id()
        except (Stopped, TesseraClientError):
            return None


def chosen() -> list[Chosen]:
    """Return the images of this session, at first none."""
    found: list[Chosen] = st.session_state.setdefault("images", [])
    return found


def on_their_way() -> bool:
    """Say whether an image is being sent."""
    return bool(_uploads().on_their_way) or any(not image.delivery.done for image in chosen())


def forget(image_id: int) -> None:
    """Take an image out; if it is on its way, stop it."""
    for image in chosen():
        if image.id == image_id:
            image.delivery.stop()
    st.session_state["images"] = [image for image in chosen() if image.id != image_id]


def replace_all(*images: Chosen) -> None:
    """Choose these images, and no others."""
    for image in chosen():
        image.delivery.stop()
    st.session_state["images"] = list(images)


def show() -> None:
    """Show what is chosen, and the place to choose more."""
    if read_settings().uploads == "browser" and not _is_unreachable():
        _take_from_browser()
    else:
        _take_in()
    if any(not image.delivery.done for image in chosen()):
        _sending()
    else:
        _list()


def ask_page() -> None:
    """Ask which page of the file is wanted, where there is one file and it has several."""
    if len(chosen()) != 1 or chosen()[0].pages == 1:
        return
    [image] = chosen()
    key = f"page_{image.id}"
    st.session_state.setdefault(key, image.page + 1)
    label = f"Page of the file, 1 to {image.pages:,}"
    image.page = int(st.number_input(label, 1, image.pages, key=key)) - 1
    if image.page != image.pictured and image.picture:
        which = f"page {image.pictured + 1:,}" if image.pictured else "the first page"
        st.caption(f"The picture shows {which}.")


def _uploads() -> BrowserUploads:
    found: BrowserUploads = st.session_state.setdefault("browser_uploads", BrowserUploads())
    return found


def _is_unreachable() -> bool:
    """Say whether the browser has found once that it doesn't reach the storage."""
    if (st.session_state.get("uploader") or {}).get("unreachable"):
        st.session_state["storage_unreachable"] = True
        _uploads().on_their_way = 0
    return "storage_unreachable" in st.session_state


def _take_from_browser() -> None:
    # No fragment: its runs and those of the whole page would get into each other's way, and now and then some
    # image was never shown in the browser.
    uploads, told = _uploads(), st.session_state.get("uploader") or {}
    received = uploads.update(browser_uploads.read(told.get("files")), access.client())
    # Before anything is shown: a run may be given up there.
    chosen().extend(_taken_over(file) for file in received)
    components.uploader(
        {
            **uploads.answer(),
            "label": _label(),
            "hint": _HINT,
            "suffixes": SUFFIXES,
            "pictures": len(chosen()) < MOST_SHOWN,
        },
        key="uploader",
    )


def _taken_over(file: Received) -> Chosen:
    return Chosen(file.name, file.size, file.picture, Arrived(file.upload_id, file.size))


def _label() -> str:
    return "Add images" if chosen() else "Choose images"


def _take_in() -> None:
    if st.session_state.get("storage_unreachable"):
        st.caption("The browser doesn't reach the storage: what you choose here goes through this page.")
    number = st.session_state.setdefault("images_round", 0)
    files = st.file_uploader(
        _label(),
        type=SUFFIXES,
        accept_multiple_files=True,
        key=f"images_{number}",
        help="PNG, JPEG, TIFF, WebP, GIF or BMP. Several images get the same operations.",
    )
    if not files:
        return
    chosen().extend(_begin(file) for file in files)
    # Another uploader: this one would keep the files in memory.
    st.session_state["images_round"] = number + 1
    st.rerun()


def _begin(file: UploadedFile) -> Chosen:
    context = get_script_run_ctx()

    def release() -> None:
        if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
            context.uploaded_file_mgr.remove_file(context.session_id, file.file_id)
        file.close()

    picture = previews.shrink(file)
    delivery = Delivery(access.patient_client(), file, file.name, release)
    delivery.start()
    return Chosen(file.name, file.size, picture, delivery)


@st.fragment(run_every=_REFRESH_SECONDS)
def _sending() -> None:
    _list()
    if all(image.delivery.done for image in chosen()):
        st.rerun()


def _list() -> None:
    images = chosen()
    for image in images[:MOST_SHOWN]:
        _show(image, alone=len(images) == 1)
    if len(images) > MOST_SHOWN:
        arrived = sum(image.upload_id is not None for image in images)
        st.caption(f"And {len(images) - MOST_SHOWN:,} more. {arrived:,} of {len(images):,} have been sent.")


def _show(image: Chosen, *, alone: bool) -> None:
    if alone and image.picture:
        st.image(image.picture, alt=f"The image {image.name}", width="stretch")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if image.picture and not alone:
            st.image(image.picture, alt=f"The image {image.name}", width=64)
        st.markdown(f"{plain(image.name)}  \n:small[{decimal(image.size)}]", width="stretch")
        st.button(
            "Remove image",
            key=f"forget_{image.id}",
            icon=":material/close:",
            type="tertiary",
            on_click=forget,
            args=(image.id,),
        )
    _show_progress(image)


def _show_progress(image: Chosen) -> None:
    if not image.delivery.done:
        sent, size = image.delivery.progress
        share = min(1.0, sent / size) if size else 0.0
        st.progress(share, f"Sending: {decimal(sent)} of {decimal(size or image.size)}")
        return
    try:
        image.delivery.upload_id()
    except Stopped:
        pass
    except TesseraClientError as error:
        show_error(error)
        st.caption("Remove it, and choose it again.")
