"""What must hold once the faults are over."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobServiceClient

from drill.customer import Customer, Run
from drill.stack import ROOT, Stack
from tessera import naming
from tessera_client import AsyncClient

_SETTLE_SECONDS = 60.0
_PURGE_SECONDS = 300.0
_DELETED_AT_ONCE = 8
_A_DAY_AND_MORE = 25
_RESUMABLE = ("internal", "gave-up", "job-lost")
_KEPT = ("usage/", "keys/")
"""What a caller's quota and Idempotency-Keys are remembered by, for a day or two."""


async def all_can_be_taken_up(customer: Customer, runs: Sequence[Run], at_once: int) -> list[str]:
    """Take up every job that can be, and order the others anew: all must come to a right result."""
    wrong: list[str] = []
    slots = asyncio.Semaphore(at_once)

    async def again(run: Run) -> None:
        async with slots:
            can_go_on = run.state == "cancelled" or run.code in _RESUMABLE
            last = await (
                customer.take_up(run) if can_go_on else customer.run(replace(run.order, cancel_after=None))
            )
            if not last.exact:
                reason = last.differs or f"{last.state} {last.code}: {last.detail}"
                wrong.append(f"{run.order.words} ({last.job}), taken up after the faults: {reason}")

    await asyncio.gather(*(again(run) for run in runs if run.state in ("failed", "cancelled")))
    return wrong


async def nothing_is_stuck(stack: Stack) -> list[str]:
    """Wait for the last turns of orchestrations, and return those that don't end."""
    deadline = time.monotonic() + _SETTLE_SECONDS
    while found := await stack.unfinished():
        if time.monotonic() > deadline:
            return [f"orchestration {each['instanceId']} is {each['runtimeStatus']}" for each in found]
        await asyncio.sleep(0.25)
    return []


async def left_behind(stack: Stack, runs: Sequence[Run]) -> int:
    """Count the blobs of work that jobs left which are over: second deliveries that ended late."""
    names = await asyncio.to_thread(_names, stack, naming.WORK)
    over = {run.job for run in runs if run.state == "succeeded"}
    return sum(name.partition("/")[0] in over for name in names)


async def nothing_is_left(stack: Stack, client: AsyncClient, runs: Sequence[Run]) -> list[str]:
    """Delete every job and run the nightly purge of the day after; return what is still in storage."""
    slots = asyncio.Semaphore(_DELETED_AT_ONCE)

    async def delete(job: str) -> None:
        async with slots:
            await client.delete(job)

    await asyncio.gather(*[delete(summary.id) async for summary in client.jobs()])
    if stuck := await nothing_is_stuck(stack):
        return stuck
    await asyncio.to_thread(_purge, stack)
    return [
        f"{container}/{name} is left in storage"
        for container in naming.CONTAINERS
        for name in await asyncio.to_thread(_names, stack, container)
        if not name.startswith(_KEPT)
    ]


def no_process_is_left(stack: Stack) -> list[str]:
    """Return the processes that outlived the stack."""
    return [f"process {each} is left" for each in stack.left_processes()]


def _purge(stack: Stack) -> None:
    command = [sys.executable, "-m", "drill.purge_ahead", str(_A_DAY_AND_MORE)]
    environment = {**os.environ, "AzureWebJobsStorage": stack.storage}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=_PURGE_SECONDS)


def _names(stack: Stack, container: str) -> list[str]:
    with BlobServiceClient.from_connection_string(stack.storage) as blobs:
        listing: Any = blobs.get_container_client(container).list_blobs(include=["uncommittedblobs"])
        try:
            return [blob.name for blob in listing]
        except ResourceNotFoundError:
            return []
