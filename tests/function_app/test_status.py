"""The status of jobs at every point of their lives, read from a real Azurite."""

from datetime import timedelta

import httpx
import pytest

from activities.store import BlobChanged
from function_app import removal, status
from function_app.blob_listing import Entry
from function_app.blob_store import BlobStore
from function_app.instances import Life
from function_app.owners import KEY_HOLDER
from function_app.problems import JobNotFound, Unavailable
from function_app.responses import JobView, StageView, TilesView
from function_app.services import Services
from tessera import naming
from tessera.checksum import Adler
from tessera.messages import Fault, Outcome, Result
from tessera.parts import frame_block, part_block
from tessera.plan import Pixels, Raster
from tessera.rasters import put_count
from tests.function_app import stored

ENDED_AT = "2026-01-01T00:00:00+00:00"


def look(job: str, services: Services, life: Life = Life.RUNNING) -> JobView:
    return status.view(status.take(job, services.store, KEY_HOLDER), life, services)


def put_tiles(store: BlobStore, container: str, name: str, first: int, last: int) -> None:
    store.put_block(container, name, frame_block("head", b"head"), b"head")
    for index in range(first, last):
        store.put_block(container, name, part(index), b"tile")


def put_rows(store: BlobStore, name: str, last: int) -> None:
    store.put_block(naming.WORK, name, naming.HEAD_BLOCK, b"head")
    for index in range(last):
        store.put_block(naming.WORK, name, naming.tile_block(index), b"rows")


def part(tile: int) -> str:
    return part_block(tile, 1, 0.25, Adler(), b"tile")


@pytest.mark.parametrize("job", ["0" * 32, "", "../jobs", "G" * 32, "0" * 33])
def test_an_unknown_job_is_not_found(store: BlobStore, job: str) -> None:
    with pytest.raises(JobNotFound):
        status.take(job, store, KEY_HOLDER)


