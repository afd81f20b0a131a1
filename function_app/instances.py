"""Orchestrations as the Durable Functions host knows them; the instance id is the job's id."""

import asyncio
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

import azure.durable_functions as df

from function_app.lately import Lately
from function_app.problems import Unavailable
from tessera.messages import BatchOrder, JobOrder
from tessera.plan import Message

_Status = df.OrchestrationRuntimeStatus
_ENDED = (_Status.Completed, _Status.Failed, _Status.Terminated, _Status.Canceled)
_PURGE_TRIES = 20
_PURGE_INTERVAL = 0.25
_BELIEVED_SECONDS = 2.0, 30.0
"""Half as long as the job has run by then, within these."""

_known: Lately[str, bool] = Lately()
"""Jobs whose orchestration ran when the host was asked."""


class Life(Enum):
    """Whether an orchestration will still do something."""

    ABSENT = "absent"
    WAITING = "waiting"
    RUNNING = "running"
    ENDED = "ended"


async def life(client: Any, job: str) -> Life:
    """Return how far the orchestration of *job* is, as the durable *client* sees it."""
    return _life(await client.get_status(job))


async def lately(client: Any, job: str) -> Life:
    """Return how far the orchestration is; one that ran is believed for a while to run, longer if older."""
    if _known.get(job):
        return Life.RUNNING
    status = await client.get_status(job)
    found = _life(status)
    _known.forget(job)
    if found is Life.RUNNING:
        age = (datetime.now(UTC) - status.created_time).total_seconds()
        least, most = _BELIEVED_SECONDS
        _known.see(job, True, min(max(least, age / 2), most))
    return found


def _life(status: Any) -> Life:
    if status.runtime_status is None:
        return Life.ABSENT
    if status.runtime_status in _ENDED:
        return Life.ENDED
    return Life.WAITING if status.runtime_status is _Status.Pending else Life.RUNNING


async def start(client: Any, order: JobOrder, *, new: bool) -> None:
    """Start the orchestration of a job, unless the job isn't *new* and has one.

    Raises
    ------
    Unavailable
        If the host doesn't start it.
    """
    await _start(client, "process_image", order.job, order, new=new)


async def start_batch(client: Any, order: BatchOrder, *, new: bool) -> None:
    """Start the orchestration of a batch, unless it isn't *new* and has one.

    Raises
    ------
    Unavailable
        If the host doesn't start it.
    """
    await _start(client, "process_batch", order.batch, order, new=new)


async def _start(client: Any, orchestrator: str, instance: str, order: Message, *, new: bool) -> None:
    if not new and await life(client, instance) is not Life.ABSENT:
        return
    try:
        await client.start_new(orchestrator, instance, order.to_json())
    except Exception as error:
        # A start that came second is refused by the host; the SDK raises nothing more exact.
        if await life(client, instance) in (Life.ABSENT, Life.ENDED):
            raise Unavailable(
                "the job is recorded, but could not be started",
                hint="send the same request with the same Idempotency-Key again",
            ) from error


async def until_over(client: Any, job: str) -> None:
    """Wait for the last turn of an orchestration whose job is over.

    Raises
    ------
    Unavailable
        If it still has something to do after some seconds, such as sending word.
    """
    for _ in range(_PURGE_TRIES):
        if await life(client, job) in (Life.ENDED, Life.ABSENT):
            return
        await asyncio.sleep(_PURGE_INTERVAL)
    raise Unavailable("the job is still ending", hint="try again in some seconds")


async def forget(client: Any, job: str) -> None:
    """Remove the history of an orchestration that is over or about to be."""
    for _ in range(_PURGE_TRIES):
        purged = await client.purge_instance_history(job)
        if purged.instances_deleted or await life(client, job) is Life.ABSENT:
            return
        await asyncio.sleep(_PURGE_INTERVAL)


async def forget_older_than(client: Any, age: timedelta) -> int:
    """Remove the histories of orchestrations that began more than *age* ago and are over; return how many."""
    purged = await client.purge_instance_history_by(
        datetime(2000, 1, 1, tzinfo=UTC), datetime.now(UTC) - age, list(_ENDED)
    )
    return int(purged.instances_deleted)
