"""Leave nothing behind that a finished job doesn't need, and record how it ended."""

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from activities.store import BlobExists, Store
from tessera import naming
from tessera.messages import CleanupOrder

_DELETES_AT_ONCE = 8


def cleanup(order: CleanupOrder, store: Store) -> None:
    """Empty the job's work area, drop the result of a job that didn't succeed, then write the outcome.

    The outcome comes last: who sees it knows that nothing else is left to do. A job that was asked to be
    deleted leaves nothing at all; one that has no record any more was deleted before.
    """
    if not store.exists(naming.JOBS, naming.record(order.job)):
        return remove_job(order.job, order.upload, store)
    stop = naming.stop_flag(order.job)
    with suppress(BlobExists):
        store.write(naming.JOBS, stop, naming.STOP_DONE, new=True)
    _remove(naming.WORK, naming.work(order.job), store)
    if order.outcome.state != "succeeded":
        _remove(naming.RESULTS, order.job, store)
    store.write(
        naming.JOBS,
        naming.outcome(order.job),
        order.outcome.model_dump_json().encode(),
        media_type="application/json",
    )
    if store.read(naming.JOBS, stop) == naming.STOP_DELETE:
        remove_job(order.job, order.upload, store)


def remove_job(job: str, upload: str, store: Store) -> None:
    """Remove every trace of a job: work area, result, upload, and its records last."""
    _remove(naming.WORK, naming.work(job), store)
    _remove(naming.RESULTS, job, store)
    store.delete(naming.UPLOADS, upload)
    _remove(naming.JOBS, f"{job}/", store)


def _remove(container: str, prefix: str, store: Store) -> None:
    with ThreadPoolExecutor(_DELETES_AT_ONCE) as pool:
        deleted = pool.map(lambda name: store.delete(container, name), store.names(container, prefix))
        deque(deleted, maxlen=0)
