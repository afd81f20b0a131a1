"""An upload that is a copy of a job's image or result; storage makes it, and no byte comes through here."""

import uuid
from datetime import timedelta
from typing import Literal, NamedTuple

from activities.store import BlobMissing
from function_app import results, status
from function_app.blob_copying import CopyFailed
from function_app.inspection import refuse_size
from function_app.problems import NoResult, Unavailable
from function_app.responses import CopiedUploadView
from function_app.sas import DOWNLOAD
from function_app.services import Services
from function_app.status import Snapshot
from tessera import naming
from tessera.errors import InputGone, TesseraError

PATIENCE_SECONDS = 30.0
_LINK_LIFETIME = timedelta(minutes=5)

type Of = Literal["input", "result"]


class _Source(NamedTuple):
    container: str
    blob: str
    name: str | None
    gone: TesseraError


def take(job: str, of: Of, owner: str, own: Services) -> CopiedUploadView:
    """Make an upload of what a job has: the job may be deleted then, and the upload stays.

    Raises
    ------
    JobNotFound
        If *owner* has no such job.
    NoResult
        If its result is wanted and it has none, or no longer.
    InputGone
        If its image is wanted and no longer kept.
    LimitExceeded
        If the file is larger than an upload may be.
    Unavailable
        If storage doesn't come to the end of it.
    """
    snapshot = status.take(job, own.store, owner)
    source = _result(snapshot) if of == "result" else _input(snapshot)
    upload = uuid.uuid4().hex
    try:
        size = own.store.stat(source.container, source.blob).size
        refuse_size(size, own.settings.limits)
        signed = own.signer.sign(source.container, source.blob, DOWNLOAD, _LINK_LIFETIME)
        own.store.copy(signed.url, naming.UPLOADS, upload, PATIENCE_SECONDS)
    except BlobMissing as error:
        raise source.gone from error
    except CopyFailed as error:
        raise Unavailable(
            "storage has not come to the end of the copy", hint="try again, or send the file yourself"
        ) from error
    return CopiedUploadView(id=upload, name=source.name, size=size)


def _input(snapshot: Snapshot) -> _Source:
    record = snapshot.record
    gone = InputGone(
        "the job's image is no longer kept",
        hint="upload it again: POST /api/v1/uploads",
        pointer="/job",
    )
    return _Source(naming.UPLOADS, record.upload, record.name, gone)


def _result(snapshot: Snapshot) -> _Source:
    record, result = snapshot.record, results.finished(snapshot.outcome)
    gone = NoResult("the job's result is no longer kept", hint="run the job again", pointer="/job")
    blob = results.blob_of(record, result)
    return _Source(naming.RESULTS, blob, results.file_name(record, result), gone)
