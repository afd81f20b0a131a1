"""Images that the browser sends to storage by itself: it asks for places, and says what has arrived."""

import base64
import io
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from PIL import Image
from pydantic import TypeAdapter, ValidationError

from frontend_streamlit import previews
from frontend_streamlit.words import explain
from tessera_client import Client, TesseraClientError, Upload
from tessera_client.uploads import block_size

MOST_AT_ONCE = 8
MOST_REMEMBERED = 200
_GRAY_MODES = ("1", "L", "LA", "I", "I;16", "I;16B")


@dataclass(frozen=True, slots=True)
class Told:
    """What the browser says of a file; nothing in it is to be believed, but for the picture on the screen."""

    id: str
    name: str
    size: int
    type: str
    state: Literal["asking", "sending", "sent"]
    picture: str | None = field(default=None, repr=False)
    head: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Received:
    """A file that is in storage.

    Attributes
    ----------
    picture : bytes or None
        A small one for the screen, as `previews.shrink` makes it.
    """

    upload_id: str
    name: str
    size: int
    picture: bytes | None = field(repr=False)


class BrowserUploads:
    """The places of one session, by the numbers that its browser gives to files.

    An upload's id comes from here and never from the browser, which can so name none of somebody else's.
    """

    def __init__(self) -> None:
        self.session = uuid.uuid4().hex
        self._places: dict[str, tuple[Upload, int]] = {}
        self._refused: dict[str, str] = {}
        self._taken: dict[str, None] = {}
        self.on_their_way = 0

    def update(self, files: Sequence[Told], client: Client) -> list[Received]:
        """Give a place to each file that asks for one, and return those that have arrived since.

        Parameters
        ----------
        files : sequence of Told
        client : Client
            Where places come from.
        """
        prefix = f"{self.session}-"
        own = [file for file in files if file.id.startswith(prefix) and file.id not in self._taken]
        for file in own:
            if file.state == "asking" and file.id not in self._places and file.id not in self._refused:
                self._ask(file, client)
        arrived = [file for file in own if file.state == "sent" and file.id in self._places]
        self.on_their_way = sum(file.state != "sent" and file.id not in self._refused for file in own)
        for file in arrived:
            self._taken[file.id] = None
        received = [self._receive(file) for file in arrived]
        for kept in (self._places, self._refused, self._taken):
            _forget_the_oldest(kept)
        return received

    def answer(self) -> dict[str, Any]:
        """Return what the browser is told, as `components.uploader` takes it."""
        places = {
            file: {"url": place.url, "block_bytes": block_size(size)}
            for file, (place, size) in self._places.items()
        }
        return {
            "session": self.session, "places": places, "refused": self._refused, "taken": list(self._taken)
        }  # fmt: skip

    def _ask(self, file: Told, client: Client) -> None:
        try:
            kind = file.type or "application/octet-stream"
            self._places[file.id] = client.create_upload(file.name, file.size, kind), file.size
        except TesseraClientError as error:
            self._refused[file.id] = " ".join(filter(None, explain(error)))

    def _receive(self, file: Told) -> Received:
        place, _ = self._places.pop(file.id)
        return Received(place.id, file.name, file.size, picture_of(file.picture, file.head))


def read(document: object) -> list[Told]:
    """Read what the component tells; nothing where it isn't as agreed."""
    try:
        return _FILES.validate_python(document or [])[:MOST_AT_ONCE]
    except ValidationError:
        return []


def picture_of(picture: str | None, head: str | None) -> bytes | None:
    """Make the picture for the screen of what the browser made, or of a small file itself.

    Parameters
    ----------
    picture : str or None
        An image file in base64.
    head : str or None
        The first bytes of the file where *picture* is only a copy: a browser makes a coloured one of a gray
        image, to which other operations can be applied.
    """
    data, first = (_decoded(text) for text in (picture, head))
    made = previews.shrink(io.BytesIO(data)) if data else None
    if made and first and _is_gray(first):
        with Image.open(io.BytesIO(made)) as image:
            buffer = io.BytesIO()
            image.convert("LA" if image.has_transparency_data else "L").save(buffer, "PNG")
            return buffer.getvalue()
    return made


def _decoded(text: str | None) -> bytes:
    try:
        return base64.b64decode(text or "", validate=True)
    except ValueError:
        return b""


def _is_gray(head: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(head), formats=previews.FORMATS) as image:
            return image.mode in _GRAY_MODES
    except (OSError, SyntaxError, ValueError):
        return False


def _forget_the_oldest(kept: dict[str, Any]) -> None:
    while len(kept) > MOST_REMEMBERED:
        del kept[next(iter(kept))]


_FILES = TypeAdapter(list[Told])
