"""Calls to storage in threads: who looks goes before who changes."""

import asyncio
import threading
from contextvars import ContextVar

from function_app import parallel

_name = ContextVar[str]("_name")


def test_who_looks_does_not_wait_for_changes() -> None:
    go = threading.Event()

    async def run() -> list[bool]:
        changes = [asyncio.create_task(parallel.changing(go.wait, 30)) for _ in range(20)]
        assert await asyncio.wait_for(parallel.looking(str, 7), 30) == "7"
        assert not any(change.done() for change in changes)
        go.set()
        return await asyncio.gather(*changes)

    assert all(asyncio.run(run()))


def test_changes_are_few_at_a_time() -> None:
    lock, now, most = threading.Lock(), set[int](), list[int]()
    all_there = threading.Barrier(parallel._CHANGING)

    def change(number: int) -> None:
        with lock:
            now.add(number)
            most.append(len(now))
        all_there.wait(30)
        with lock:
            now.remove(number)

    async def run() -> None:
        await asyncio.gather(*(parallel.changing(change, number) for number in range(30)))

    asyncio.run(run())
    assert max(most) == parallel._CHANGING


def test_threads_see_the_variables_of_who_calls() -> None:
    async def run() -> list[str]:
        _name.set("caller")
        return [await parallel.looking(_name.get), await parallel.changing(_name.get)]

    assert asyncio.run(run()) == ["caller", "caller"]
