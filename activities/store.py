"""The port to storage: what an activity may ask of it.

StoreError
+-- BlobMissing     there is no such blob (or no committed one)
+-- BlobExists      a new blob was wanted, and there is one
+-- BlobChanged     the blob is not the one that was inspected
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, Protocol

OCTETS: Final = "application/octet-stream"


class StoreError(Exception):
    """Root of the errors below; any other exception of a store is transient."""


class BlobMissing(StoreError):
    """There is no committed blob of this name."""


class BlobExists(StoreError):
    """A new blob was wanted, and the name is taken."""


class BlobChanged(StoreError):
    """The blob's ETag is another one than asked for."""


class Stat(NamedTuple):
    """Bytes and ETag of a committed blob."""

    size: int
    etag: str


class Store(Protocol):
    """Blobs in containers. Blobs made of blocks come into being when the blocks are committed."""

    def stat(self, container: str, name: str) -> Stat:
        """Return size and ETag; raise `BlobMissing` if there is no such blob."""

    def exists(self, container: str, name: str) -> bool:
        """Tell whether there is a committed blob of this name."""

    def read(
        self,
        container: str,
        name: str,
        offset: int = 0,
        length: int | None = None,
        *,
        etag: str | None = None,
    ) -> bytes:
        """Return *length* bytes from *offset* (all from there if None); fewer only at the end.

        Raises
        ------
        BlobMissing
            If there is no such blob.
        BlobChanged
            If *etag* is given and is not the blob's.
        """

    def write(
        self,
        container: str,
        name: str,
        data: bytes,
        *,
        media_type: str = OCTETS,
        new: bool = False,
    ) -> None:
        """Write a whole blob; with *new*, raise `BlobExists` if the name is taken."""

    def put_block(self, container: str, name: str, block: str, data: bytes) -> None:
        """Upload an uncommitted block; a second one of the same id takes its place."""

    def blocks(self, container: str, name: str) -> dict[str, int]:
        """Return the bytes of each block by its id, committed or not; nothing if there are none."""

    def commit(
        self,
        container: str,
        name: str,
        blocks: Sequence[str],
        *,
        media_type: str = OCTETS,
    ) -> None:
        """Make the blob of these blocks, in this order; raise `BlobMissing` if one wasn't uploaded."""

    def names(self, container: str, prefix: str) -> Iterator[str]:
        """Yield the names that begin with *prefix*, of blobs and of uncommitted ones."""

    def delete(self, container: str, name: str) -> None:
        """Remove a blob with its uncommitted blocks; a missing one is success."""
