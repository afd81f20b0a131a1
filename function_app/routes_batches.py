"""Routes: one pipeline over many inputs."""

import asyncio
from urllib.parse import urlsplit

import azure.durable_functions as df
import azure.functions as func

from function_app import batch_list, batches, instances, parallel, routes
from function_app.batches import BatchRecord
from function_app.http_support import POLL_AGAIN, answer, body_of, query_of, serve
from function_app.owners import owner_of
from function_app.queries import BatchesQuery
from function_app.requests import BatchRequest
from function_app.responses_service import BatchAccepted, BatchState
from function_app.services import services

blueprint = df.Blueprint()


@serve(blueprint, routes.SUBMIT_BATCH)
async def submit_batch(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Check a request, record the batch and start it: 202."""
    request = body_of(req, routes.SUBMIT_BATCH, BatchRequest)
    key, owner = req.headers.get("Idempotency-Key"), owner_of(req.headers)
    record, new = await parallel.changing_for_long(batches.register, request, key, owner, services())
    await instances.start_batch(client, record.order, new=new)
    return _accepted(record, "running", f"{urlsplit(req.url).path.rstrip('/')}/{record.batch}")


@serve(blueprint, routes.LIST_BATCHES)
async def list_batches(req: func.HttpRequest) -> func.HttpResponse:
    """List the caller's batches: 200."""
    query = query_of(req, BatchesQuery)
    return answer(200, await asyncio.to_thread(batch_list.page, query, owner_of(req.headers), services()))


@serve(blueprint, routes.GET_BATCH)
async def get_batch(req: func.HttpRequest) -> func.HttpResponse:
    """Say how a batch is doing: 200."""
    record = await _load(req)
    view = await asyncio.to_thread(batches.view, record, services().store)
    return answer(200, view, {} if view.manifest is not None else POLL_AGAIN)


@serve(blueprint, routes.CANCEL_BATCH)
async def cancel_batch(req: func.HttpRequest) -> func.HttpResponse:
    """Ask the jobs of a batch to stop: 202."""
    record = await _load(req)
    await parallel.changing_for_long(batches.cancel, record, services().store)
    return _accepted(record, "cancelling", urlsplit(req.url).path.rpartition("/")[0])


async def _load(req: func.HttpRequest) -> BatchRecord:
    return await asyncio.to_thread(
        batches.load, req.route_params["batch"], services().store, owner_of(req.headers)
    )


def _accepted(record: BatchRecord, state: BatchState, location: str) -> func.HttpResponse:
    view = BatchAccepted(id=record.batch, state=state, created_at=record.created_at)
    return answer(202, view, {"Location": location, **POLL_AGAIN})
