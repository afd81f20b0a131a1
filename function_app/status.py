"""The status of a job, from its records and the blocks in storage."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from activities.store import BlobChanged, BlobMissing
from function_app import records, results
from function_app.blob_listing import Entry
from function_app.blob_store import BlobStore
from function_app.instances import Life
from function_app.planning import input_view
from function_app.problems import Unavailable, problem
from function_app.progress import Progress, measure
from function_app.records import JobRecord
from function_app.responses import JobState, JobSummary, JobView, StageView, TilesView
from function_app.services import Services
from tessera import naming, receipts
from tessera.messages import Outcome
from tessera.plan import Plan
from tessera.receipts import Receipt, Work

_START_GRACE = timedelta(minutes=1)
_READ_AGAIN = 3


@dataclass(frozen=True)
class Snapshot:
    """What is on record about a job; *stopping* if somebody asked it to stop.

    *reports* are the documents that operations made, by their places in the pipeline.
    """

    record: JobRecord
    plan: Plan | None
    outcome: Outcome | None
    stopping: bool
    reports: Mapping[int, Entry] = field(default_factory=dict)


def take(job: str, store: BlobStore, owner: str) -> Snapshot:
    """Return what is on record about a job: one listing, and a read for a record too large to be listed.

    Raises
    ------
    JobNotFound
        If *owner* has no such job.
    Unavailable
        If its records are other ones each time they are read.
    """
    if not records.is_id(job):
        raise records.job_not_found(job)
    for _ in range(_READ_AGAIN):
        there = {entry.name: entry for entry in store.entries(naming.JOBS, f"{job}/", contents=True)}
        try:
            snapshot = _snapshot(job, there, store)
        except (BlobMissing, BlobChanged):
            continue  # written or removed since the listing
        if snapshot is None or snapshot.record.owner != owner:
            raise records.job_not_found(job)
        return snapshot
    raise Unavailable("the job is changing at this moment", hint="ask again in a few seconds")


def _snapshot(job: str, there: dict[str, Entry], store: BlobStore) -> Snapshot | None:
    def read[Model: (JobRecord, Plan, Outcome)](model: type[Model], name: str) -> Model | None:
        entry = there.get(name)
        return model.model_validate_json(store.content(naming.JOBS, entry)) if entry else None

    record = read(JobRecord, naming.record(job))
    if record is None:
        return None
    outcome = read(Outcome, naming.outcome(job))
    # A job that is done sets the flag itself, to keep tasks that come late from starting.
    stop = there.get(naming.stop_flag(job))
    stopping = stop is not None and outcome is None and store.content(naming.JOBS, stop) != naming.STOP_DONE
    named = {place: naming.report(job, place) for place in range(len(record.pipeline))}
    reports = {place: there[name] for place, name in named.items() if name in there}
    return Snapshot(record, record.plan or read(Plan, naming.plan(job)), outcome, stopping, reports)


def is_lost(snapshot: Snapshot, life: Life) -> bool:
    """Tell whether nobody works on a job that has no outcome; *snapshot* must be younger than *life*."""
    if snapshot.outcome is not None:
        return False
    if life is Life.ABSENT:
        since = datetime.fromisoformat(snapshot.record.begun_at)
        return datetime.now(UTC) - since > _START_GRACE
    return life is Life.ENDED


def summary(snapshot: Snapshot, life: Life) -> JobSummary:
    """Return a job as it stands in a list."""
    record, outcome, plan = snapshot.record, snapshot.outcome, snapshot.plan
    lost = is_lost(snapshot, life)
    code = outcome.fault.code if outcome and outcome.fault else LOST["code"] if lost else None
    return JobSummary(
        id=record.job,
        state=outcome.state if outcome else "failed" if lost else _early_state(snapshot, life),
        created_at=record.created_at,
        finished_at=outcome.finished_at if outcome else None,
        name=record.name,
        operations=tuple(step.operation for step in record.pipeline),
        format=record.output.format,
        width=plan.image.width if plan else None,
        height=plan.image.height if plan else None,
        code=code,
    )


def view(
    snapshot: Snapshot, life: Life, services: Services, measured: tuple[int, Progress] | None = None
) -> JobView:
    """Return the status of a job; *life* matters only where there is no outcome.

    *measured* is run and progress, if they are at hand.
    """
    if snapshot.outcome is not None:
        return _finished(snapshot, snapshot.outcome, services)
    if is_lost(snapshot, life):
        return _view(snapshot, "failed", error=problem(LOST), receipt=_nothing_yet(services))
    state = _early_state(snapshot, life)
    if snapshot.plan is None or state in ("queued", "inspecting"):
        return _view(snapshot, state, receipt=_nothing_yet(services))
    record = snapshot.record
    if measured is not None and measured[0] == record.run:
        progress = measured[1]
    else:
        progress = measure(record.job, record.run, snapshot.plan, services.store)
    if progress.complete and state == "running":
        state = "stitching"
    elapsed = (datetime.now(UTC) - datetime.fromisoformat(record.begun_at)).total_seconds()
    return _view(
        snapshot,
        state,
        stage=StageView(index=progress.index + 1, count=len(progress.phases), name=progress.phase.name),
        tiles=_tiles(snapshot.plan, progress),
        progress=progress.fraction,
        eta=progress.seconds_left(elapsed),
        receipt=_so_far(progress, services),
    )


LOST = {
    "code": "job-lost",
    "title": "The job ended without a result",
    "detail": "nothing works on this job any more, and it left no outcome",
    "hint": "POST to its /retry to go on with it; DELETE it to remove what it left behind",
}


def _early_state(snapshot: Snapshot, life: Life) -> JobState:
    """Return the state of a job that isn't over, by its records alone."""
    if snapshot.stopping:
        return "cancelling"
    if life is not Life.RUNNING:
        return "queued"
    return "running" if snapshot.plan else "inspecting"


