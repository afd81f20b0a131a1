"""Parts of the page that run in the browser: plain JavaScript on a canvas, sent with the page itself."""

import base64
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

_FOLDER = Path(__file__).parent
_USES = {"viewer": ("tiff",)}


def viewer(data: Mapping[str, Any], key: str, on_full: Callable[[], None]) -> None:
    """Show before and after with a divider, a common zoom and their difference.

    Parameters
    ----------
    data : mapping
        ``before``, ``after``, ``full``: addresses of pictures or None; ``before_size``, ``after_size``: their
        images' width and height in pixels or None; ``aligned``: whether a pixel of one belongs to that of the
        other; ``can_be_full``: whether ``full`` can be asked for; ``tiled``: whether ``full`` is a TIFF, of
        which the parts on the screen are read; ``small``, ``label``.
    key : str
    on_full : callable
        Called when the small pictures aren't enough for the zoom.
    """
    _component("viewer")(data=dict(data), key=key, on_full_change=on_full)


def board(data: Mapping[str, Any], key: str) -> None:
    """Show the parts of an image.

    Parameters
    ----------
    data : mapping
        ``width``, ``height``: of the image; ``picture``: its address or None; ``tiles``: each with ``index``,
        ``rect`` (x0, y0, x1, y1), ``state`` (waiting, running, done, retried, failed), ``attempts`` and
        ``seconds``.
    key : str
    """
    _component("board")(data=dict(data), key=key)


def uploader(data: Mapping[str, Any], key: str) -> None:
    """Show where files are chosen or dropped, and those on their way from the browser to storage.

    Its state holds ``files``: each with ``id``, ``name``, ``size`` in bytes, ``type``, ``state`` (asking for
    a place, sending, sent) and, once sent, ``picture`` and ``head`` in base64 or None; and ``unreachable``.

    Parameters
    ----------
    data : mapping
        ``session``: another one makes the browser drop what it has; ``label``, ``hint``, ``suffixes``;
        ``pictures``: whether some are wanted; ``places``: by file, each with ``url`` and ``block_bytes``;
        ``refused``: words by file; ``taken``: files that the page has taken over.
    key : str
    """
    _component("uploader")(data=dict(data), key=key, on_files_change=_nothing, on_unreachable_change=_nothing)


def _nothing() -> None:
    """Let the state be kept: Streamlit keeps that of events somebody listens to."""


def data_url(picture: bytes | None) -> str | None:
    """Return the address that is a PNG or JPEG file itself."""
    if picture is None:
        return None
    kind = "png" if picture.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"


@cache
def _source(name: str) -> dict[str, str]:
    source = {kind: (_FOLDER / f"{name}.{kind}").read_text() for kind in ("html", "css", "js")}
    used = "".join((_FOLDER / f"{part}.js").read_text() for part in _USES.get(name, ()))
    return {**source, "js": used + source["js"]}


def _component(name: str) -> Any:
    source = _source(name)
    # Streamlit forgets what is registered when its caches are cleared; to register it again changes nothing.
    return st.components.v2.component(
        f"tessera_{name}", html=source["html"], css=source["css"], js=source["js"]
    )
