"""Ending a job before its time, and removing what it left."""

from activities.cleanup import remove_job
from activities.store import BlobExists, BlobMissing, Store
from function_app.records import JobRecord
from tessera import naming


def ask_to_cancel(record: JobRecord, store: Store) -> bool:
    """Ask a running job to stop; say whether it will: it won't if it came to its end meanwhile."""
    flag = naming.stop_flag(record.job)
    try:
        store.write(naming.JOBS, flag, naming.STOP_CANCEL, new=True)
    except BlobExists:
        try:
            return store.read(naming.JOBS, flag) != naming.STOP_DONE
        except BlobMissing:
            return False
    return not store.exists(naming.JOBS, naming.outcome(record.job))


def ask_to_stop(record: JobRecord, store: Store) -> bool:
    """Ask a running job to stop and to remove itself; say whether it is left to do so.

    It isn't if the job came to its end meanwhile: then it didn't see the request.
    """
    store.write(naming.JOBS, naming.stop_flag(record.job), naming.STOP_DELETE)
    is_there = store.exists(naming.JOBS, naming.record(record.job))
    return is_there and not store.exists(naming.JOBS, naming.outcome(record.job))


def remove(record: JobRecord, store: Store) -> None:
    """Remove every trace of a job on which nobody works."""
    remove_job(record.job, record.upload, record.marks, store)
