"""Small pictures of images, for the screen."""

import io
import tempfile
import threading
from pathlib import Path
from typing import BinaryIO

import streamlit as st
from PIL import Image, ImageOps

from frontend_streamlit import access
from tessera_client import Client, Job, TesseraClientError

SIDE = 1200
FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP")
MOST_PIXELS = 64_000_000
MOST_BYTES = 256 << 20
KEPT = 32
THUMBNAIL = 128
MOST_THUMBNAILS = 500
_RECENT: dict[str, bytes] = {}
_THUMBNAILS: dict[str, bytes] = {}
_KEPT_LOCK = threading.Lock()
_SECONDS = 3600
_WIDE_MODES = ("I", "I;16", "I;16B")

# Pillow's own limit is for programs that have none: `shrink` looks at the size before it decodes.
Image.MAX_IMAGE_PIXELS = None


def shrink(source: Path | BinaryIO, side: int = SIDE) -> bytes | None:
    """Make a picture of at most *side* x *side* pixels, turned as its orientation says.

    Parameters
    ----------
    source : Path or binary file
    side : int

    Returns
    -------
    bytes or None
        A JPEG or PNG file; None where there is no image to be read, or it is too large to be decoded here.
    """
    try:
        with Image.open(source, formats=FORMATS) as image:
            # A JPEG can be decoded at a fraction of its size; then that is its size.
            image.draft(None, (side, side))
            if image.width * image.height > MOST_PIXELS:
                return None
            return _encoded(_small(image, side))
    except (OSError, SyntaxError, ValueError):
        return None


def of_input(job_id: str) -> bytes | None:
    """Return a small picture of a job's input: the service's, else one made when it was chosen."""
    return _fetched(job_id, "input") or _RECENT.get(job_id)


def of_result(job: Job) -> bytes | None:
    """Return a small picture of a job's result: the service's, else one made here of the file.

    Raises
    ------
    TesseraClientError
        When the result can't be fetched.
    """
    return _fetched(job.id, "result") or _made(job.id, job, access.client())


def thumbnail(job_id: str | None, connected: Client) -> bytes | None:
    """Return a picture of a job's result for a list, where the service has one; may be called in a thread."""
    if job_id is None:
        return None
    with _KEPT_LOCK:
        if job_id in _THUMBNAILS:
            return _THUMBNAILS[job_id]
    try:
        preview = connected.previews(job_id).result
        made = shrink(io.BytesIO(connected.picture(preview)), THUMBNAIL) if preview else None
    except TesseraClientError:
        return None
    if made:
        _remember(_THUMBNAILS, job_id, made, MOST_THUMBNAILS)
    return made


def keep(job_id: str, picture: bytes | None) -> None:
    """Keep the picture of an image that was sent, for the last jobs."""
    if picture is not None:
        _remember(_RECENT, job_id, picture, KEPT)


def _remember(kept: dict[str, bytes], job_id: str, picture: bytes, most: int) -> None:
    with _KEPT_LOCK:
        kept[job_id] = picture
        while len(kept) > most:
            del kept[next(iter(kept))]


def _fetched(job_id: str, of: str) -> bytes | None:
    try:
        return _service_picture(job_id, of, access.client())
    except (LookupError, TesseraClientError):
        return None


@st.cache_data(show_spinner=False, max_entries=KEPT, ttl=_SECONDS)
def _service_picture(job_id: str, of: str, _client: Client) -> bytes:
    preview = getattr(_client.previews(job_id), of)
    if preview is None:
        # An error isn't remembered: it may be made a moment later.
        raise LookupError(of)
    return _client.picture(preview)


@st.cache_data(show_spinner="Fetching the picture", max_entries=KEPT, ttl=_SECONDS)
def _made(job_id: str, _job: Job, _client: Client) -> bytes | None:
    result = _job.result
    if result is None or result.size > MOST_BYTES:
        return None
    pixels = (result.width or 0) * (result.height or 0)
    if result.media_type == "image/png" and pixels > MOST_PIXELS:
        return None
    with tempfile.TemporaryDirectory(prefix="tessera-page-") as folder:
        return shrink(_client.download(_job, Path(folder) / "result"))


def _small(image: Image.Image, side: int) -> Image.Image:
    shown: Image.Image = image
    if image.mode in _WIDE_MODES:
        shown = image.convert("I").point(lambda level: level * (1 / 256)).convert("L")
    elif image.mode == "P":
        shown = image.convert("RGBA")
    # Made small before it is turned, which takes a copy.
    shown.thumbnail((side, side))
    return ImageOps.exif_transpose(shown)


def _encoded(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    if image.mode == "RGB":
        image.save(buffer, "JPEG", quality=90)
    else:
        image.save(buffer, "PNG")
    return buffer.getvalue()
