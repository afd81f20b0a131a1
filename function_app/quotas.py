"""What one caller may have under way: running jobs, and pixels in a day (UTC)."""

import math
from collections import Counter, OrderedDict
from datetime import UTC, datetime, timedelta
from threading import Lock
from time import monotonic
from typing import NamedTuple

from activities.store import BlobChanged, BlobExists, BlobMissing
from function_app.blob_store import BlobStore
from function_app.problems import QuotaExceeded
from function_app.settings import Settings
from tessera import naming
from tessera.plan import Message

_RUNNING_AGAIN_SECONDS = 10
_LATELY_SECONDS = 1.0
_BEGINNING = timedelta(minutes=2)
"""For how long a mark is taken for that of a running job: as one begins, it has no record yet."""

_REMEMBERED = 1000
_counted_at: OrderedDict[str, float] = OrderedDict()
"""When each caller's marks were last looked at one by one: that takes calls for each job, and refusals come
in numbers."""

_running: OrderedDict[tuple[BlobStore, str], tuple[float, int]] = OrderedDict()
"""When the running jobs of each caller were last counted, and how many there were."""

_noting, _adding = Lock(), Lock()
_noted: Counter[tuple[BlobStore, str]] = Counter()
"""Pixels of each caller that aren't in storage yet: what comes at the same moment is added in one write.
Each by itself, hundreds would read and write the same blob until they met no other."""


class _Used(Message):
    pixels: int = 0


class UnderWay(NamedTuple):
    """What a caller has under way: running jobs, and the pixels of today."""

    running: int
    pixels: int


def under_way(owner: str, store: BlobStore, settings: Settings) -> UnderWay:
    """Return what the caller has under way: two calls to storage, one if there was room a moment ago."""
    at, running = _running.get((store, owner), (-math.inf, 0))
    if monotonic() - at > _LATELY_SECONDS or running >= settings.max_running_jobs:
        running = _count_running(owner, store)
    return UnderWay(running, _used(owner, store)[0].pixels)


def check(owner: str, pixels: int, now: UnderWay, store: BlobStore, settings: Settings) -> None:
    """Refuse more work than the caller may have under way.

    Requests of the same moment don't see each other yet: `confirm` does.

    Raises
    ------
    QuotaExceeded
        If one job more would be too many at a time, or *pixels* more too many for today.
    """
    running, used = now
    most = settings.max_running_jobs
    if _is_more(running, most - 1, owner, store):
        raise _too_many_jobs(running, most)
    if used + pixels > settings.max_pixels_per_day:
        raise _refusal(
            f"{used:,} pixels were sent today, and this job has {pixels:,}",
            settings.max_pixels_per_day,
            used + pixels,
            _seconds_to_midnight(),
        )


def confirm(owner: str, store: BlobStore, settings: Settings) -> None:
    """Refuse a job whose mark is written already if the caller has too many with it.

    Of jobs that begin at once whoever looks last sees the marks of all, so never too many are let in;
    fewer than might be, perhaps.

    Raises
    ------
    QuotaExceeded
        If there are too many. Its mark is the caller's to remove.
    """
    most = settings.max_running_jobs
    running = _count_running(owner, store)
    if _is_more(running, most, owner, store):
        raise _too_many_jobs(running - 1, most)


def count(owner: str, pixels: int, store: BlobStore) -> None:
    """Add *pixels* to what the caller sent today; what others wait to add goes with it."""
    key = (store, owner)
    _note(key, pixels)
    with _adding:
        with _noting:
            together = _noted.pop(key, 0)
        if not together:
            return
        try:
            _add(owner, together, store)
        except BaseException:
            _note(key, together)  # the next one adds it
            raise


def _note(key: tuple[BlobStore, str], pixels: int) -> None:
    with _noting:
        _noted[key] += pixels


def _add(owner: str, pixels: int, store: BlobStore) -> None:
    name = naming.usage(owner, _today())
    while True:
        used, etag = _used(owner, store)
        data = _Used(pixels=used.pixels + pixels).model_dump_json().encode()
        try:
            if etag is None:
                return store.write(naming.JOBS, name, data, new=True)
            return store.replace(naming.JOBS, name, data, etag)
        except (BlobExists, BlobChanged, BlobMissing):
            continue


def _used(owner: str, store: BlobStore) -> tuple[_Used, str | None]:
    try:
        data, etag = store.fetch(naming.JOBS, naming.usage(owner, _today()))
    except BlobMissing:
        return _Used(), None
    return _Used.model_validate_json(data), etag


def _count_running(owner: str, store: BlobStore) -> int:
    at, key = monotonic(), (store, owner)
    running = store.count_folders(naming.JOBS, naming.running_marks(owner))
    _running.pop(key, None)
    _running[key] = at, running
    if len(_running) > _REMEMBERED:
        _running.popitem(last=False)
    return running


def _is_more(running: int, most: int, owner: str, store: BlobStore) -> bool:
    """Tell whether more than *most* jobs run, by their marks; if so, ones left behind don't count."""
    return running > most and (_was_counted(owner) or _count_again(owner, store) > most)


def _was_counted(owner: str) -> bool:
    """Tell whether this process counted the caller's jobs a moment ago, and note that it does now if not."""
    before, now = _counted_at.get(owner), monotonic()
    if before is not None and now - before < _RUNNING_AGAIN_SECONDS:
        return True
    _counted_at[owner] = now
    _counted_at.move_to_end(owner)
    if len(_counted_at) > _REMEMBERED:
        _counted_at.popitem(last=False)
    return False


def _count_again(owner: str, store: BlobStore) -> int:
    """Drop old marks of jobs that are over or gone, as after a crash, and return how many are left."""
    left, begun = 0, datetime.now(UTC) - _BEGINNING
    for mark in store.entries(naming.JOBS, naming.running_marks(owner)):
        job = naming.marked_job(mark.name)
        if mark.modified < begun and (
            store.exists(naming.JOBS, naming.outcome(job))
            or not store.exists(naming.JOBS, naming.record(job))
        ):
            store.delete(naming.JOBS, mark.name)
        else:
            left += 1
    return left


def _too_many_jobs(running: int, most: int) -> QuotaExceeded:
    return _refusal(f"{running} jobs are running", most, running, _RUNNING_AGAIN_SECONDS)


def _refusal(detail: str, limit: int, actual: int, seconds: int) -> QuotaExceeded:
    error = QuotaExceeded(detail, limit=limit, actual=actual, hint=f"try again in {seconds} s")
    error.retry_after = seconds
    return error


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _seconds_to_midnight() -> int:
    now = datetime.now(UTC)
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return int((midnight - now).total_seconds()) + 1
