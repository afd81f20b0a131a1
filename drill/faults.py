"""The fault drill: a stream of jobs, and meanwhile everything fails that can."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from drill import aftermath, inputs
from drill.customer import PATIENT, Customer, Run
from drill.jobs import Order, stream
from drill.ledger import Fault, Ledger
from drill.stack import Stack
from drill.storage_faults import StorageFaults
from drill.strikes import Striker
from drill.verdict import judge
from tessera_client import AsyncClient

_MORE_PATIENT = replace(PATIENT, attempts=60)
"""Over two minutes: a host is given one to start, and busy machines took most of it."""


@dataclass(frozen=True)
class Plan:
    """How much of everything.

    Attributes
    ----------
    jobs : int
    smallest, largest : float
        Megapixels.
    strike_every : int
        Jobs from one fault of processes, disk, clock or containers to the next.
    share : float
        Of the calls to storage that fail.
    tile_pixels : int
        Fewest of a tile: images of several times as many become jobs of several tiles.
    at_once : int
        Jobs under way at a time.
    patience : float
        Seconds after which a job counts as stuck.
    """

    jobs: int = 500
    seed: int = 1
    smallest: float = 0.1
    largest: float = 8.0
    strike_every: int = 6
    share: float = 0.05
    tile_pixels: int = 800_000
    at_once: int = 16
    workers: int = 6
    patience: float = 300.0


@dataclass
class Drilled:
    """What was found.

    Attributes
    ----------
    wrong : list of str
        What must not be; empty after a good drill.
    """

    plan: Plan
    runs: list[Run] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    failed: dict[str, int] = field(default_factory=dict)
    late: int = 0
    calls: int = 0
    seconds: float = 0.0


async def drill(plan: Plan, folder: Path) -> Drilled:
    """Run a drill with its data in *folder*, and return what was found.

    Raises
    ------
    drill.stack.StackFailed
        If the stack doesn't start.
    """
    ledger, faults = Ledger(folder / "ledger.jsonl"), StorageFaults(plan.share, plan.seed)
    found, began = Drilled(plan), time.monotonic()
    settings = {"TESSERA_MIN_TILE_PIXELS": str(plan.tile_pixels)}
    stack = Stack(folder, faults, ledger, plan.workers, settings)
    async with stack, AsyncClient(stack.url, policy=_MORE_PATIENT) as client:
        customer = Customer(client, folder, plan.patience)
        found.runs = await _storm(plan, customer, Striker(stack, ledger, plan.seed))
        stack.proxy.stop_faults()
        found.faults, found.calls = list(ledger.faults), stack.proxy.calls
        for run in found.runs:
            if wrong := judge(run, list(ledger.during(run.began, run.ended))):
                found.wrong.append(f"{run.order.words} ({run.job}): {wrong}")
            if run.state == "failed":
                found.failed[run.code or "none"] = found.failed.get(run.code or "none", 0) + 1
        found.wrong += await aftermath.all_can_be_taken_up(customer, found.runs, plan.at_once)
        found.wrong += await aftermath.nothing_is_stuck(stack)
        found.late = await aftermath.left_behind(stack, found.runs)
        found.wrong += await aftermath.nothing_is_left(stack, client, found.runs)
    found.wrong += aftermath.no_process_is_left(stack)
    found.seconds = time.monotonic() - began
    return found


async def _storm(plan: Plan, customer: Customer, striker: Striker) -> list[Run]:
    """Run all jobs, some at a time, and strike in between."""
    images = inputs.some(max(6, plan.jobs // 20), plan.smallest, plan.largest, plan.seed)
    orders, strikes = iter(stream(plan.jobs, images, plan.seed)), asyncio.Queue[None](maxsize=1)
    runs: list[Run] = []

    async def serve(orders: Iterator[Order]) -> None:
        for order in orders:
            if order.number % plan.strike_every == plan.strike_every - 1:
                # Waits if need be: jobs don't run ahead of what is to hit them.
                await strikes.put(None)
            runs.append(await customer.run(order))

    async def strike() -> None:
        for kind in striker.kinds():
            await strikes.get()
            await striker.strike(kind)
            strikes.task_done()

    striking = asyncio.create_task(strike())
    try:
        serving = asyncio.gather(*(serve(orders) for _ in range(plan.at_once)))
        await asyncio.wait((serving, striking), return_when=asyncio.FIRST_COMPLETED)
        if striking.done():
            serving.cancel()
            striking.result()
        await serving
        await strikes.join()
    finally:
        striking.cancel()
        await asyncio.gather(striking, return_exceptions=True)
    return runs
