"""The load test: many small jobs and many who ask; nothing may fail, memory must stay flat."""

import asyncio
import io
import os
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

import httpx
import psutil

from drill import inputs
from drill.jobs import Order, difference, stream
from drill.ledger import Ledger
from drill.pollers import Pollers
from drill.stack import Stack
from emulator.processes import give_way
from tessera_client import AsyncClient, RetryPolicy
from tessera_client.errors import TesseraClientError
from tessera_client.models import Output, Step

_POLICY = RetryPolicy(attempts=200, first_wait=0.3, longest_wait=5.0, outage=0.0)
"""A refusal for too many jobs (429) is waited for; nothing else should happen."""

_PATIENCE = 600.0
_SAMPLE_SECONDS = 1.0
_WARM_MINUTES = 10.0
_GROWTH_ALLOWED = 1.15
"""Of the second half, if the test is long enough for everything to be warm by then."""
_MEGAPIXELS = (0.05, 0.2)
_KINDS = ("host", "workers")
_CUSTOMERS_NICE = 19
_HTTP_WORKERS = 2


@dataclass(frozen=True)
class Plan:
    """How much of everything.

    Attributes
    ----------
    customers : int
        Who run one job after the other.
    jobs : int
        Jobs that the service lets run at a time; with fewer than *customers* some are sent away (429).
    pollers : int
        Clients that ask how all these jobs are doing, each about once a second.
    minutes : float
    behind : bool
        Let the service have the processors before the customers, who elsewhere have machines of their own.
        This process stays behind for good.
    workers : int
        Processes for images, beside those that serve requests.
    """

    customers: int = 210
    jobs: int = 200
    pollers: int = 20
    minutes: float = 3.0
    behind: bool = False
    workers: int = 1