def _finished(snapshot: Snapshot, outcome: Outcome, services: Services) -> JobView:
    plan, record = snapshot.plan, snapshot.record
    return _view(
        snapshot,
        outcome.state,
        finished_at=outcome.finished_at,
        tiles=TilesView(total=plan.tiles if plan else 0, done=outcome.tiles, retried=outcome.retried),
        progress=1.0 if outcome.result else 0.0,
        eta=0.0 if outcome.result else None,
        result=results.view(record, outcome.result, services) if outcome.result else None,
        error=problem(outcome.fault.model_dump(exclude_none=True)) if outcome.fault else None,
        seconds=outcome.seconds,
        receipt=_receipt(outcome, plan, services),
        warnings=outcome.warnings,
        reports=_reports(snapshot, services.store) if outcome.result else {},
    )


def _reports(snapshot: Snapshot, store: BlobStore) -> dict[str, Any]:
    return {
        str(place): json.loads(store.content(naming.JOBS, entry)) for place, entry in snapshot.reports.items()
    }


def _receipt(outcome: Outcome, plan: Plan | None, services: Services) -> Receipt:
    around = receipts.task_count(plan) - plan.tiles if plan else 1
    work = Work(
        tasks=outcome.tiles + around, busy=outcome.busy, written=outcome.written, retries=outcome.retried
    )
    made = receipts.receipt(work, services.settings.instance_gigabytes, services.settings.prices)
    return made.model_copy(update={"platforms": outcome.platforms})


def _nothing_yet(services: Services) -> Receipt:
    work = Work(tasks=0, busy=0.0)
    return receipts.receipt(work, services.settings.instance_gigabytes, services.settings.prices)


def _so_far(progress: Progress, services: Services) -> Receipt:
    work = Work(
        tasks=progress.tiles_done + 1,
        busy=progress.busy,
        written=progress.written,
        retries=progress.retried,
    )
    return receipts.receipt(work, services.settings.instance_gigabytes, services.settings.prices)


def _view(snapshot: Snapshot, state: JobState, **members: Any) -> JobView:
    record = snapshot.record
    return JobView(
        id=record.job,
        state=state,
        created_at=record.created_at,
        pipeline=record.pipeline,
        output=record.output,
        input=input_view(snapshot.plan.image, record.name) if snapshot.plan else None,
        run=record.run,
        batch=record.batch,
        **members,
    )


def _tiles(plan: Plan, progress: Progress) -> TilesView:
    return TilesView(total=plan.tiles, done=progress.tiles_done, retried=progress.retried)
