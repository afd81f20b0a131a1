"""Leave nothing behind that a finished job doesn't need, and record how it ended."""

import json
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from activities.store import BlobExists, Store
from tessera import naming
from tessera.messages import RESUMABLE, CleanupOrder
from tessera.parts import read_parts

_DELETES_AT_ONCE = 8
_REMOVED_IN_TURN = 16
"""A removal deletes fewer blobs one after the other, so that who looks needn't wait; of more, several."""


def cleanup(order: CleanupOrder, store: Store) -> None:
    """Empty the job's work area, drop the result of a job that didn't succeed, then write the outcome.

    The outcome comes last: who sees it knows that nothing else is left to do. What is done of a job that can
    be taken up again stays. A job that was asked to be deleted leaves nothing at all; one that has no record
    any more was deleted before.
    """
    if not store.exists(naming.JOBS, naming.record(order.job)):
        return remove_job(order.job, order.upload, order.marks, store)
    stop = naming.stop_flag(order.job)
    with suppress(BlobExists):
        store.write(naming.JOBS, stop, naming.STOP_DONE, new=True)
    fault = order.outcome.fault
    if fault is None or fault.code not in RESUMABLE:
        work = list(store.names(naming.WORK, naming.work(order.job)))
        _keep_efforts(order.job, work, store)
        _delete([(naming.WORK, name) for name in work], store)
        if order.outcome.state != "succeeded":
            _drop_result(order.job, store)
    store.write(
        naming.JOBS,
        naming.outcome(order.job),
        order.outcome.model_dump_json().encode(),
        media_type="application/json",
    )
    if store.read(naming.JOBS, stop) == naming.STOP_DELETE:
        return remove_job(order.job, order.upload, order.marks, store)
    for mark in order.marks:
        if mark.startswith(f"{naming.RUNNING}/"):
            store.delete(naming.JOBS, mark)


def remove_job(job: str, upload: str, marks: Sequence[str], store: Store) -> None:
    """Remove every trace of a job: work area, result, upload, and its records last."""
    rest = [(naming.UPLOADS, upload), *((naming.JOBS, mark) for mark in marks)]
    _remove([*_made(job, store), *rest], store)
    _remove(_found(naming.JOBS, f"{job}/", store), store)


def remove_work(job: str, store: Store) -> None:
    """Remove what a job has made: the work area, and the result or the blocks of one."""
    _delete(_made(job, store), store)


def _keep_efforts(job: str, work: Sequence[str], store: Store) -> None:
    """Keep what each tile took whose blocks are about to go: two calls for a stage."""
    prefix = naming.work(job, naming.SUMMARIES)
    for name in work:
        if name.startswith(prefix):
            _keep(job, name.removeprefix(prefix), store.blocks(naming.WORK, name), store)


def _drop_result(job: str, store: Store) -> None:
    names = list(store.names(naming.RESULTS, job))
    for name in names:
        _keep(job, naming.LAST_STAGE, store.blocks(naming.RESULTS, name), store)
    _delete([(naming.RESULTS, name) for name in names], store)


def _keep(job: str, stage: str, blocks: dict[str, int], store: Store) -> None:
    efforts = {tile: (part.attempt, part.seconds) for tile, part in read_parts(blocks).items()}
    if efforts:
        name = naming.tiles(job, stage)
        store.write(naming.JOBS, name, json.dumps(efforts).encode(), media_type="application/json")


def _made(job: str, store: Store) -> list[tuple[str, str]]:
    return [*_found(naming.WORK, naming.work(job), store), *_found(naming.RESULTS, job, store)]


def _found(container: str, prefix: str, store: Store) -> list[tuple[str, str]]:
    return [(container, name) for name in store.names(container, prefix)]


def _remove(blobs: Sequence[tuple[str, str]], store: Store) -> None:
    _delete(blobs, store, min(1 + len(blobs) // _REMOVED_IN_TURN, _DELETES_AT_ONCE))


def _delete(blobs: Iterable[tuple[str, str]], store: Store, at_once: int = _DELETES_AT_ONCE) -> None:
    with ThreadPoolExecutor(at_once) as pool:
        deque(pool.map(lambda blob: store.delete(*blob), blobs), maxlen=0)
