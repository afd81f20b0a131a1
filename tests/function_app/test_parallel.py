"""Calls to storage in threads: who looks goes before who changes."""

import asyncio
import json
import threading
import uuid
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

import azure.functions as func
import pytest

from function_app import instances, parallel, routes_jobs, status, webhooks
from function_app.blob_store import BlobStore
from function_app.problems import JobNotFound
from function_app.services import Services
from tests.function_app import stored

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


def test_changes_are_made_one_at_a_time_in_the_order_in_which_they_came() -> None:
    made = list[int]()

    def change(number: int) -> int:
        made.append(number)
        return threading.get_ident()

    async def run() -> list[int]:
        return await asyncio.gather(*(parallel.changing(change, number) for number in range(60)))

    assert len(set(asyncio.run(run()))) == 1
    assert made == list(range(60))


def test_what_takes_long_keeps_nobody_from_changing() -> None:
    go = threading.Event()

    async def run() -> bool:
        long = asyncio.create_task(parallel.changing_for_long(go.wait, 30))
        assert await asyncio.wait_for(parallel.changing(str, 7), 30) == "7"
        go.set()
        return await long

    assert asyncio.run(run())


@pytest.mark.parametrize("how", [parallel.changing, parallel.changing_for_long])
def test_a_change_gives_way_to_who_looks_with_all_its_calls(
    how: Callable[[Callable[[], bool]], Awaitable[bool]], store: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, nobody_looked = threading.Semaphore(0), list[bool]()
    give_way = parallel.give_way

    def ask() -> None:
        asked.release()
        give_way()
        nobody_looked.append(parallel._lookers.none.is_set())

    def change() -> bool:
        beside = parallel.begin(lambda: store.exists("work", "one"))
        return store.exists("work", "another") or beside.result()

    async def run() -> bool:
        with parallel.first():
            changing = asyncio.ensure_future(how(change))
            for _ in range(2):
                assert await asyncio.to_thread(asked.acquire, timeout=30)
        return await changing

    monkeypatch.setattr(parallel, "_LONGEST_WAY_SECONDS", 30)
    monkeypatch.setattr(parallel, "give_way", ask)
    assert asyncio.run(run()) is False
    assert nobody_looked == [True, True]


def test_a_change_does_not_give_way_for_ever(store: BlobStore) -> None:
    async def run() -> bool:
        with parallel.first():
            return await parallel.changing(store.exists, "work", uuid.uuid4().hex)

    assert asyncio.run(run()) is False


def test_changes_give_way_while_a_status_is_looked_up(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ways = list[bool]()
    take = status.take

    def look(job: str, store: BlobStore, owner: str) -> status.Snapshot:
        ways.append(parallel._lookers.none.is_set())
        return take(job, store, owner)

    async def ask() -> None:
        request = func.HttpRequest(
            method="GET", url=f"/api/v1/jobs/{'0' * 32}", body=b"", route_params={"job": "0" * 32}
        )
        await routes_jobs.get_job(request, None)

    monkeypatch.setattr(status, "take", look)
    monkeypatch.setattr(routes_jobs, "services", lambda: services)
    with pytest.raises(JobNotFound):
        asyncio.run(ask())
    assert ways == [False]
    assert parallel._lookers.none.is_set()


def test_threads_see_the_variables_of_who_calls() -> None:
    async def run() -> list[str]:
        _name.set("caller")
        return [await how(_name.get) for how in (parallel.looking, parallel.changing)]

    assert asyncio.run(run()) == ["caller"] * 2


def test_hosts_that_are_looked_up_for_long_keep_nobody_from_submitting(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, asked = threading.Event(), threading.Semaphore(0)

    def resolve(*_: object) -> list[str]:
        asked.release()
        assert found.wait(30)
        return ["93.184.216.34"]

    async def start(*_: object, **__: object) -> None:
        """Start nothing."""

    monkeypatch.setattr(webhooks, "resolve", resolve)
    monkeypatch.setattr(instances, "start", start)
    monkeypatch.setattr(routes_jobs, "services", lambda: services)
    upload = stored.upload(services.store)
    plain: dict[str, Any] = {"upload_id": upload, "pipeline": [{"operation": "invert"}]}
    hook = {"url": "https://example.com/end", "secret": "a secret of some length"}

    async def submit(body: dict[str, Any]) -> int:
        data = json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = func.HttpRequest(method="POST", url="/api/v1/jobs", headers=headers, body=data)
        return int((await routes_jobs.submit_job(request, None)).status_code)

    async def run() -> list[int]:
        slow = [asyncio.create_task(submit(plain | {"webhook": hook})) for _ in range(3)]
        for _ in range(parallel._CHANGING):
            assert await asyncio.to_thread(asked.acquire, timeout=30)
        quick = await asyncio.wait_for(submit(plain), 30)
        assert not any(each.done() for each in slow)
        found.set()
        return [quick, *await asyncio.gather(*slow)]

    assert asyncio.run(run()) == [202] * 4
