"""Looking at the header of an upload before a job is taken: what it is, and what a job with it would be."""

from collections.abc import Sequence
from typing import cast

from activities.store import BlobChanged, BlobMissing, Stat, Store
from activities.uploads import inspected
from function_app.blob_store import BlobStore
from function_app.problems import UploadNotFound
from tessera import naming
from tessera.errors import LimitExceeded
from tessera.plan import Output, Plan, Step
from tessera.planner import Limits, make_plan

_FIRST_BYTES = 256 << 10
"""All of a small file: what is in its header is often all over it."""


def plan_of(
    upload: str, page: int, steps: Sequence[Step], output: Output, store: BlobStore, limits: Limits
) -> Plan:
    """Return the plan of a job with an upload, from its header: one call to storage, or few.

    Raises
    ------
    UploadNotFound
        If there is no such upload.
    tessera.errors.TesseraError
        If it is empty, too large, or no image that is read here, or the pipeline or output don't suit it.
    """
    try:
        first, stat = store.beginning(naming.UPLOADS, upload, _FIRST_BYTES)
        refuse_size(stat.size, limits)
        image = inspected(upload, page, limits.max_pixels, cast(Store, _Begun(first, stat, store)))
    except (BlobMissing, BlobChanged) as error:
        raise UploadNotFound(
            f"there is no upload {upload}",
            hint="PUT the file to the URL that POST /api/v1/uploads gave, and wait for its answer",
            pointer="/upload_id",
        ) from error
    return make_plan(image, steps, output, limits)


def refuse_size(size: int, limits: Limits) -> None:
    """Raise `tessera.errors.LimitExceeded` if a file of *size* bytes is not taken."""
    if size > limits.max_bytes:
        raise LimitExceeded(
            f"the file has {size:,} bytes",
            limit=limits.max_bytes,
            actual=size,
            hint="save the image with stronger compression, or cut it up",
        )


class _Begun:
    """The upload with its first bytes at hand: a header takes many small reads, mostly there."""

    def __init__(self, first: bytes, stat: Stat, store: Store) -> None:
        self._first, self._stat, self._store = first, stat, store

    def stat(self, container: str, name: str) -> Stat:
        return self._stat

    def read(
        self,
        container: str,
        name: str,
        offset: int = 0,
        length: int | None = None,
        *,
        etag: str | None = None,
    ) -> bytes:
        if length is not None and offset + length <= len(self._first):
            return self._first[offset : offset + length]
        return self._store.read(container, name, offset, length, etag=etag)
