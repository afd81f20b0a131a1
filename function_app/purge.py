"""Removing what has expired: jobs and batches, uploads, work that nobody goes on with, small records."""

from collections.abc import Callable, Container, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from activities.cleanup import remove_job, remove_work
from activities.store import BlobMissing
from function_app import batches, idempotency, records
from function_app.blob_listing import Entry
from function_app.blob_store import BlobStore
from function_app.records import JobRecord
from function_app.services import Services
from tessera import naming
from tessera.messages import Outcome

WORK_LIFETIME = timedelta(days=1)
"""How long the work of a job that can be taken up again is kept, untouched."""

_USAGE_LIFETIME = timedelta(days=2)
_AT_ONCE = 8
_RECORD = "/record.json"


def run(own: Services, now: datetime | None = None) -> dict[str, int]:
    """Remove everything that has expired by *now*, and return how much of each kind."""
    store, now = own.store, now or datetime.now(UTC)
    kept = now - timedelta(days=own.settings.retention_days)
    uploaded = now - timedelta(hours=own.settings.upload_hours)
    there = store.entries(naming.JOBS, "")
    recorded = {entry.name.partition("/")[0] for entry in there if entry.name.endswith(_RECORD)}
    abandoned = _abandoned(store, recorded, now - WORK_LIFETIME)
    old_records = [name for name in _old(there, kept) if name.endswith(_RECORD)]
    old_marks = _old(there, now - WORK_LIFETIME, f"{naming.INDEX}/", f"{naming.RUNNING}/")
    return {
        # Of jobs that were never recorded, because their submission broke off.
        "marks": _each(
            lambda name: store.delete(naming.JOBS, name),
            [name for name in old_marks if naming.marked_job(name) not in recorded],
        ),
        "work": _each(lambda job: _remove_work(job, store), abandoned),
        "jobs": _each(
            lambda name: _remove_job(name, store),
            [name for name in old_records if not name.startswith("batches/")],
        ),
        "batches": _each(
            lambda name: _remove_batch(name, store),
            [name for name in old_records if name.startswith("batches/")],
        ),
        "uploads": _each(
            lambda name: store.delete(naming.UPLOADS, name),
            _old(store.entries(naming.UPLOADS, ""), uploaded),
        ),
        "keys": _each(
            lambda name: store.delete(naming.JOBS, name),
            _old(there, now - idempotency.LIFETIME, "keys/"),
        ),
        "usage": _each(
            lambda name: store.delete(naming.JOBS, name),
            _old(there, now - _USAGE_LIFETIME, "usage/"),
        ),
    }


def _old(entries: Iterable[Entry], before: datetime, *prefixes: str) -> list[str]:
    """Return the names of entries older than *before*; with *prefixes*, those that begin with one of them."""
    return [
        entry.name for entry in entries if entry.modified < before and entry.name.startswith(prefixes or "")
    ]


def _abandoned(store: BlobStore, recorded: Container[str], before: datetime) -> set[str]:
    """Return the jobs that have work or blocks of a result, all of it older than *before*.

    One that has no record has nothing else either: a task that was delivered twice may end after the job was
    deleted, and leave a whole result.
    """
    newest: dict[str, datetime] = {}
    work = store.entries(naming.WORK, "")
    made = [
        entry
        for entry in store.entries(naming.RESULTS, "")
        if entry.size == 0 or entry.name[: naming.ID_LENGTH] not in recorded
    ]
    for entry in (*work, *made):
        job = entry.name[: naming.ID_LENGTH]
        newest[job] = max(newest.get(job, entry.modified), entry.modified)
    return {job for job, modified in newest.items() if modified < before}


def _remove_work(job: str, store: BlobStore) -> None:
    with suppress(BlobMissing):
        outcome = Outcome.model_validate_json(store.read(naming.JOBS, naming.outcome(job)))
        if outcome.result is not None:
            return
    remove_work(job, store)


def _remove_job(name: str, store: BlobStore) -> None:
    with suppress(BlobMissing):
        record = JobRecord.model_validate_json(store.read(naming.JOBS, name))
        if records.is_id(record.job):
            remove_job(record.job, record.upload, record.marks, store)


def _remove_batch(name: str, store: BlobStore) -> None:
    with suppress(BlobMissing):
        batches.forget(batches.read_record(name.split("/")[1], store), store)


def _each(remove: Callable[[str], None], names: Iterable[str]) -> int:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return len(list(pool.map(remove, names)))
