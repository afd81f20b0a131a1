"""Routes: submit a job, ask how it is doing, delete it."""

import asyncio
from urllib.parse import urlsplit

import azure.durable_functions as df
import azure.functions as func

from function_app import instances, removal, status, submission
from function_app.http_support import answer, answering_problems, parse
from function_app.instances import Life
from function_app.requests import JobRequest
from function_app.responses import FINAL_STATES
from function_app.services import services

blueprint = df.Blueprint()
_POLL_AGAIN = {"Retry-After": "1"}


@blueprint.route("v1/jobs", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
@answering_problems
async def submit_job(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Check a request, record the job and start it: 202."""
    request = parse(JobRequest, req.get_body())
    key = req.headers.get("Idempotency-Key")
    limits = services().settings.limits
    record, new = await asyncio.to_thread(submission.register, request, key, services().store, limits)
    await instances.start(client, record.order, new=new)
    return answer(
        202,
        {"id": record.job, "state": "queued", "created_at": record.created_at},
        {"Location": f"{urlsplit(req.url).path}/{record.job}", **_POLL_AGAIN},
    )


@blueprint.route("v1/jobs/{job}", methods=["GET"])
@blueprint.durable_client_input(client_name="client")
@answering_problems
async def get_job(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Say how a job is doing: 200."""
    snapshot, life = await _look(req.route_params["job"], client)
    view = await asyncio.to_thread(status.view, snapshot, life, services())
    return answer(200, view.model_dump(mode="json"), {} if view.state in FINAL_STATES else _POLL_AGAIN)


@blueprint.route("v1/jobs/{job}", methods=["DELETE"])
@blueprint.durable_client_input(client_name="client")
@answering_problems
async def delete_job(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Remove a job that is over (204), or ask a running one to stop and remove itself (202)."""
    snapshot, life = await _look(req.route_params["job"], client)
    record, store = snapshot.record, services().store
    working = snapshot.outcome is None and not status.is_lost(snapshot, life)
    if working and await asyncio.to_thread(removal.ask_to_stop, record, store):
        return answer(202, {"id": record.job, "state": "cancelling"}, _POLL_AGAIN)
    await asyncio.to_thread(removal.remove, record, store)
    await instances.forget(client, record.job)
    return answer(204)


async def _look(job: str, client: df.DurableOrchestrationClient) -> tuple[status.Snapshot, Life]:
    """Return what is on record about a job, and whether its orchestration lives where that matters."""
    store = services().store
    snapshot = await asyncio.to_thread(status.take, job, store)
    if snapshot.outcome is not None:
        return snapshot, Life.ENDED
    life = await instances.life(client, job)
    if life in (Life.ENDED, Life.ABSENT):
        # It may have ended between the two looks.
        snapshot = await asyncio.to_thread(status.take, job, store)
    return snapshot, life
