"""What a listing of Blob Storage says of a blob."""

from datetime import UTC, datetime
from typing import NamedTuple

from azure.storage.blob import BlobProperties


class Entry(NamedTuple):
    """A blob in a listing; *size* is 0 for one that has uncommitted blocks only."""

    name: str
    size: int
    etag: str
    modified: datetime


def entry_of(blob: BlobProperties) -> Entry:
    """Return an entry of what the SDK lists."""
    # Uncommitted blobs may have no date; a listing has ETags without the quotes that conditions want.
    modified: datetime | None = blob.last_modified
    etag = str(blob.etag or "").strip('"')
    return Entry(str(blob.name), blob.size or 0, f'"{etag}"', modified or datetime.now(UTC))
