"""Quotas, keys and the purge, against a real Azurite."""

import math
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from activities.store import BlobChanged, BlobMissing
from function_app import idempotency, lately, purge, quotas, records, submission
from function_app.blob_listing import _MOST_BYTES
from function_app.blob_store import BlobStore
from function_app.idempotency import Claim
from function_app.problems import IdempotencyConflict, NotRetryable, QuotaExceeded
from function_app.records import JobRecord
from function_app.requests import JobRequest
from function_app.services import Services
from tessera import naming
from tessera.messages import Outcome
from tests.function_app import stored


@pytest.fixture
def few(services: Services) -> Services:
    settings = services.settings.model_copy(update={"max_running_jobs": 2, "max_pixels_per_day": 1000})
    return replace(services, settings=settings)


def check(owner: str, pixels: int, own: Services) -> None:
    quotas._running.forget((own.store, owner))
    under_way = quotas.under_way(owner, own.store, own.settings)
    quotas.check(owner, pixels, under_way, own.store, own.settings)


def recorded(method: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that gets the name or prefix of each call of a method of stores."""
    names, original = list[str](), getattr(BlobStore, method)

    def record(self: BlobStore, container: str, name: str, **named: Any) -> Any:
        names.append(name)
        return original(self, container, name, **named)

    monkeypatch.setattr(BlobStore, method, record)
    return names


def test_no_more_jobs_than_allowed_run_at_a_time(few: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = uuid.uuid4().hex
    jobs = []
    for _ in range(2):
        check(owner, 1, few)
        jobs.append(stored.record(few.store, owner=owner))
        records.write_marks(jobs[-1], few.store)
    with pytest.raises(QuotaExceeded) as error:
        check(owner, 1, few)
    assert (error.value.limit, error.value.actual) == (2, 2)
    assert error.value.retry_after > 0
    # The mark of a job that is over was left behind: it doesn't count when marks are looked at again.
    stored.outcome(few.store, jobs[0].job, Outcome(state="cancelled", finished_at="now"))
    with pytest.raises(QuotaExceeded):
        check(owner, 1, few)
    after = time.monotonic() + error.value.retry_after
    monkeypatch.setattr(lately, "monotonic", lambda: after)
    monkeypatch.setattr(quotas, "_BEGINNING", timedelta(minutes=-1))
    check(owner, 1, few)


def test_jobs_that_begin_at_once_are_not_more_than_allowed(few: Services) -> None:
    owner = uuid.uuid4().hex
    request = JobRequest.model_validate(
        {"upload_id": stored.upload(few.store), "pipeline": [{"operation": "invert"}]}
    )
    together = threading.Barrier(8)

    def begin(_: int) -> str:
        together.wait()
        try:
            return submission.register(request, None, owner, few)[0].job
        except QuotaExceeded:
            return "refused"

    with ThreadPoolExecutor(8) as pool:
        taken = [job for job in pool.map(begin, range(8)) if job != "refused"]
    assert len(taken) <= 2
    # Nothing is left of those who were sent away.
    marks = few.store.names(naming.JOBS, naming.running_marks(owner))
    assert {naming.marked_job(mark) for mark in marks} == set(taken)
    listed = few.store.count(naming.JOBS, naming.index_entry(owner, 0, "").rpartition("/")[0])
    assert listed == len(taken)


def test_a_mark_without_a_record_stands_only_while_a_job_begins(
    few: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = uuid.uuid4().hex
    for _ in range(2):
        few.store.write(naming.JOBS, naming.running_mark(owner, uuid.uuid4().hex), b"")
    with pytest.raises(QuotaExceeded):
        check(owner, 1, few)
    monkeypatch.setattr(lately, "monotonic", lambda: math.inf)
    monkeypatch.setattr(quotas, "_BEGINNING", timedelta(minutes=-1))
    check(owner, 1, few)
    assert few.store.count_folders(naming.JOBS, naming.running_marks(owner)) == 0


def test_where_there_was_room_a_moment_ago_jobs_are_counted_once(
    few: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, listed, now = uuid.uuid4().hex, recorded("count_folders", monkeypatch), 0.0
    monkeypatch.setattr(lately, "monotonic", lambda: now)
    look = partial(quotas.under_way, owner, few.store, few.settings)
    assert look().running == 0
    records.write_marks(stored.record(few.store, owner=owner), few.store)
    quotas.confirm(owner, few.store, few.settings)
    assert (look().running, len(listed)) == (1, 2)
    now = 2.5
    assert (look().running, len(listed)) == (1, 3)
    records.write_marks(stored.record(few.store, owner=owner), few.store)
    quotas.confirm(owner, few.store, few.settings)
    # Whoever would be sent away is not, once there is room again.
    for name in list(few.store.names(naming.JOBS, naming.running_marks(owner))):
        few.store.delete(naming.JOBS, name)
    assert (look().running, len(listed)) == (0, 5)


def test_refusing_many_does_not_look_at_jobs_that_have_just_begun(
    few: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = uuid.uuid4().hex
    for _ in range(2):
        records.write_marks(stored.record(few.store, owner=owner), few.store)
    monkeypatch.setattr(BlobStore, "exists", None)
    with pytest.raises(QuotaExceeded):
        check(owner, 1, few)


def test_refusing_many_looks_at_each_running_job_once(few: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quotas, "_BEGINNING", timedelta(minutes=-1))
    owner, looked = uuid.uuid4().hex, recorded("exists", monkeypatch)
    for _ in range(2):
        records.write_marks(stored.record(few.store, owner=owner), few.store)
    for _ in range(20):
        with pytest.raises(QuotaExceeded):
            check(owner, 1, few)
    assert len(looked) == len(set(looked)) == 4  # outcome and record


def test_no_more_pixels_than_allowed_are_sent_in_a_day(few: Services) -> None:
    owner, other = uuid.uuid4().hex, uuid.uuid4().hex
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: quotas.count(owner, 100, few.store), range(9)))
    check(owner, 100, few)
    check(other, 1000, few)
    with pytest.raises(QuotaExceeded, match="900 pixels were sent today") as error:
        check(owner, 101, few)
    assert 0 < error.value.retry_after <= 24 * 3600 + 1


def test_pixels_that_were_seen_a_moment_ago_are_read_once(
    few: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, read, now = uuid.uuid4().hex, recorded("fetch", monkeypatch), 1000.0
    monkeypatch.setattr(lately, "monotonic", lambda: now)
    quotas.count(owner, 900, few.store)
    for since, reads in ((0.0, 1), (1.5, 1), (2.5, 2), (3.5, 2)):
        now = 1000.0 + since
        with pytest.raises(QuotaExceeded, match="900 pixels were sent today"):
            check(owner, 101, few)
        assert len(read) == reads


def test_pixels_of_the_same_moment_are_added_in_one_write(
    few: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, written = uuid.uuid4().hex, list[int]()
    begun, go, noted = threading.Event(), threading.Event(), threading.Semaphore(0)
    add, note = quotas._add, quotas._note

    def add_later(owner: str, pixels: int, store: BlobStore) -> None:
        written.append(pixels)
        begun.set()
        assert go.wait(30)
        add(owner, pixels, store)

    def tell(key: tuple[BlobStore, str], pixels: int) -> None:
        note(key, pixels)
        noted.release()

    monkeypatch.setattr(quotas, "_add", add_later)
    monkeypatch.setattr(quotas, "_note", tell)
    with ThreadPoolExecutor(9) as pool:
        counted = [pool.submit(quotas.count, owner, 100, few.store)]
        assert begun.wait(30)
        counted += [pool.submit(quotas.count, owner, 10, few.store) for _ in range(8)]
        for _ in range(9):
            assert noted.acquire(timeout=30)
        assert not any(each.done() for each in counted)
        go.set()
    assert written == [100, 80]
    assert quotas.under_way(owner, few.store, few.settings).pixels == 180


def test_pixels_that_could_not_be_written_are_added_by_the_next(
    few: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = uuid.uuid4().hex

    def fail(*_: object) -> None:
        raise OSError("storage is gone")

    with monkeypatch.context() as patched:
        patched.setattr(quotas, "_add", fail)
        with pytest.raises(OSError, match="storage is gone"):
            quotas.count(owner, 100, few.store)
    quotas.count(owner, 10, few.store)
    assert quotas.under_way(owner, few.store, few.settings).pixels == 110


def claim(digest: str = "d", age: timedelta = timedelta()) -> Claim:
    return Claim(id=uuid.uuid4().hex, digest=digest, at=(datetime.now(UTC) - age).isoformat())


def lock() -> str:
    return str(idempotency.lock_of(uuid.uuid4().hex, "owner"))


def test_a_key_stands_for_one_thing_for_a_day(store: BlobStore) -> None:
    name, first = lock(), claim()
    assert idempotency.find(name, "d", store) is None
    assert idempotency.take(name, first, store) == first
    assert idempotency.take(name, claim(), store) == first
    assert idempotency.find(name, "d", store) == first
    with pytest.raises(IdempotencyConflict, match=first.id):
        idempotency.take(name, claim("other"), store)


def test_after_a_day_a_key_can_be_used_anew_by_one(store: BlobStore) -> None:
    name = lock()
    idempotency.take(name, claim(age=timedelta(hours=25)), store)
    assert idempotency.find(name, "other", store) is None
    with ThreadPoolExecutor(8) as pool:
        taken = set(pool.map(lambda _: idempotency.take(name, claim("other"), store).id, range(8)))
    assert len(taken) == 1


def test_a_record_is_replaced_by_one_of_two(store: BlobStore) -> None:
    record = stored.record(store)
    records.replace(record, record.model_copy(update={"run": 2}), store)
    with pytest.raises(NotRetryable, match="somebody else"):
        records.replace(record, record.model_copy(update={"run": 2}), store)


def in_days(days: float) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


def everything(store: BlobStore) -> set[str]:
    return {f"{container}/{name}" for container in naming.CONTAINERS for name in store.names(container, "")}


@pytest.fixture
def clean(services: Services) -> Services:
    """Give services whose storage holds nothing."""
    for container in naming.CONTAINERS:
        for name in list(services.store.names(container, "")):
            services.store.delete(container, name)
    return services


def begun(services: Services) -> str:
    """Leave a job that was begun: work, and blocks of a result."""
    record = stored.record(services.store)
    records.write_marks(record, services.store)
    services.store.write(naming.WORK, naming.work(record.job, "source"), b"pixels")
    services.store.put_block(naming.WORK, naming.work(record.job, "summaries-00"), "t0", b"sum")
    services.store.put_block(naming.RESULTS, naming.result(record.job, "png"), "t0", b"tile")
    return record.job


def test_nothing_is_purged_before_its_time(clean: Services) -> None:
    begun(clean)
    clean.store.put_block(naming.UPLOADS, uuid.uuid4().hex, "b0", b"half")
    before = everything(clean.store)
    assert set(purge.run(clean, in_days(0.9)).values()) == {0}
    assert everything(clean.store) == before


def test_after_a_day_abandoned_work_and_uploads_go_and_records_stay(clean: Services) -> None:
    job = begun(clean)
    clean.store.put_block(naming.UPLOADS, uuid.uuid4().hex, "b0", b"half")
    removed = purge.run(clean, in_days(1.1))
    assert (removed["work"], removed["uploads"], removed["jobs"]) == (1, 2, 0)
    assert everything(clean.store) == {
        f"jobs/{name}" for name in (naming.record(job), *records.load(job, clean.store, "key").marks)
    }


def test_a_result_is_kept_as_long_as_its_job(clean: Services) -> None:
    job = begun(clean)
    result = naming.result(job, "png")
    clean.store.commit(naming.RESULTS, result, ["t0"])
    ended = Outcome.model_validate(
        {
            "state": "succeeded",
            "finished_at": "now",
            "result": {"format": "png", "width": 1, "height": 1, "pixels": {"channels": 1}, "size": 4},
        }
    )
    stored.outcome(clean.store, job, ended)
    purge.run(clean, in_days(6.9))
    assert clean.store.read(naming.RESULTS, result) == b"tile"
    assert purge.run(clean, in_days(7.1))["jobs"] == 1
    assert everything(clean.store) == set()


def test_marks_of_a_job_that_was_never_recorded_go_after_a_day(clean: Services) -> None:
    recorded = stored.record(clean.store)
    for record in (recorded, recorded.model_copy(update={"job": uuid.uuid4().hex})):
        records.write_marks(record, clean.store)
    assert purge.run(clean, in_days(0.9))["marks"] == 0
    assert purge.run(clean, in_days(1.1))["marks"] == 2
    for kind in (naming.RUNNING, naming.INDEX):
        (mark,) = clean.store.names(naming.JOBS, f"{kind}/")
        assert naming.marked_job(mark) == recorded.job


def test_a_result_that_came_after_its_job_was_deleted_goes_after_a_day(clean: Services) -> None:
    for name in (naming.result(uuid.uuid4().hex, "png"), naming.preview(uuid.uuid4().hex, "input")):
        clean.store.write(naming.RESULTS, name, b"late")
    assert purge.run(clean, in_days(0.9))["work"] == 0
    assert purge.run(clean, in_days(1.1))["work"] == 2
    assert everything(clean.store) == set()


def test_keys_and_counts_go_when_they_stand_for_nothing(clean: Services) -> None:
    idempotency.take(lock(), claim(), clean.store)
    quotas.count("owner", 5, clean.store)
    assert purge.run(clean, in_days(1.1))["keys"] == 1
    assert purge.run(clean, in_days(2.1))["usage"] == 1
    assert everything(clean.store) == set()


def test_a_page_of_names_goes_on_where_the_last_ended(store: BlobStore) -> None:
    prefix = uuid.uuid4().hex
    for index in range(5):
        store.write(naming.WORK, f"{prefix}/{index}", b"")
    names, token = list[str](), None
    while True:
        page, token = store.page(naming.WORK, prefix, 2, token)
        names += page
        if token is None:
            break
    assert names == [f"{prefix}/{index}" for index in range(5)]
    assert store.page("never-made", prefix, 2, None) == ([], None)


def test_a_listing_tells_what_a_record_holds_at_that_moment(store: BlobStore) -> None:
    record = stored.record(store)
    name = naming.record(record.job)
    (entry,) = store.entries(naming.JOBS, name, contents=True)
    assert JobRecord.model_validate_json(store.content(naming.JOBS, entry)) == record
    records.replace(record, record.model_copy(update={"run": 2}), store)
    (later,) = store.entries(naming.JOBS, name, contents=True)
    assert JobRecord.model_validate_json(store.content(naming.JOBS, later)).run == 2
    # The former entry tells what it was; one that doesn't tell is read, in its version.
    assert JobRecord.model_validate_json(store.content(naming.JOBS, entry)) == record
    with pytest.raises(BlobChanged):
        store.content(naming.JOBS, entry._replace(content=None))


@pytest.mark.parametrize("size", [1, _MOST_BYTES, _MOST_BYTES + 1])
def test_what_is_too_large_to_be_listed_is_read(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    name, data = uuid.uuid4().hex, bytes(index % 251 for index in range(size))
    store.write(naming.JOBS, name, data)
    (entry,) = store.entries(naming.JOBS, name, contents=True)
    read = recorded("read", monkeypatch)
    assert store.content(naming.JOBS, entry) == data
    assert len(read) == (size > _MOST_BYTES)
    (plain,) = store.entries(naming.JOBS, name)
    assert (plain.content, store.content(naming.JOBS, plain)) == (None, data)


@pytest.mark.parametrize("size", [0, 5, 70_000])
def test_a_blob_is_begun_and_measured_by_one_call(store: BlobStore, size: int) -> None:
    name, data = uuid.uuid4().hex, bytes(index % 251 for index in range(size))
    store.write(naming.WORK, name, data)
    assert store.beginning(naming.WORK, name, 1000) == (data[:1000], store.stat(naming.WORK, name))
    with pytest.raises(BlobMissing):
        store.beginning(naming.WORK, uuid.uuid4().hex, 1000)
