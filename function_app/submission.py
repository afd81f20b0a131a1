"""Taking a job in: everything that can be known is checked before it is accepted."""

import re
import uuid
from datetime import UTC, datetime
from hashlib import sha256

from activities.store import BlobExists, BlobMissing, Store
from function_app import records
from function_app.file_names import base_name
from function_app.problems import IdempotencyConflict, InvalidRequest, JobNotFound, UploadNotFound
from function_app.records import JobRecord
from function_app.requests import JobRequest
from tessera import naming
from tessera.decode import sniff
from tessera.errors import LimitExceeded
from tessera.pipeline import bind
from tessera.planner import Limits

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_FIRST_BYTES = 16


def register(
    request: JobRequest, idempotency_key: str | None, store: Store, limits: Limits
) -> tuple[JobRecord, bool]:
    """Check a request for a job and record it; say whether the record is new.

    A key that was used before with the same request gives the job of that time.

    Raises
    ------
    InvalidPipeline
        If an operation or a parameter is refused.
    InvalidRequest
        If the key isn't 1 to 255 visible ASCII characters.
    IdempotencyConflict
        If the key was used before with another request.
    UploadNotFound, CorruptImage, LimitExceeded, UnsupportedFormat
        If the upload is missing, empty, too large, or no image of a known format.
    """
    record = _record(request, idempotency_key)
    if idempotency_key is not None:
        try:
            return _same(records.load(record.job, store), record), False
        except JobNotFound:
            pass
    check_upload(record.upload, store, limits)
    try:
        records.write_new(record, store)
    except BlobExists:
        return _same(records.load(record.job, store), record), False
    return record, True


def check_upload(upload: str, store: Store, limits: Limits) -> None:
    """Refuse an upload whose size and first bytes show that no job can be done with it.

    Raises
    ------
    UploadNotFound, CorruptImage, LimitExceeded, UnsupportedFormat
        If it is missing, empty, too large, or no image of a known format.
    """
    try:
        size = store.stat(naming.UPLOADS, upload).size
        first = store.read(naming.UPLOADS, upload, 0, _FIRST_BYTES)
    except BlobMissing as error:
        raise UploadNotFound(
            f"there is no upload {upload}",
            hint="PUT the file to the URL that POST /api/v1/uploads gave, and wait for its answer",
            pointer="/upload_id",
        ) from error
    refuse_size(size, limits)
    sniff(first)


def refuse_size(size: int, limits: Limits) -> None:
    """Raise `tessera.errors.LimitExceeded` if a file of *size* bytes is not taken."""
    if size > limits.max_bytes:
        raise LimitExceeded(
            f"the file has {size:,} bytes",
            limit=limits.max_bytes,
            actual=size,
            hint="save the image with stronger compression, or cut it up",
        )


def _record(request: JobRequest, idempotency_key: str | None) -> JobRecord:
    return JobRecord(
        job=_job_id(idempotency_key),
        upload=request.upload_id,
        pipeline=tuple(bound.step for bound in bind(request.pipeline)),
        output=request.output,
        name=base_name(request.name or ""),
        created_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
    )


def _job_id(idempotency_key: str | None) -> str:
    if idempotency_key is None:
        return uuid.uuid4().hex
    if not _KEY.fullmatch(idempotency_key):
        raise InvalidRequest(
            "the header Idempotency-Key must be 1 to 255 visible ASCII characters",
            actual=idempotency_key[:80],
            hint="send a new UUID with each job",
        )
    return sha256(idempotency_key.encode()).hexdigest()[:32]


def _same(earlier: JobRecord, record: JobRecord) -> JobRecord:
    if earlier.asks_the_same(record):
        return earlier
    raise IdempotencyConflict(
        f"the Idempotency-Key was used for job {earlier.job}, with another body",
        hint="send a new key with a new request",
    )
