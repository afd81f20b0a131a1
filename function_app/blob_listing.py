"""What a listing of Blob Storage says of a blob; of a small one it can tell the content.

Such a blob bears what it holds in its metadata too, so that one listing of a folder tells all that is in it.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobServiceClient, ContainerClient

from activities.store import BlobMissing
from function_app import parallel
from function_app.blob_errors import translated
from function_app.blob_pages import pages

_ALL = ["uncommittedblobs"]
_CONTENT = "content"
_MOST_BYTES = 5 << 10
"""In base64, with room to spare in the 8 KiB that the service takes for a blob's metadata."""


class Entry(NamedTuple):
    """A blob in a listing; *size* is 0 for one that has uncommitted blocks only.

    *content* is known of a blob that was written with `metadata_of` what it holds, if the listing was asked
    for it.
    """

    name: str
    size: int
    etag: str
    modified: datetime
    content: bytes | None = None


def metadata_of(data: bytes) -> dict[str, str] | None:
    """Return the metadata by which a listing can tell *data*; none if it is empty, or more than fits."""
    return {_CONTENT: b64encode(data).decode()} if 0 < len(data) <= _MOST_BYTES else None


def entry_of(blob: Element) -> Entry:
    """Return an entry of a ``Blob`` that is listed; uncommitted ones have no size, and may have no date."""
    content, modified = blob.findtext(f"Metadata/{_CONTENT}"), blob.findtext("Properties/Last-Modified")
    etag = blob.findtext("Properties/Etag", "").strip('"')  # a listing has none of the quotes of conditions
    return Entry(
        name_of(blob),
        int(blob.findtext("Properties/Content-Length") or 0),
        f'"{etag}"',
        parsedate_to_datetime(modified) if modified else datetime.now(UTC),
        b64decode(content) if content else None,
    )


def name_of(listed: Element) -> str:
    """Return the name of a blob or a folder that is listed; one that XML can't hold is quoted."""
    name = listed.findtext("Name", "")
    return unquote(name) if listed.find("Name[@Encoded='true']") is not None else name


class BlobLists:
    """What lies in the containers of *client*; nothing does in one that isn't there."""

    def __init__(self, client: BlobServiceClient) -> None:
        self._client = client

    def names(self, container: str, prefix: str) -> Iterator[str]:
        """Yield the names that begin with *prefix*, of blobs and of uncommitted ones."""
        return map(name_of, self._listed(container, prefix, include=_ALL))

    def count(self, container: str, prefix: str) -> int:
        """Return how many committed blobs have names that begin with *prefix*."""
        return sum(1 for _ in self._listed(container, prefix))

    def count_folders(self, container: str, prefix: str) -> int:
        """Return how many folders lie in the one that *prefix* is; cheaper than a look at what is in them."""
        return sum(1 for _ in self._listed(container, prefix, ContainerClient.walk_blobs, delimiter="/"))

    def entries(self, container: str, prefix: str, *, contents: bool = False) -> list[Entry]:
        """Return the blobs whose names begin with *prefix*, also uncommitted ones, in order of names.

        With *contents*, an entry tells what a small blob holds, where such ones are listed.
        """
        include = [*_ALL, "metadata"] if contents else _ALL
        return [entry_of(blob) for blob in self._listed(container, prefix, include=include)]

    def page(self, container: str, prefix: str, most: int, token: str | None) -> tuple[list[str], str | None]:
        """Return at most *most* names that begin with *prefix*, and what to go on with, if there are more.

        Raises
        ------
        ValueError
            If *token* is none that was given.
        """
        found = pages(
            self._container(container).list_blobs, token, name_starts_with=prefix, results_per_page=most
        )
        try:
            with translated(container, prefix):
                blobs, going_on = next(found)
        except BlobMissing:
            return [], None
        except HttpResponseError as error:
            if error.status_code == 400:
                raise ValueError("the token is none that was given") from error
            raise
        return [name_of(blob) for blob in blobs], going_on

    def _listed(
        self,
        container: str,
        prefix: str,
        how: Callable[..., Any] = ContainerClient.list_blobs,
        **options: Any,
    ) -> Iterator[Element]:
        listing = partial(how, self._container(container))
        with suppress(BlobMissing), translated(container, prefix):
            for page in pages(listing, name_starts_with=prefix, **options):
                yield from page.elements

    def _container(self, container: str) -> ContainerClient:
        parallel.give_way()
        return self._client.get_container_client(container)
