"""Routes: submit a job, ask how it is doing, steer it, fetch what it made."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

import azure.durable_functions as df
import azure.functions as func

from function_app import (
    instances,
    job_list,
    parallel,
    planning,
    progress,
    records,
    removal,
    results,
    routes,
    status,
    submission,
    tiles,
)
from function_app.http_support import POLL_AGAIN, answer, body_of, entity_tag, query_of, serve, tagged
from function_app.instances import Life
from function_app.owners import owner_of
from function_app.problems import JobIsOver, NotRetryable
from function_app.progress import Progress
from function_app.queries import JobsQuery, TilesQuery
from function_app.records import JobRecord
from function_app.requests import JobRequest, PlanRequest
from function_app.responses import FINAL_STATES, AcceptedView, JobState
from function_app.services import services
from tessera.messages import RESUMABLE

blueprint = df.Blueprint()
_CLOCK = ("eta", "receipt")
"""Members that change with the time alone."""


@serve(blueprint, routes.MAKE_PLAN)
async def make_plan(req: func.HttpRequest) -> func.HttpResponse:
    """Say what a job would take: 200."""
    request = body_of(req, routes.MAKE_PLAN, PlanRequest)
    return answer(200, await asyncio.to_thread(planning.dry_run, request, services()))


@serve(blueprint, routes.SUBMIT_JOB)
async def submit_job(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Check a request, record the job and start it: 202."""
    request = body_of(req, routes.SUBMIT_JOB, JobRequest)
    key, owner = req.headers.get("Idempotency-Key"), owner_of(req.headers)
    # The host of a webhook is looked up, and may take long to be found.
    run = parallel.changing_for_long if request.webhook else parallel.changing
    record, new = await run(submission.register, request, key, owner, services())
    counting = parallel.changing_for_long(submission.count, record, services()) if new else _nothing()
    await asyncio.gather(instances.start(client, record.order, new=new), counting)
    return _accepted(req, record, "queued", f"/{record.job}")


