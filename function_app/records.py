"""The record of a job: what was asked for, written before anything is started."""

import re
from datetime import UTC, datetime

from activities.store import BlobChanged, BlobMissing, Store
from function_app import parallel
from function_app.blob_store import BlobStore
from function_app.owners import KEY_HOLDER
from function_app.problems import JobNotFound, NotRetryable
from tessera import naming
from tessera.messages import JobId, JobOrder
from tessera.plan import Message, Output, Plan, Step

_JOB_ID = re.compile(r"[0-9a-f]{32}")


class WebhookTarget(Message):
    """Where to send word of the end, and the secret that signs it."""

    url: str
    secret: str


class JobRecord(Message):
    """A job as it was asked for, with the parameters of its operations spelled out.

    *created_at* is ISO 8601, UTC. *plan* is what the upload's header led to; a job of a batch has none here.
    *lock* is the blob of its Idempotency-Key. *run* counts how often it was taken up.
    """

    job: JobId
    upload: JobId
    page: int = 0
    pipeline: tuple[Step, ...]
    output: Output
    name: str | None = None
    created_at: str
    owner: str = KEY_HOLDER
    plan: Plan | None = None
    lock: str | None = None
    webhook: WebhookTarget | None = None
    batch: JobId | None = None
    run: int = 1
    reopened_at: str | None = None

    @property
    def order(self) -> JobOrder:
        """Return what the orchestrator is started with."""
        return JobOrder(
            job=self.job,
            upload=self.upload,
            page=self.page,
            pipeline=self.pipeline,
            output=self.output,
            plan=self.plan,
            run=self.run,
            marks=self.marks,
            notify=self.webhook is not None,
        )

    @property
    def begun_at(self) -> str:
        """Return when this run was asked for."""
        return self.reopened_at or self.created_at

    @property
    def marks(self) -> tuple[str, ...]:
        """Return the blobs outside the job's own folder that say something of it."""
        return (self.index_entry, self.running_mark, *([self.lock] if self.lock else []))

    @property
    def index_entry(self) -> str:
        """Return the blob by which the job is listed."""
        return naming.index_entry(self.owner, milliseconds(self.created_at), self.job)

    @property
    def running_mark(self) -> str:
        """Return the blob that is there until the job is over."""
        return naming.running_mark(self.owner, self.job)


def write_new(record: JobRecord, store: Store) -> None:
    """Keep *record*; raise `activities.store.BlobExists` if the job has one."""
    name = naming.record(record.job)
    store.write(naming.JOBS, name, _bytes(record), media_type="application/json", new=True)


def replace(record: JobRecord, later: JobRecord, store: BlobStore) -> None:
    """Keep *later* in place of *record*.

    Raises
    ------
    NotRetryable
        If the record is another one by now.
    """
    name = naming.record(record.job)
    held, etag = store.fetch(naming.JOBS, name)
    try:
        if JobRecord.model_validate_json(held) != record:
            raise BlobChanged(name)
        store.replace(naming.JOBS, name, _bytes(later), etag)
    except BlobChanged as error:
        raise NotRetryable("somebody else has just taken the job up", hint="ask how it is doing") from error


def _bytes(record: JobRecord) -> bytes:
    return record.model_dump_json(exclude_defaults=True).encode()


def write_marks(record: JobRecord, store: Store) -> None:
    """Make the job appear in its owner's list, and count as running."""
    running = parallel.begin(lambda: store.write(naming.JOBS, record.running_mark, b""))
    store.write(naming.JOBS, record.index_entry, b"")
    running.result()


def remove_marks(record: JobRecord, store: Store) -> None:
    """Take back what `write_marks` did."""
    for mark in (record.running_mark, record.index_entry):
        store.delete(naming.JOBS, mark)


def load(job: str, store: Store, owner: str) -> JobRecord:
    """Return the record of a job.

    Raises
    ------
    JobNotFound
        If *job* is no id, or *owner* has no such job.
    """
    if is_id(job):
        try:
            record = JobRecord.model_validate_json(store.read(naming.JOBS, naming.record(job)))
        except BlobMissing:
            pass
        else:
            if record.owner == owner:
                return record
    raise job_not_found(job)


def milliseconds(time: str) -> int:
    """Return a time of a record in milliseconds since 1970."""
    return int(datetime.fromisoformat(time).timestamp() * 1000)


def now() -> str:
    """Return the time as records have it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def is_id(text: str) -> bool:
    """Tell whether *text* may be the id of a job or a batch."""
    return _JOB_ID.fullmatch(text) is not None


def job_not_found(job: str) -> JobNotFound:
    """Return the error for a job that isn't there, or not the caller's."""
    return JobNotFound(
        f"there is no job {job[:64]}",
        hint="it was never started, or it was deleted; POST /api/v1/jobs starts one",
    )
