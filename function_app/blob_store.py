"""The store of the activities on Azure Blob Storage.

One object serves all threads of the process. Transient faults are retried by the SDK; what it gives up on
goes through as its own exceptions.
"""

from base64 import b64encode
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobBlock, BlobClient, BlobServiceClient, ContentSettings

from activities.store import OCTETS, BlobExists, BlobMissing, Stat
from function_app import parallel
from function_app.blob_containers import Containers
from function_app.blob_copying import copy_from
from function_app.blob_errors import translated
from function_app.blob_listing import BlobLists, Entry, metadata_of
from tessera import naming
from tessera.parts import digest_in


class BlobStore(BlobLists):
    """`activities.store.Store` over *client*; containers come into being when first written to."""

    def __init__(self, client: BlobServiceClient) -> None:
        super().__init__(client)
        self._containers = Containers(client)

    def stat(self, container: str, name: str) -> Stat:
        """Return size and ETag; raise `BlobMissing` if there is no such blob."""
        with translated(container, name):
            properties = self._blob(container, name).get_blob_properties()
            return Stat(properties.size, properties.etag)

    def exists(self, container: str, name: str) -> bool:
        """Tell whether there is a committed blob of this name."""
        return bool(self._blob(container, name).exists())

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
        if length == 0:
            return b""
        pinned: dict[str, Any] = (
            {"etag": etag, "match_condition": MatchConditions.IfNotModified} if etag else {}
        )
        blob = self._blob(container, name)
        with translated(container, name):
            try:
                data: bytes = blob.download_blob(offset=offset, length=length, **pinned).readall()
                return data
            except HttpResponseError as error:
                if error.status_code == 416:  # the offset is at the end or past it
                    return b""
                raise

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
        blob, content = self._blob(container, name), ContentSettings(content_type=media_type)
        with translated(container, name):
            self._containers.writing(
                container,
                lambda: blob.upload_blob(
                    data,
                    overwrite=not new,
                    content_settings=content,
                    metadata=_metadata(container, data),
                ),
            )

    def put_block(self, container: str, name: str, block: str, data: bytes) -> None:
        """Upload an uncommitted block; a second one of the same id takes its place."""
        blob = self._blob(container, name)
        # In the work area, what the head must know of a part bears the id of that part, and so its digest.
        digest = digest_in(block) if container == naming.RESULTS else None
        checked: dict[str, Any] = {"validate_content": True}
        if digest is not None:
            # The SDK would compute it once more.
            checked = {"headers": {"Content-MD5": b64encode(digest).decode()}}
        with translated(container, name):
            self._containers.writing(
                container, lambda: blob.stage_block(block, data, length=len(data), **checked)
            )

    def blocks(self, container: str, name: str) -> dict[str, int]:
        """Return the bytes of each block by its id, committed or not; nothing if there are none."""
        try:
            with translated(container, name):
                lists = self._blob(container, name).get_block_list("all")
        except BlobMissing:
            return {}
        return {block.id: block.size for blocks in lists for block in blocks}

    def commit(
        self,
        container: str,
        name: str,
        blocks: Sequence[str],
        *,
        media_type: str = OCTETS,
    ) -> None:
        """Make the blob of these blocks, in this order; raise `BlobMissing` if one wasn't uploaded."""
        with translated(container, name):
            self._blob(container, name).commit_block_list(
                [BlobBlock(block) for block in blocks],
                content_settings=ContentSettings(content_type=media_type),
            )

    def content(self, container: str, entry: Entry) -> bytes:
        """Return what a listed blob holds: from the listing if that tells it.

        Raises
        ------
        BlobMissing, BlobChanged
            If it is gone, or another one by now.
        """
        if entry.content is not None:
            return entry.content
        return self.read(container, entry.name, etag=entry.etag)

    def beginning(self, container: str, name: str, length: int) -> tuple[bytes, Stat]:
        """Return the first *length* bytes of a blob with its size and ETag: one call.

        Raises
        ------
        BlobMissing
            If there is no such blob.
        """
        with translated(container, name):
            try:
                download = self._blob(container, name).download_blob(offset=0, length=length)
                data, properties = download.readall(), download.properties
                size = str(properties.content_range).rpartition("/")[2]
                return data, Stat(int(size), properties.etag)
            except HttpResponseError as error:
                if error.status_code != 416:
                    raise
        return b"", self.stat(container, name)  # an empty blob has no range

    def fetch(self, container: str, name: str) -> tuple[bytes, str]:
        """Return a blob's bytes and ETag; raise `BlobMissing` if there is none."""
        with translated(container, name):
            download = self._blob(container, name).download_blob()
            return download.readall(), download.properties.etag

    def replace(self, container: str, name: str, data: bytes, etag: str) -> None:
        """Write a blob in place of the one of *etag*; raise `BlobChanged` if that is gone."""
        with translated(container, name):
            self._blob(container, name).upload_blob(
                data,
                overwrite=True,
                etag=etag,
                match_condition=MatchConditions.IfNotModified,
                metadata=_metadata(container, data),
            )

    def committed(self, container: str, name: str) -> list[tuple[str, int]]:
        """Return id and bytes of each committed block, in order; raise `BlobMissing` if there is no blob."""
        with translated(container, name):
            blocks, _ = self._blob(container, name).get_block_list("committed")
        return [(block.id, block.size) for block in blocks]

    def copy(self, url: str, container: str, name: str, patience: float) -> None:
        """Make a blob of what *url* reads, inside the service; after a failure nothing is left of it.

        Raises
        ------
        BlobMissing
            If there is nothing to be read.
        CopyFailed
            If the service gives up, or hasn't ended within *patience* seconds.
        """
        blob = self._blob(container, name)
        with translated(container, name):
            self._containers.writing(container, lambda: copy_from(url, blob, patience))

    def probe(self) -> None:
        """Make one request, to see that the service answers."""
        self._container(naming.JOBS).exists()

    def delete(self, container: str, name: str) -> None:
        """Remove a blob with its uncommitted blocks; a missing one is success."""
        blob = self._blob(container, name)
        try:
            with translated(container, name):
                blob.delete_blob(delete_snapshots="include")
        except BlobMissing:
            if container != naming.JOBS:  # where all is written whole
                self._discard_uncommitted(container, name, blob)

    def ensure_container(self, container: str) -> None:
        """Create a container that others than this store write to, as `Containers.ensure` does."""
        self._containers.ensure(container)

    def _discard_uncommitted(self, container: str, name: str, blob: BlobClient) -> None:
        """Drop the blocks of a blob that was never committed, which the service doesn't let be deleted."""
        if not self.blocks(container, name):
            return
        with suppress(BlobMissing, BlobExists), translated(container, name):
            blob.commit_block_list([], match_condition=MatchConditions.IfMissing)
            blob.delete_blob()

    def _blob(self, container: str, name: str) -> BlobClient:
        parallel.give_way()
        return self._client.get_blob_client(container, name)


def _metadata(container: str, data: bytes) -> dict[str, str] | None:
    """Return what a blob of a job's records bears, which are listed to see how the job is doing."""
    return metadata_of(data) if container == naming.JOBS else None