@dataclass
class Loaded:
    """What was seen.

    Attributes
    ----------
    answers : Counter
        How often the service answered with each status.
    status_seconds : list of float
        How long it took to say how a job is doing.
    memory : list of dict
        Resident bytes of the host and of its workers together, each second.
    """

    plan: Plan
    done: int = 0
    answers: Counter[int] = field(default_factory=Counter)
    status_seconds: list[float] = field(default_factory=list)
    memory: list[dict[str, int]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0


class _Counting(httpx.AsyncHTTPTransport):
    """Counts the statuses that the service answers with."""

    def __init__(self, answers: Counter[int]) -> None:
        super().__init__(limits=httpx.Limits(max_connections=None))
        self._answers = answers

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        self._answers[response.status_code] += 1
        return response


async def run(plan: Plan, folder: Path) -> Loaded:
    """Keep a stack busy for a while, with its data in *folder*, and return what was seen."""
    found, began = Loaded(plan), time.monotonic()
    ledger = Ledger(folder / "ledger.jsonl")
    settings = {"TESSERA_MAX_RUNNING_JOBS": str(plan.jobs)}
    stack = Stack(folder, None, ledger, plan.workers, settings, http_workers=_HTTP_WORKERS)
    transport = _Counting(found.answers)
    async with stack, AsyncClient(stack.url, policy=_POLICY, timeout=120, transport=transport) as client:
        sampling = asyncio.create_task(_sample(stack, found))
        try:
            async with Pollers(stack.url, plan.pollers) as pollers:
                if plan.behind:
                    give_way(os.getpid(), _CUSTOMERS_NICE)
                await _keep_busy(plan, client, pollers, found, folder)
        finally:
            sampling.cancel()
    found.answers += pollers.asked.answers
    if pollers.exit_code:
        found.wrong.append(f"the process of those who ask ended with exit code {pollers.exit_code}")
    found.status_seconds = pollers.asked.seconds
    found.wrong += [
        f"{count} answers with status {status}" for status, count in found.answers.items() if status >= 500
    ]
    found.wrong += [f"process {each} is left" for each in stack.left_processes()]
    if plan.minutes >= _WARM_MINUTES:
        found.wrong += [
            f"the memory of the {who} grows" for who in _KINDS if _growth(found, who) > _GROWTH_ALLOWED
        ]
    found.seconds = time.monotonic() - began
    return found


async def _keep_busy(plan: Plan, client: AsyncClient, pollers: Pollers, found: Loaded, folder: Path) -> None:
    """Run jobs, so many at a time, until the time is over; each place runs one at least."""
    images = inputs.some(12, *_MEGAPIXELS, seed=1)
    orders, until = stream(10**9, images, seed=1), time.monotonic() + plan.minutes * 60

    async def place() -> None:
        while True:
            order = next(orders)
            try:
                await _run_one(client, order, pollers, found, folder)
            except (TesseraClientError, TimeoutError) as error:
                found.wrong.append(f"{order.words}: {type(error).__name__}: {error}")
            if time.monotonic() > until:
                return

    await asyncio.gather(*(place() for _ in range(plan.customers)))


async def _run_one(client: AsyncClient, order: Order, pollers: Pollers, found: Loaded, folder: Path) -> None:
    data = inputs.file_of(order.given)
    upload = await client.upload(io.BytesIO(data), name=order.given.name)
    steps = [Step(step.operation, step.parameters) for step in order.steps]
    job = await client.submit(upload.id, steps, Output(format=order.output))
    await pollers.over(job.id, _PATIENCE)
    target = await client.download(await client.wait(job.id), folder / job.id)
    if wrong := await asyncio.to_thread(difference, order, target.read_bytes()):
        found.wrong.append(f"{order.words}: {wrong}")
    target.unlink()
    await client.delete(job.id)
    found.done += 1


async def _sample(stack: Stack, found: Loaded) -> None:
    while True:
        assert stack.host is not None
        workers = await stack.worker_pids()
        sample = {"host": _resident(stack.host.pid), "workers": sum(map(_resident, workers))}
        found.memory.append(sample)
        await asyncio.sleep(_SAMPLE_SECONDS)


def _resident(pid: int) -> int:
    with suppress(psutil.Error):
        return int(psutil.Process(pid).memory_info().rss)
    return 0


def page(found: Loaded) -> str:
    """Return the report (Markdown)."""
    plan = found.plan
    answers = ", ".join(f"{status}: {count}" for status, count in sorted(found.answers.items()))
    cuts = quantiles(found.status_seconds, n=20) if len(found.status_seconds) > 1 else [0.0] * 19
    lines = [
        "# Load",
        "",
        f"{plan.customers} customers, {plan.jobs} jobs let in at a time, {plan.pollers} clients asking, "
        f"{_HTTP_WORKERS} processes for requests and {plan.workers} for images, {found.seconds:.0f} s: "
        f"{found.done} jobs done, answers {answers}.",
        "",
        f"Status: p50 {cuts[9] * 1000:.0f} ms, p95 {cuts[18] * 1000:.0f} ms of {len(found.status_seconds)}.",
        "",
        "| resident memory, MB | after a quarter | at the half | at the end | growth over the second half |",
        "| --- | --- | --- | --- | --- |",
        *(_memory_row(found, who) for who in _KINDS),
        *(["", "## Wrong", "", *(f"- {each}" for each in found.wrong)] if found.wrong else []),
    ]
    return "\n".join(lines) + "\n"


def _memory_row(found: Loaded, who: str) -> str:
    quarter, half, end = (_around(found, who, share) >> 20 for share in (0.25, 0.5, 0.95))
    return f"| {who} | {quarter} | {half} | {end} | {_growth(found, who) - 1:+.1%} |"


def _growth(found: Loaded, who: str) -> float:
    """Return what the memory at the end is of that at the half."""
    return _around(found, who, 0.95) / max(1, _around(found, who, 0.5))


def _around(found: Loaded, who: str, share: float) -> int:
    """Return the median of the twentieth of the samples around a place."""
    samples = [sample[who] for sample in found.memory]
    width = max(1, len(samples) // 20)
    start = min(int(len(samples) * share), max(0, len(samples) - width))
    return int(median(samples[start : start + width])) if samples else 0
