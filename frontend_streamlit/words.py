"""Names, figures and errors in words."""

import logging
import re

import streamlit as st
from rich.filesize import decimal

from tessera_client import ApiError, ConnectionFailed, Problem, TesseraClientError, UnexpectedResponse
from tessera_client.errors import describe
from tessera_client.models import ImageInfo, Result

_LOG = logging.getLogger(__name__)
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:&])")
_SPELLED_OUT = {"ksize": "kernel size"}
_PHASES = {
    "inspect": "looking at the image",
    "ingest": "decoding",
    "process": "processing",
    "stage": "processing, pass",
    "reduce": "joining what was found, pass",
    "overviews": "making the smaller images",
    "stitch": "putting the parts together",
}


def plain(text: str) -> str:
    """Escape a text from elsewhere so that it's shown as it is, not read as Markdown.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
    """
    return _MARKDOWN.sub(r"\\\1", text)


def title(name: str) -> str:
    """Make a title of a name in code, such as ``Median blur`` of ``median_blur``.

    Parameters
    ----------
    name : str

    Returns
    -------
    str
    """
    words = _SPELLED_OUT.get(name, name).replace("_", " ")
    return words[:1].upper() + words[1:]


def phase(name: str) -> str:
    """Put the service's name of a phase into words, such as ``Processing, pass 2`` for ``stage 2``.

    Parameters
    ----------
    name : str

    Returns
    -------
    str
        The name itself where it isn't known.
    """
    kind, _, number = name.replace("_", " ").partition(" ")
    return title(f"{_PHASES.get(kind, kind)} {number}".rstrip())


def facts(image: ImageInfo | Result, file_format: str | None) -> str:
    """Say what an image is, such as ``JPEG, 4,608 × 3,456 pixels, 5.2 MB``.

    Parameters
    ----------
    image : ImageInfo or Result
    file_format : str or None

    Returns
    -------
    str
        What isn't known is left out.
    """
    known = [
        file_format.upper() if file_format else "",
        f"{image.width:,} × {image.height:,} pixels" if image.width and image.height else "",
        decimal(image.size) if image.size else "",
    ]
    if isinstance(image, ImageInfo) and image.pages > 1:
        known.append(f"page {image.page + 1:,} of {image.pages:,}")
    return ", ".join(filter(None, known))


def explain(error: TesseraClientError) -> tuple[str, str]:
    """Say what went wrong and what to do about it, to somebody who doesn't run the service.

    Parameters
    ----------
    error : TesseraClientError

    Returns
    -------
    tuple of str
        The message and the hint, which may be empty.
    """
    if isinstance(error, ConnectionFailed):
        return "The service can't be reached just now.", "Try again in a moment."
    if isinstance(error, UnexpectedResponse):
        return "The service gave an answer that this page doesn't understand.", "Tell whoever runs the page."
    if isinstance(error, ApiError) and error.problem.status in (401, 403):
        return "This page may not use the service.", "Tell whoever runs the page."
    return _sentence(str(error)), error.hint or ""


def show_error(error: TesseraClientError) -> None:
    """Show an error in words, and log what the words leave out.

    Parameters
    ----------
    error : TesseraClientError
    """
    _LOG.warning("%s: %s", type(error).__name__, error)
    _show(*explain(error))


def show_problem(problem: Problem) -> None:
    """Show why a job failed.

    Parameters
    ----------
    problem : Problem
    """
    _show(_sentence(describe(problem)), problem.hint or "")


def _show(message: str, hint: str) -> None:
    parts = (f"**{plain(message)}**", plain(hint))
    st.error("\n\n".join(filter(None, parts)), icon=":material/error:")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