def test_a_job_whose_records_keep_changing_is_not_said_to_be_gone(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = stored.record(services.store).job

    def change(self: BlobStore, container: str, entry: Entry) -> bytes:
        raise BlobChanged(entry.name)

    monkeypatch.setattr(BlobStore, "content", change)
    with pytest.raises(Unavailable, match="changing at this moment"):
        status.take(job, services.store, KEY_HOLDER)


@pytest.mark.parametrize(
    ("life", "state"), [(Life.ABSENT, "queued"), (Life.WAITING, "queued"), (Life.RUNNING, "inspecting")]
)
def test_before_there_is_a_plan(services: Services, life: Life, state: str) -> None:
    record = stored.record(services.store)
    view = look(record.job, services, life)
    assert (view.state, view.progress, view.input) == (state, 0, None)
    assert view.created_at == record.created_at


def test_progress_follows_the_blocks_of_each_phase_and_never_falls(services: Services) -> None:
    store = services.store
    job = stored.record(store).job
    plan = stored.plan(store, job)
    source = naming.work(job, plan.stages[0].source.name)
    summaries = naming.work(job, naming.summaries(0))
    result = naming.result(job, "png")
    seen = [look(job, services)]
    assert seen[0].stage == StageView(index=1, count=3, name="decode")
    assert isinstance(plan.stages[0].source, Raster)
    put_rows(store, source, put_count(plan.stages[0].source))
    seen.append(look(job, services))
    assert seen[-1].tiles == TilesView(total=8, done=0)
    for done in range(1, 5):
        put_tiles(store, naming.WORK, summaries, done - 1, done)
        seen.append(look(job, services))
        first = StageView(index=2, count=3, name="median_blur + canny")
        assert seen[-1].stage == (first if done < 4 else StageView(index=3, count=3, name="canny"))
        assert seen[-1].tiles == TilesView(total=8, done=done)
    store.commit(naming.WORK, summaries, list(map(part, range(4))))
    assert look(job, services).tiles.done == 4
    for done in range(1, 5):
        assert seen[-1].state == "running"
        put_tiles(store, naming.RESULTS, result, done - 1, done)
        seen.append(look(job, services))
        assert seen[-1].stage == StageView(index=3, count=3, name="canny")
        assert seen[-1].tiles == TilesView(total=8, done=4 + done)
    assert (seen[-1].state, seen[-1].progress) == ("stitching", 1.0)
    progress = [view.progress for view in seen]
    assert progress == sorted(progress)
    assert seen[-1].input is not None
    assert (seen[-1].input.name, seen[-1].input.channels) == ("photo.png", 3)


def test_a_job_of_one_tile_has_one_phase(services: Services) -> None:
    job = stored.record(services.store).job
    stored.plan(services.store, job, direct=True)
    view = look(job, services)
    assert (view.state, view.stage) == ("running", StageView(index=1, count=1, name="process"))
    assert (view.progress, view.tiles) == (0.0, TilesView(total=1, done=0))


def test_tiles_that_were_begun_again_are_counted(services: Services) -> None:
    job = stored.record(services.store).job
    stored.plan(services.store, job)
    for tile, attempt in ((0, 1), (1, 1), (1, 2), (1, 3), (2, 1), (2, 2)):
        mark = naming.attempt(naming.tile_task(0, tile), attempt)
        services.store.write(naming.WORK, naming.work(job, mark), b"")
    assert look(job, services).tiles.retried == 3


@pytest.mark.parametrize("flag", [naming.STOP_CANCEL, naming.STOP_DELETE])
@pytest.mark.parametrize("planned", [True, False])
def test_a_job_that_was_asked_to_stop_is_cancelling(services: Services, flag: bytes, planned: bool) -> None:
    job = stored.record(services.store).job
    if planned:
        stored.plan(services.store, job)
    services.store.write(naming.JOBS, naming.stop_flag(job), flag)
    assert look(job, services).state == "cancelling"


def test_a_job_that_is_cleaning_up_is_not_cancelling(services: Services) -> None:
    job = stored.record(services.store).job
    stored.plan(services.store, job, direct=True)
    services.store.write(naming.JOBS, naming.stop_flag(job), naming.STOP_DONE)
    assert look(job, services).state == "running"


def test_a_finished_job_has_a_result_that_can_be_fetched(services: Services) -> None:
    store = services.store
    job = stored.record(store).job
    stored.plan(store, job)
    store.write(naming.RESULTS, naming.result(job, "png"), b"the file", media_type="image/png")
    result = Result(format="png", width=300, height=512, pixels=Pixels(channels=1), size=8)
    ended = Outcome(
        state="succeeded",
        finished_at=ENDED_AT,
        result=result,
        tiles=8,
        seconds={"stitch": 1},
    )
    stored.outcome(store, job, ended)
    view = look(job, services, Life.ENDED)
    assert (view.state, view.progress, view.finished_at) == ("succeeded", 1.0, ended.finished_at)
    assert view.tiles == TilesView(total=8, done=8)
    assert view.seconds == {"stitch": 1}
    assert view.result is not None
    assert view.result.name == "photo-median_blur-canny.png"
    response = httpx.get(view.result.url)
    assert response.content == b"the file"
    assert 'filename="photo-median_blur-canny.png"' in response.headers["content-disposition"]


def test_a_failed_job_says_why_as_a_problem(services: Services) -> None:
    job = stored.record(services.store).job
    fault = Fault(code="corrupt-image", title="The image is damaged", detail="it ends early", hint="again")
    stored.outcome(services.store, job, Outcome(state="failed", finished_at=ENDED_AT, fault=fault))
    view = look(job, services, Life.ENDED)
    assert (view.state, view.result, view.progress) == ("failed", None, 0)
    assert view.error == {
        "type": "urn:tessera:problem:corrupt-image",
        "status": 422,
        "code": "corrupt-image",
        "title": "The image is damaged",
        "detail": "it ends early",
        "hint": "again",
    }


@pytest.mark.parametrize(
    ("life", "age", "lost"),
    [
        (Life.ENDED, timedelta(), True),
        (Life.ABSENT, timedelta(minutes=2), True),
        (Life.ABSENT, timedelta(), False),
        (Life.WAITING, timedelta(days=1), False),
        (Life.RUNNING, timedelta(days=1), False),
    ],
)
def test_a_job_on_which_nobody_works_has_failed(
    services: Services, life: Life, age: timedelta, lost: bool
) -> None:
    job = stored.record(services.store, age=age).job
    view = look(job, services, life)
    assert (view.state == "failed") is lost
    assert (view.error or {}).get("code") == ("job-lost" if lost else None)


def test_a_running_job_is_asked_to_stop_and_to_remove_itself(store: BlobStore) -> None:
    record = stored.record(store)
    assert removal.ask_to_stop(record, store)
    assert store.read(naming.JOBS, naming.stop_flag(record.job)) == naming.STOP_DELETE


@pytest.mark.parametrize("how", ["ended", "removed"])
def test_a_job_that_ended_meanwhile_is_left_to_the_caller(store: BlobStore, how: str) -> None:
    record = stored.record(store)
    if how == "ended":
        stored.outcome(store, record.job, Outcome(state="cancelled", finished_at=ENDED_AT))
    else:
        removal.remove(record, store)
    assert not removal.ask_to_stop(record, store)


def test_removal_leaves_nothing(store: BlobStore) -> None:
    record = stored.record(store)
    plan = stored.plan(store, record.job)
    put_rows(store, naming.work(record.job, plan.stages[0].source.name), 2)
    put_tiles(store, naming.RESULTS, naming.result(record.job, "png"), 0, 2)
    removal.ask_to_stop(record, store)
    removal.remove(record, store)
    left = [name for container in naming.CONTAINERS for name in store.names(container, record.job)]
    assert left == []
    assert not store.exists(naming.UPLOADS, record.upload)
