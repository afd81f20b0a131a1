"""The load test: many small jobs and many who ask; nothing may fail, memory must stay flat."""

import asyncio
import io
import random
import time
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

import httpx
import psutil

from drill import inputs
from drill.jobs import Order, difference, stream
from drill.ledger import Ledger
from drill.stack import Stack
from tessera_client import AsyncClient, RetryPolicy
from tessera_client.errors import TesseraClientError
from tessera_client.models import FINAL_STATES, Output, Step

_POLICY = RetryPolicy(attempts=200, first_wait=0.3, longest_wait=5.0, outage=0.0)
"""A refusal for too many jobs (429) is waited for; nothing else should happen."""

_PATIENCE = 600.0
_SAMPLE_SECONDS = 1.0
_THREADS = 32
_WARM_MINUTES = 10.0
_GROWTH_ALLOWED = 1.15
"""Of the second half, if the test is long enough for everything to be warm by then."""
_MEGAPIXELS = (0.05, 0.2)
_KINDS = ("host", "workers")


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
    """

    customers: int = 210
    jobs: int = 200
    pollers: int = 20
    minutes: float = 3.0
    workers: int = 2
    """Beside the one that serves requests."""


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


class Running:
    """The jobs under way: whoever polls takes one after the other, its customer waits for the end."""

    def __init__(self) -> None:
        self._jobs: deque[str] = deque()
        self._ends: dict[str, asyncio.Future[None]] = {}

    async def over(self, job: str) -> None:
        """Wait until somebody who polls has seen the end of a job."""
        self._ends[job] = asyncio.get_running_loop().create_future()
        self._jobs.append(job)
        await asyncio.wait_for(self._ends[job], _PATIENCE)

    def next(self) -> str | None:
        """Take the job that was asked for longest ago."""
        return self._jobs.popleft() if self._jobs else None

    def seen(self, job: str, ended: bool) -> None:
        """Note how a job is."""
        if not ended:
            self._jobs.append(job)
        elif not self._ends[job].done():
            self._ends[job].set_result(None)


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
    found, running, began = Loaded(plan), Running(), time.monotonic()
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_THREADS))
    ledger = Ledger(folder / "ledger.jsonl")
    settings = {"TESSERA_MAX_RUNNING_JOBS": str(plan.jobs)}
    stack = Stack(folder, None, ledger, plan.workers, settings, http_workers=2)
    transport = _Counting(found.answers)
    async with stack, AsyncClient(stack.url, policy=_POLICY, timeout=120, transport=transport) as client:
        helpers = [
            asyncio.create_task(_poll(stack.url, running, found, number)) for number in range(plan.pollers)
        ]
        helpers.append(asyncio.create_task(_sample(stack, found)))
        try:
            await _keep_busy(plan, client, running, found, folder)
        finally:
            for helper in helpers:
                helper.cancel()
            ended = await asyncio.gather(*helpers, return_exceptions=True)
    found.wrong += [f"a poller failed: {error!r}" for error in ended if isinstance(error, Exception)]
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


async def _keep_busy(plan: Plan, client: AsyncClient, running: Running, found: Loaded, folder: Path) -> None:
    """Run jobs, so many at a time, until the time is over; each place runs one at least."""
    images = inputs.some(12, *_MEGAPIXELS, seed=1)
    orders, until = stream(10**9, images, seed=1), time.monotonic() + plan.minutes * 60

    async def place() -> None:
        while True:
            order = next(orders)
            try:
                await _run_one(client, order, running, found, folder)
            except (TesseraClientError, TimeoutError) as error:
                found.wrong.append(f"{order.words}: {type(error).__name__}: {error}")
            if time.monotonic() > until:
                return

    await asyncio.gather(*(place() for _ in range(plan.customers)))


async def _run_one(client: AsyncClient, order: Order, running: Running, found: Loaded, folder: Path) -> None:
    data = inputs.file_of(order.given)
    upload = await client.upload(io.BytesIO(data), name=order.given.name)
    steps = [Step(step.operation, step.parameters) for step in order.steps]
    job = await client.submit(upload.id, steps, Output(format=order.output))
    await running.over(job.id)
    target = await client.download(await client.wait(job.id), folder / job.id)
    if wrong := await asyncio.to_thread(difference, order, target.read_bytes()):
        found.wrong.append(f"{order.words}: {wrong}")
    target.unlink()
    await client.delete(job.id)
    found.done += 1


async def _poll(url: str, running: Running, found: Loaded, number: int) -> None:
    """Ask how one job after the other is doing, about once a second as the service asks its clients to."""
    chance = random.Random(number)
    async with httpx.AsyncClient(base_url=url, timeout=120, transport=_Counting(found.answers)) as http:
        while True:
            await asyncio.sleep(chance.uniform(0.5, 1.5))
            if job := running.next():
                began = time.monotonic()
                answer = await http.get(f"/api/v1/jobs/{job}")
                found.status_seconds.append(time.monotonic() - began)
                running.seen(job, answer.is_success and answer.json()["state"] in FINAL_STATES)


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
        f"{found.seconds:.0f} s: {found.done} jobs done, answers {answers}.",
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
