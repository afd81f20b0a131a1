"""The status of a job, from its records and the blocks in storage."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from activities.store import BlobMissing, Store
from function_app import records
from function_app.file_names import result_name
from function_app.instances import Life
from function_app.problems import problem
from function_app.progress import Progress, measure
from function_app.records import JobRecord
from function_app.responses import InputView, JobState, JobView, ResultView, StageView, TilesView
from function_app.sas import DOWNLOAD
from function_app.services import Services
from tessera import naming
from tessera.codecs import codec_for
from tessera.messages import Outcome, Result
from tessera.plan import Plan

_START_GRACE = timedelta(minutes=1)


@dataclass(frozen=True)
class Snapshot:
    """What is on record about a job; *stopping* if somebody asked it to stop."""

    record: JobRecord
    plan: Plan | None
    outcome: Outcome | None
    stopping: bool


def take(job: str, store: Store) -> Snapshot:
    """Return what is on record about a job: one read for each record there may be.

    Raises
    ------
    JobNotFound
        If there is no such job.
    """
    record = records.load(job, store)
    plan = _read(naming.plan(job), store)
    outcome = _read(naming.outcome(job), store)
    # A job that is done sets the flag itself, to keep tasks that come late from starting.
    stop = None if outcome else _read(naming.stop_flag(job), store)
    return Snapshot(
        record=record,
        plan=Plan.model_validate_json(plan) if plan else None,
        outcome=Outcome.model_validate_json(outcome) if outcome else None,
        stopping=stop is not None and stop != naming.STOP_DONE,
    )


def is_lost(snapshot: Snapshot, life: Life) -> bool:
    """Tell whether nobody works on a job that has no outcome; *snapshot* must be younger than *life*."""
    if snapshot.outcome is not None:
        return False
    if life is Life.ABSENT:
        return datetime.now(UTC) - datetime.fromisoformat(snapshot.record.created_at) > _START_GRACE
    return life is Life.ENDED


def view(snapshot: Snapshot, life: Life, services: Services) -> JobView:
    """Return the status of a job; *life* matters only where there is no outcome."""
    if snapshot.outcome is not None:
        return _finished(snapshot, snapshot.outcome, services)
    if is_lost(snapshot, life):
        return _view(snapshot, "failed", error=problem(_LOST))
    if snapshot.plan is None:
        early: JobState = "inspecting" if life is Life.RUNNING else "queued"
        return _view(snapshot, "cancelling" if snapshot.stopping else early)
    progress = measure(snapshot.record.job, snapshot.plan, services.store)
    state: JobState = "stitching" if progress.complete else "running"
    return _view(
        snapshot,
        "cancelling" if snapshot.stopping else state,
        stage=StageView(index=progress.index + 1, count=len(progress.phases), name=progress.phase.name),
        tiles=_tiles(snapshot.plan, progress),
        progress=progress.fraction,
    )


_LOST = {
    "code": "job-lost",
    "title": "The job ended without a result",
    "detail": "nothing works on this job any more, and it left no outcome",
    "hint": "start it again; DELETE this one to remove what it left behind",
}


def _finished(snapshot: Snapshot, outcome: Outcome, services: Services) -> JobView:
    plan = snapshot.plan
    return _view(
        snapshot,
        outcome.state,
        finished_at=outcome.finished_at,
        tiles=TilesView(total=plan.tiles if plan else 0, done=outcome.tiles, retried=outcome.retried),
        progress=1.0 if outcome.result else 0.0,
        result=_result(snapshot.record, outcome.result, services) if outcome.result else None,
        error=problem(outcome.fault.model_dump(exclude_none=True)) if outcome.fault else None,
        seconds=outcome.seconds,
    )


def _result(record: JobRecord, result: Result, services: Services) -> ResultView:
    codec = codec_for(record.output)
    operations = [step.operation for step in record.pipeline]
    name = result_name(record.name, record.job, operations, codec.extension)
    signed = services.signer.sign(
        naming.RESULTS,
        naming.result(record.job, codec.extension),
        DOWNLOAD,
        services.settings.result_url_lifetime,
        file_name=name,
        media_type=codec.media_type,
    )
    return ResultView(
        url=signed.url,
        expires_at=signed.expires_at.isoformat(),
        size=result.size,
        media_type=codec.media_type,
        width=result.width,
        height=result.height,
        channels=result.pixels.channels,
        depth=result.pixels.depth,
        name=name,
    )


def _view(snapshot: Snapshot, state: JobState, **members: Any) -> JobView:
    record = snapshot.record
    return JobView(
        id=record.job,
        state=state,
        created_at=record.created_at,
        pipeline=record.pipeline,
        output=record.output,
        input=_input(record, snapshot.plan) if snapshot.plan else None,
        **members,
    )


def _input(record: JobRecord, plan: Plan) -> InputView:
    image = plan.image
    return InputView(
        name=record.name,
        size=image.size,
        format=image.format,
        width=image.width,
        height=image.height,
        channels=image.pixels.channels,
        depth=image.pixels.depth,
    )


def _tiles(plan: Plan, progress: Progress) -> TilesView:
    return TilesView(total=plan.tiles, done=progress.tiles_done, retried=progress.retried)


def _read(name: str, store: Store) -> bytes | None:
    try:
        return store.read(naming.JOBS, name)
    except BlobMissing:
        return None
