"""Batches: many inputs, one pipeline, one manifest."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from activities.store import BlobExists, BlobMissing, Store
from function_app import idempotency, quotas, records
from function_app.blob_store import BlobStore
from function_app.file_names import base_name
from function_app.idempotency import Claim
from function_app.problems import BatchNotFound, JobIsOver
from function_app.records import JobRecord, WebhookTarget
from function_app.requests import BatchRequest
from function_app.responses_service import BatchEntry, BatchView
from function_app.services import Services
from function_app.submission import webhook_target
from tessera import naming
from tessera.codecs import resolve
from tessera.messages import BatchEnd, BatchOrder, BatchPart, Fault, JobId, JobOrder, Outcome
from tessera.pipeline import bind
from tessera.plan import Message, Output, Step

_AT_ONCE = 8
_MANIFEST = "manifest.json"


class BatchRecord(Message):
    """A batch as it was asked for. *inputs* are uploads and names."""

    batch: JobId
    inputs: tuple[tuple[JobId, str | None], ...]
    pipeline: tuple[Step, ...]
    output: Output
    tolerated: int
    created_at: str
    owner: str
    lock: str | None = None
    webhook: WebhookTarget | None = None

    @property
    def order(self) -> BatchOrder:
        """Return what the orchestrator is started with."""
        return BatchOrder(
            batch=self.batch,
            count=len(self.inputs),
            tolerated=self.tolerated,
            notify=self.webhook is not None,
        )

    @property
    def index_entry(self) -> str:
        """Return the blob by which the batch is listed."""
        return naming.batch_index_entry(self.owner, records.milliseconds(self.created_at), self.batch)

    def job(self, index: int) -> str:
        """Return the id of the job of an input; those of a batch begin alike."""
        return f"{self.batch[:24]}{index:08x}"

    def job_record(self, index: int) -> JobRecord:
        """Return the record of the job of an input."""
        upload, name = self.inputs[index]
        return JobRecord(
            job=self.job(index),
            upload=upload,
            pipeline=self.pipeline,
            output=self.output,
            name=name,
            created_at=self.created_at,
            owner=self.owner,
            batch=self.batch,
        )


class Manifest(Message):
    """How a batch ended."""

    state: str
    finished_at: str
    entries: tuple[dict[str, str | int | None], ...]


def register(request: BatchRequest, key: str | None, owner: str, own: Services) -> tuple[BatchRecord, bool]:
    """Check a request for a batch and record it; say whether the record is new.

    Raises
    ------
    tessera.errors.TesseraError
        As `function_app.submission.register`, but for the uploads: each is a job's own matter.
    """
    steps = tuple(bound.step for bound in bind(request.pipeline))
    resolve(request.output, "png")
    lock = None if key is None else _lock(key, owner)
    digest = idempotency.digest_of(request.model_copy(update={"pipeline": steps}).model_dump(mode="json"))
    if lock and (claim := idempotency.find(lock, digest, own.store)):
        try:
            return load(claim.id, own.store, owner), False
        except BatchNotFound:
            pass  # whoever took the key didn't get as far as the record
    target = webhook_target(request.webhook)
    under_way = quotas.under_way(owner, own.store, own.settings)
    quotas.check(owner, 0, under_way, own.store, own.settings)
    wanted = Claim(id=uuid.uuid4().hex, digest=digest, at=records.now())
    claim = idempotency.take(lock, wanted, own.store) if lock else wanted
    record = BatchRecord(
        batch=claim.id,
        inputs=tuple((item.upload_id, base_name(item.name or "")) for item in request.inputs),
        pipeline=steps,
        output=request.output,
        tolerated=request.tolerated_failures,
        created_at=claim.at,
        owner=owner,
        lock=lock,
        webhook=target,
    )
    new = True
    try:
        _write(record.batch, "record.json", record, own.store, new=True)
    except BlobExists:
        record, new = load(record.batch, own.store, owner), False
    own.store.write(naming.JOBS, record.index_entry, b"")
    return record, new


def load(batch: str, store: Store, owner: str) -> BatchRecord:
    """Return the record of a batch; raise `BatchNotFound` if *owner* has no such batch."""
    if records.is_id(batch):
        try:
            record = read_record(batch, store)
        except BlobMissing:
            pass
        else:
            if record.owner == owner:
                return record
    raise BatchNotFound(f"there is no batch {batch[:64]}", hint="it was never started, or it was removed")


def view(record: BatchRecord, store: BlobStore) -> BatchView:
    """Return how a batch is doing: two calls to storage."""
    manifest = read_manifest(record.batch, store)
    if manifest is not None:
        entries = tuple(BatchEntry.model_validate(entry) for entry in manifest.entries)
        return _view(
            record,
            state=manifest.state,
            finished_at=manifest.finished_at,
            done=len(entries),
            failed=sum(1 for entry in entries if entry.state == "failed"),
            manifest=entries,
        )
    over = sum(1 for name in store.names(naming.JOBS, record.batch[:24]) if name.endswith("/outcome.json"))
    stopping = store.exists(naming.JOBS, naming.batch(record.batch, "stop"))
    return _view(record, state="cancelling" if stopping else "running", done=over)


def cancel(record: BatchRecord, store: BlobStore) -> None:
    """Ask all jobs of a batch to stop.

    Raises
    ------
    JobIsOver
        If the batch is over.
    """
    if read_manifest(record.batch, store) is not None:
        raise JobIsOver("the batch is over")
    store.write(naming.JOBS, naming.batch(record.batch, "stop"), b"")
    begun = {name.partition("/")[0] for name in store.names(naming.JOBS, record.batch[:24])}
    for job in begun:
        _stop(job, store)


def record_jobs(part: BatchPart, store: Store) -> "Orders":
    """Record some jobs of a batch, so that they can be run (activity)."""
    record = read_record(part.batch, store)

    def write(index: int) -> JobOrder:
        job = record.job_record(index)
        records.write_marks(job, store)
        with suppress(BlobExists):
            records.write_new(job, store)
        return job.order

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        orders = tuple(pool.map(write, range(part.first, part.last)))
    # Whoever cancels sets the flag and then looks for records, so that one of both sees the other.
    if store.exists(naming.JOBS, naming.batch(part.batch, "stop")):
        for order in orders:
            _stop(order.job, store)
    return Orders(orders=orders)


class Orders(Message):
    """Jobs to run."""

    orders: tuple[JobOrder, ...]


def end_batch(end: BatchEnd, store: Store) -> None:
    """Write the manifest of a batch (activity)."""
    record = read_record(end.batch, store)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        entries = tuple(pool.map(lambda index: _entry(record, index, store), range(len(record.inputs))))
    states = [str(entry["state"]) for entry in entries]
    failed = states.count("failed")
    cancelled = store.exists(naming.JOBS, naming.batch(end.batch, "stop"))
    state = "cancelled" if cancelled else "failed" if failed > record.tolerated else "succeeded"
    manifest = Manifest(state=state, finished_at=end.finished_at, entries=entries)
    _write(end.batch, _MANIFEST, manifest, store)


def forget(record: BatchRecord, store: Store) -> None:
    """Remove what is on record about a batch; its jobs expire by themselves."""
    for name in (_MANIFEST, "stop", "record.json"):
        store.delete(naming.JOBS, naming.batch(record.batch, name))
    store.delete(naming.JOBS, record.index_entry)
    if record.lock:
        store.delete(naming.JOBS, record.lock)


def _entry(record: BatchRecord, index: int, store: Store) -> dict[str, str | int | None]:
    job, (upload, name) = record.job(index), record.inputs[index]
    try:
        outcome = Outcome.model_validate_json(store.read(naming.JOBS, naming.outcome(job)))
    except BlobMissing:
        outcome = Outcome(state="cancelled", finished_at="", fault=_NOT_STARTED)
    return {
        "upload_id": upload,
        "name": name,
        "job": job,
        "state": outcome.state,
        "code": outcome.fault.code if outcome.fault else None,
        "size": outcome.result.size if outcome.result else None,
    }


_NOT_STARTED = Fault(code="cancelled", title="The job was cancelled", detail="the batch ended before")


def _view(record: BatchRecord, **members: object) -> BatchView:
    return BatchView.model_validate(
        {
            "id": record.batch,
            "created_at": record.created_at,
            "total": len(record.inputs),
            "tolerated_failures": record.tolerated,
            **members,
        }
    )


def _stop(job: str, store: Store) -> None:
    with suppress(BlobExists):
        store.write(naming.JOBS, naming.stop_flag(job), naming.STOP_CANCEL, new=True)


def _lock(key: str, owner: str) -> str:
    """Return the lock of a key; the same key may stand for a job as well."""
    lock = idempotency.lock_of(key, owner)
    return f"{lock}-batch"


def read_record(batch: str, store: Store) -> BatchRecord:
    """Return the record of a batch; raise `BlobMissing` if there is none."""
    return BatchRecord.model_validate_json(store.read(naming.JOBS, naming.batch(batch)))


def read_manifest(batch: str, store: Store) -> Manifest | None:
    """Return the manifest of a batch, or None before it is over."""
    try:
        return Manifest.model_validate_json(store.read(naming.JOBS, naming.batch(batch, _MANIFEST)))
    except BlobMissing:
        return None


def _write(batch: str, name: str, document: Message, store: Store, *, new: bool = False) -> None:
    data = document.model_dump_json().encode()
    store.write(naming.JOBS, naming.batch(batch, name), data, media_type="application/json", new=new)
