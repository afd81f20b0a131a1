"""Ending a job before its time, and removing what it left."""

from activities.cleanup import remove_job
from activities.store import Store
from function_app.records import JobRecord
from tessera import naming


def ask_to_stop(record: JobRecord, store: Store) -> bool:
    """Ask a running job to stop and to remove itself; say whether it is left to do so.

    It isn't if the job came to its end meanwhile: then it didn't see the request.
    """
    store.write(naming.JOBS, naming.stop_flag(record.job), naming.STOP_DELETE)
    names = set(store.names(naming.JOBS, naming.work(record.job)))
    return naming.record(record.job) in names and naming.outcome(record.job) not in names


def remove(record: JobRecord, store: Store) -> None:
    """Remove every trace of a job on which nobody works."""
    remove_job(record.job, record.upload, store)