@serve(blueprint, routes.LIST_JOBS)
async def list_jobs(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """List the caller's jobs: 200."""
    query = query_of(req, JobsQuery)
    return answer(200, await job_list.page(query, owner_of(req.headers), client, services()))


@serve(blueprint, routes.GET_JOB)
async def get_job(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Say how a job is doing: 200, or 304 if nothing has changed."""
    with parallel.first():
        measuring = asyncio.create_task(_measure_again(req.route_params["job"]))
        snapshot, life = await _look(req, client, lately=True)
        measured = await measuring
        if snapshot.outcome is not None:
            progress.forget(snapshot.record.job)
        view = await parallel.looking(status.view, snapshot, life, services(), measured)
    document = view.model_dump(mode="json")
    lasting: dict[str, Any] = {name: value for name, value in document.items() if name not in _CLOCK}
    if view.result is not None:
        lasting["result"] = view.result.size
    waiting = {} if view.state in FINAL_STATES else POLL_AGAIN
    return tagged(req, document, entity_tag(lasting), waiting)


@serve(blueprint, routes.LIST_TILES)
async def list_tiles(req: func.HttpRequest) -> func.HttpResponse:
    """List the tiles of a job: 200."""
    query = query_of(req, TilesQuery)
    snapshot = await _take(req)
    return answer(200, await parallel.looking(tiles.page, snapshot, query, services().store))


@serve(blueprint, routes.GET_RESULT)
async def get_result(req: func.HttpRequest) -> func.HttpResponse:
    """Give a fresh URL of the result: 200."""
    snapshot = await _take(req)
    detail = await parallel.looking(results.detail, snapshot.record, snapshot.outcome, services())
    return answer(200, detail)


@serve(blueprint, routes.GET_PREVIEW)
async def get_preview(req: func.HttpRequest) -> func.HttpResponse:
    """Give URLs of small pictures of the input and the result: 200."""
    snapshot = await _take(req)
    return answer(
        200, await parallel.looking(results.previews, snapshot.record, snapshot.outcome, services())
    )


@serve(blueprint, routes.CANCEL_JOB)
async def cancel_job(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Ask a job to stop: 202; no further tile starts."""
    snapshot, life = await _look(req, client)
    record, outcome = snapshot.record, snapshot.outcome
    if outcome is not None and outcome.state == "cancelled":
        return _accepted(req, record, "cancelled")
    over = outcome is not None or status.is_lost(snapshot, life)
    if over or not await parallel.changing(removal.ask_to_cancel, record, services().store):
        raise JobIsOver("the job is over, or about to be", hint="DELETE removes it")
    return _accepted(req, record, "cancelling")


@serve(blueprint, routes.RETRY_JOB)
async def retry_job(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Take up a job again that is over without a result: 202; what is done isn't done again."""
    snapshot, life = await _look(req, client)
    _refuse_retry(snapshot, life)
    await instances.until_over(client, snapshot.record.job)
    record = await parallel.changing(submission.reopen, snapshot.record, services())
    await instances.start(client, record.order, new=True)
    return _accepted(req, record, "queued")


@serve(blueprint, routes.DELETE_JOB)
async def delete_job(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Remove a job that is over (204), or ask a running one to stop and remove itself (202)."""
    snapshot, life = await _look(req, client)
    record, store = snapshot.record, services().store
    working = snapshot.outcome is None and not status.is_lost(snapshot, life)
    if working and await parallel.changing(removal.ask_to_stop, record, store):
        return _accepted(req, record, "cancelling")
    # Of one that succeeded some ten blobs are left; of another there may be thousands.
    few = snapshot.outcome is not None and snapshot.outcome.state == "succeeded"
    await (parallel.changing if few else parallel.changing_for_long)(removal.remove, record, store)
    await instances.forget(client, record.job)
    return answer(204)


async def _measure_again(job: str) -> tuple[int, Progress] | None:
    """Measure a job that somebody asks for again, while its records are read; nothing if that fails."""
    try:
        return await parallel.looking(progress.measure_again, job, services().store)
    except Exception:
        return None


async def _nothing() -> None:
    """Do nothing."""


def _refuse_retry(snapshot: status.Snapshot, life: Life) -> None:
    outcome = snapshot.outcome
    if outcome is None:
        if status.is_lost(snapshot, life):
            return
        raise NotRetryable("the job isn't over", hint="wait until its state is final, or cancel it")
    if outcome.state == "succeeded":
        raise NotRetryable("the job has succeeded", hint="GET its /result")
    if outcome.state == "failed" and outcome.fault and outcome.fault.code not in RESUMABLE:
        raise NotRetryable(
            f"the job would fail again: {outcome.fault.detail}",
            actual=outcome.fault.code,
            hint="start a new job with another upload or pipeline",
        )


def _accepted(
    req: func.HttpRequest, record: JobRecord, state: JobState, below: str = ""
) -> func.HttpResponse:
    path = urlsplit(req.url).path
    location = f"{path.rstrip('/')}{below}" if below else path[: path.index(record.job) + len(record.job)]
    view = AcceptedView(id=record.job, state=state, created_at=record.created_at)
    return answer(202, view, {"Location": location, **POLL_AGAIN})


async def _take(req: func.HttpRequest) -> status.Snapshot:
    return await parallel.looking(
        status.take, req.route_params["job"], services().store, owner_of(req.headers)
    )


async def _look(
    req: func.HttpRequest, client: df.DurableOrchestrationClient, *, lately: bool = False
) -> tuple[status.Snapshot, Life]:
    """Return what is on record about a job, and whether its orchestration lives where that matters."""
    job = req.route_params["job"]
    if not records.is_id(job):
        raise records.job_not_found(job)
    ask = instances.lately if lately else instances.life
    asking = asyncio.create_task(ask(client, job))
    try:
        snapshot = await _take(req)
        if snapshot.outcome is not None:
            return snapshot, Life.ENDED
        life = await asking
    finally:
        asking.cancel()
    if life in (Life.ENDED, Life.ABSENT):
        # It may have ended between the two looks.
        snapshot = await _take(req)
    return snapshot, life
