"""Clients who ask how jobs are doing, in a process of their own, as they are on other machines.

    python -m drill.pollers URL COUNT

Reads ids of jobs, one a line; each client takes the job that was asked for longest ago, about once a second
as the service asks its clients to. Prints the id of each job that is over, and at the end of the input a
JSON object of what was seen. Customers upload, download and compare in another process: what these take of
their own event loop is not the service's time.
"""

import asyncio
import json
import random
import sys
import time
from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass, field

import httpx

from tessera_client.models import FINAL_STATES

_TIMEOUT_SECONDS = 120
_GONE = "the process of those who ask is gone"


@dataclass
class Asked:
    """What clients saw: how often each status came, and the seconds each answer took."""

    answers: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)


class Pollers:
    """The process with the clients, for the length of an ``async with`` block."""

    def __init__(self, url: str, count: int) -> None:
        self._command = (sys.executable, "-m", "drill.pollers", url, str(count))
        self._ends: dict[str, asyncio.Future[None]] = {}
        self.asked, self.exit_code = Asked(), 0

    async def __aenter__(self) -> "Pollers":
        pipe = asyncio.subprocess.PIPE
        # In a session of its own, or the kernel would let it wait for its turn with the customers.
        self._process = await asyncio.create_subprocess_exec(
            *self._command, stdin=pipe, stdout=pipe, limit=1 << 26, start_new_session=True
        )
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._input.close()
        await self._reading
        self.exit_code = await self._process.wait()

    async def over(self, job: str, patience: float) -> None:
        """Wait until a client has seen the end of a job.

        Raises
        ------
        TimeoutError
            If none has after *patience* seconds, or the process is gone.
        """
        if self._reading.done():
            raise TimeoutError(_GONE)
        self._ends[job] = asyncio.get_running_loop().create_future()
        self._input.write(f"{job}\n".encode())
        try:
            await asyncio.wait_for(self._ends[job], patience)
        finally:
            del self._ends[job]

    @property
    def _input(self) -> asyncio.StreamWriter:
        assert self._process.stdin is not None
        return self._process.stdin

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            said = line.decode().strip()
            if said.startswith("{"):
                found = json.loads(said)
                answers = {int(status): count for status, count in found["answers"].items()}
                self.asked = Asked(Counter(answers), found["seconds"])
            elif (end := self._ends.get(said)) and not end.done():
                end.set_result(None)
        for end in self._ends.values():
            if not end.done():
                end.set_exception(TimeoutError(_GONE))


async def _ask(url: str, jobs: deque[str], asked: Asked, number: int) -> None:
    chance = random.Random(number)
    async with httpx.AsyncClient(base_url=url, timeout=_TIMEOUT_SECONDS) as http:
        while True:
            await asyncio.sleep(chance.uniform(0.5, 1.5))
            if not jobs:
                continue
            job, began = jobs.popleft(), time.monotonic()
            answer = await http.get(f"/api/v1/jobs/{job}")
            asked.seconds.append(time.monotonic() - began)
            asked.answers[answer.status_code] += 1
            if answer.is_success and answer.json()["state"] in FINAL_STATES:
                print(job, flush=True)
            else:
                jobs.append(job)


async def _serve(url: str, count: int) -> None:
    jobs, asked = deque[str](), Asked()
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with asyncio.TaskGroup() as group:
        clients = [group.create_task(_ask(url, jobs, asked, number)) for number in range(count)]
        async for line in lines:
            jobs.append(line.decode().strip())
        for client in clients:
            client.cancel()
    print(json.dumps({"answers": asked.answers, "seconds": asked.seconds}))


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(sys.argv[1], int(sys.argv[2])))
