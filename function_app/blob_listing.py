"""What a listing of Blob Storage says of a blob; of a small one it can tell the content.

Such a blob bears what it holds in its metadata too, so that one listing of a folder tells all that is in it.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, NamedTuple

from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobProperties, BlobServiceClient, ContainerClient

from activities.store import BlobMissing
from function_app import parallel
from function_app.blob_errors import translated

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


def entry_of(blob: BlobProperties) -> Entry:
    """Return an entry of what the SDK lists."""
    # Uncommitted blobs may have no date; a listing has ETags without the quotes that conditions want.
    modified: datetime | None = blob.last_modified
    etag = str(blob.etag or "").strip('"')
    content = (blob.metadata or {}).get(_CONTENT)
    return Entry(
        str(blob.name),
        blob.size or 0,
        f'"{etag}"',
        modified or datetime.now(UTC),
        b64decode(content) if content else None,
    )


class BlobLists:
    """What lies in the containers of *client*; nothing does in one that isn't there."""

    def __init__(self, client: BlobServiceClient) -> None:
        self._client = client

    def names(self, container: str, prefix: str) -> Iterator[str]:
        """Yield the names that begin with *prefix*, of blobs and of uncommitted ones."""
        found = self._container(container).list_blobs(name_starts_with=prefix, include=["uncommittedblobs"])
        with suppress(BlobMissing), translated(container, prefix):
            for blob in found:
                yield blob.name

    def count(self, container: str, prefix: str) -> int:
        """Return how many committed blobs have names that begin with *prefix*; cheaper than `names`."""
        found = self._container(container).list_blob_names(name_starts_with=prefix)
        with suppress(BlobMissing), translated(container, prefix):
            return sum(1 for _ in found)
        return 0

    def count_folders(self, container: str, prefix: str) -> int:
        """Return how many folders lie in the one that *prefix* is; cheaper than a look at what is in them."""
        found = self._container(container).walk_blobs(name_starts_with=prefix, delimiter="/")
        with suppress(BlobMissing), translated(container, prefix):
            return sum(1 for _ in found)
        return 0

    def entries(self, container: str, prefix: str, *, contents: bool = False) -> list[Entry]:
        """Return the blobs whose names begin with *prefix*, also uncommitted ones, in order of names.

        With *contents*, an entry tells what a small blob holds, where such ones are listed.
        """
        include = ["uncommittedblobs", *(["metadata"] if contents else [])]
        found = self._container(container).list_blobs(name_starts_with=prefix, include=include)
        with suppress(BlobMissing), translated(container, prefix):
            return [entry_of(blob) for blob in found]
        return []

    def page(self, container: str, prefix: str, most: int, token: str | None) -> tuple[list[str], str | None]:
        """Return at most *most* names that begin with *prefix*, and what to go on with, if there are more.

        Raises
        ------
        ValueError
            If *token* is none that was given.
        """
        listing = self._container(container).list_blobs(name_starts_with=prefix, results_per_page=most)
        pages: Any = listing.by_page(continuation_token=token)
        try:
            with translated(container, prefix):
                names = [blob.name for blob in next(pages, ())]
        except BlobMissing:
            return [], None
        except HttpResponseError as error:
            if error.status_code == 400:
                raise ValueError("the token is none that was given") from error
            raise
        return names, pages.continuation_token or None

    def _container(self, container: str) -> ContainerClient:
        parallel.give_way()
        return self._client.get_container_client(container)
