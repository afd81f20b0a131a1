"""A drill of a service that runs: jobs of known results, and workers killed if asked."""

import asyncio
import os
import random
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from drill import inputs, kinds
from drill.customer import PATIENT, Customer, Run
from drill.jobs import Order, stream
from drill.ledger import Ledger
from drill.verdict import judge
from tessera_client import AsyncClient

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_WORKERS = "/admin/emulator/workers"
_SMALLEST = 0.1


class NotHere(Exception):
    """Workers can be killed only on this machine; the message says what to do."""


@dataclass(frozen=True)
class Plan:
    """How much of everything; *kill_every* seconds a worker of an emulator is killed, if it is given."""

    jobs: int = 20
    seed: int = 1
    largest: float = 2.0
    at_once: int = 4
    kill_every: float | None = None
    patience: float = 600.0


@dataclass
class Checked:
    """What became of the jobs: *wrong* says what must not be, *kills* how many workers were killed."""

    runs: list[Run] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    kills: int = 0


async def check(
    plan: Plan, api_url: str | None, api_key: str | None, told: Callable[[Run, str | None], None]
) -> Checked:
    """Run jobs on a service, compare their results with plain OpenCV on this machine, and delete them.

    Parameters
    ----------
    told
        Called as a job ends, with what is wrong with it, if anything is.

    Raises
    ------
    NotHere
        If workers are to be killed, and the service isn't an emulator on this machine.
    tessera_client.errors.TesseraClientError
        If the service doesn't answer.
    """
    found = Checked()
    with tempfile.TemporaryDirectory(prefix="tessera-drill-") as made:
        folder, ledger = Path(made), Ledger(Path(made) / "ledger.jsonl")
        async with AsyncClient(api_url, api_key) as client:
            await client.health()
        async with AsyncClient(api_url, api_key, policy=PATIENT) as client:
            killer = await _killer(plan, client.api_url, ledger)
            customer = Customer(client, folder, plan.patience)
            images = inputs.some(max(6, plan.jobs // 10), _SMALLEST, plan.largest, plan.seed)
            orders = iter(stream(plan.jobs, images, plan.seed))

            try:
                await asyncio.gather(
                    *(_serve(orders, customer, ledger, found, told) for _ in range(plan.at_once))
                )
            finally:
                if killer is not None:
                    killer.cancel()
                    await asyncio.gather(killer, return_exceptions=True)
        found.kills = len(ledger.faults)
    return found


async def _serve(
    orders: Iterator[Order],
    customer: Customer,
    ledger: Ledger,
    found: Checked,
    told: Callable[[Run, str | None], None],
) -> None:
    """Run one order after the other, and note what became of each."""
    for order in orders:
        run = await customer.run(order)
        wrong = judge(run, list(ledger.during(run.began, run.ended)))
        wrong = await customer.delete(run) or wrong
        found.runs.append(run)
        found.wrong += [f"{order.words} ({run.job}): {wrong}"] if wrong else []
        told(run, wrong)


async def _killer(plan: Plan, url: str, ledger: Ledger) -> "asyncio.Task[None] | None":
    if plan.kill_every is None:
        return None
    if urlsplit(url).hostname not in _LOOPBACK or not await _workers(url):
        raise NotHere(f"{url} is no emulator on this machine, so its workers can't be killed from here")
    return asyncio.create_task(_kill(plan.kill_every, plan.seed, url, ledger))


async def _kill(every: float, seed: int, url: str, ledger: Ledger) -> None:
    chance = random.Random(seed)
    while True:
        await asyncio.sleep(every)
        if pids := await _workers(url):
            pid, now = chance.choice(pids), time.time()
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                ledger.note(kinds.KILL_WORKER, str(pid), now)


async def _workers(url: str) -> list[int]:
    with suppress(httpx.HTTPError, ValueError, KeyError, TypeError):
        async with httpx.AsyncClient(timeout=5, trust_env=False) as http:
            workers = (await http.get(f"{url}{_WORKERS}")).json()
            # A host whose workers die while they start gives up.
            return [int(worker["pid"]) for worker in workers if worker["state"] == "running"]
    return []
