"""What one caller may have under way: running jobs, and pixels in a day (UTC)."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import NamedTuple

from activities.store import BlobChanged, BlobExists, BlobMissing
from function_app.blob_store import BlobStore
from function_app.lately import Lately
from function_app.problems import QuotaExceeded
from function_app.settings import Settings
from tessera import naming
from tessera.plan import Message

_RUNNING_AGAIN_SECONDS = 10
_LATELY_SECONDS = 2.0
_BEGINNING = timedelta(minutes=2)
"""For how long a mark is taken for that of a running job: as one begins, it has no record yet."""

_looked_at: Lately[str, bool] = Lately()
"""Callers whose marks were looked at one by one: that takes calls for each job, and refusals come in
numbers."""

_running: Lately[tuple[BlobStore, str], int] = Lately()
"""How many jobs of each caller were running."""

_pixels: Lately[tuple[BlobStore, str], int] = Lately()
"""What stood in each caller's blob of pixels, which only become more."""

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
    """Return what the caller has under way: two calls to storage, none if there was room a moment ago.

    The pixels that other instances count in these seconds may come on top of what is allowed for the day.
    """
    running = _running.get((store, owner))
    if running is None or running >= settings.max_running_jobs:
        running = _count_running(owner, store)
    usage = naming.usage(owner, _today())
    pixels = _pixels.get((store, usage))
    return UnderWay(running, _used(usage, store)[0] if pixels is None else pixels)


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
    usage = naming.usage(owner, _today())
    while True:
        used, etag = _used(usage, store)
        data = _Used(pixels=used + pixels).model_dump_json().encode()
        try:
            if etag is None:
                store.write(naming.JOBS, usage, data, new=True)
            else:
                store.replace(naming.JOBS, usage, data, etag)
        except (BlobExists, BlobChanged, BlobMissing):
            continue
        return _pixels.see((store, usage), used + pixels, _LATELY_SECONDS)


def _used(usage: str, store: BlobStore) -> tuple[int, str | None]:
    try:
        data, etag = store.fetch(naming.JOBS, usage)
    except BlobMissing:
        return 0, None
    pixels = _Used.model_validate_json(data).pixels
    _pixels.see((store, usage), pixels, _LATELY_SECONDS)
    return pixels, etag


def _count_running(owner: str, store: BlobStore) -> int:
    running = store.count_folders(naming.JOBS, naming.running_marks(owner))
    _running.see((store, owner), running, _LATELY_SECONDS)
    return running


def _is_more(running: int, most: int, owner: str, store: BlobStore) -> bool:
    """Tell whether more than *most* jobs run, by their marks; if so, ones left behind don't count."""
    if running <= most:
        return False
    if _looked_at.get(owner):
        return True
    _looked_at.see(owner, True, _RUNNING_AGAIN_SECONDS)
    return _count_again(owner, store) > most


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
