"""Small pictures of images, for the screen."""

import io
import tempfile
import threading
from collections import OrderedDict
from pathlib import Path
from typing import BinaryIO

import streamlit as st
from PIL import Image, ImageOps

from tessera_client import Client, Job

SIDE = 1200
MOST_PIXELS = 64_000_000
MOST_BYTES = 256 << 20
KEPT = 32
_SECONDS = 3600
_WIDE_MODES = ("I", "I;16", "I;16B")

# Pillow's own limit is for programs that have none: `shrink` looks at the size before it decodes.
Image.MAX_IMAGE_PIXELS = None


class Recent:
    """The pictures of the last images that were sent, by job; the oldest is dropped for a new one."""

    def __init__(self, capacity: int = KEPT) -> None:
        self._capacity = capacity
        self._pictures: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, job_id: str, picture: bytes) -> None:
        """Keep a picture."""
        with self._lock:
            self._pictures[job_id] = picture
            while len(self._pictures) > self._capacity:
                self._pictures.popitem(last=False)

    def find(self, job_id: str) -> bytes | None:
        """Return the picture of a job's input, or None."""
        with self._lock:
            return self._pictures.get(job_id)


def shrink(source: Path | BinaryIO) -> bytes | None:
    """Make a picture of at most 1200 x 1200 pixels, turned as its orientation says.

    Parameters
    ----------
    source : Path or binary file

    Returns
    -------
    bytes or None
        A JPEG or PNG file; None where there is no image to be read, or it is too large to be decoded here.
    """
    try:
        with Image.open(source, formats=("PNG", "JPEG")) as image:
            # A JPEG can be decoded at a fraction of its size; then that is its size.
            image.draft(None, (SIDE, SIDE))
            if image.width * image.height > MOST_PIXELS:
                return None
            return _encoded(_small(image))
    except (OSError, SyntaxError, ValueError):
        return None


@st.cache_resource(show_spinner=False)
def recent() -> Recent:
    """Return the pictures that this server keeps."""
    return Recent()


@st.cache_data(show_spinner="Making a small picture", max_entries=KEPT, ttl=_SECONDS)
def of_input(file_id: str, _file: BinaryIO) -> bytes | None:
    """Return a picture of a file that was chosen; see `shrink`."""
    return shrink(_file)


@st.cache_data(show_spinner="Fetching the picture", max_entries=KEPT, ttl=_SECONDS)
def of_result(job_id: str, _job: Job, _client: Client) -> bytes | None:
    """Return a picture of a job's result; see `shrink`.

    Raises
    ------
    TesseraClientError
        When the result can't be fetched.
    """
    result = _job.result
    if result is None or result.size > MOST_BYTES:
        return None
    pixels = (result.width or 0) * (result.height or 0)
    if result.media_type == "image/png" and pixels > MOST_PIXELS:
        return None
    with tempfile.TemporaryDirectory(prefix="tessera-page-") as folder:
        return shrink(_client.download(_job, Path(folder) / "result"))


def _small(image: Image.Image) -> Image.Image:
    shown: Image.Image = image
    if image.mode in _WIDE_MODES:
        shown = image.convert("I").point(lambda level: level * (1 / 256)).convert("L")
    elif image.mode == "P":
        shown = image.convert("RGBA")
    turned = ImageOps.exif_transpose(shown)
    turned.thumbnail((SIDE, SIDE))
    return turned


def _encoded(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    if image.mode == "RGB":
        image.save(buffer, "JPEG", quality=90)
    else:
        image.save(buffer, "PNG")
    return buffer.getvalue()
