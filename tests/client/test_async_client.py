"""The asynchronous client sends, reads and refuses what the other one does."""

import asyncio
import inspect
import io
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tessera_client import (
    AsyncClient,
    Client,
    ConnectionFailed,
    JobFailed,
    NotFound,
    Output,
    Step,
    parse_step,
)
from tessera_client.uploads import SMALLEST_BLOCK
from tests.client.conftest import QUICK
from tests.client.fake_api import FakeApi, Fault


@pytest.fixture
def run(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Return what runs a coroutine function with a connected client."""
    monkeypatch.delenv("TESSERA_API_KEY", raising=False)

    def run_one(work: Callable[[AsyncClient], Awaitable[Any]]) -> Any:
        async def main() -> Any:
            async with AsyncClient(api.url, "k3y", policy=QUICK, timeout=10) as client:
                return await work(client)

        return asyncio.run(main())

    return run_one


def test_it_has_every_method_of_the_other_with_the_same_parameters() -> None:
    def methods(kind: type) -> dict[str, list[str]]:
        return {
            name: list(inspect.signature(method).parameters)
            for name, method in inspect.getmembers(kind, inspect.isfunction)
            if not name.startswith("_")
        }

    assert methods(AsyncClient) == methods(Client)


def test_a_job_from_upload_to_file(api: FakeApi, run: Callable[..., Any], tmp_path: Path) -> None:
    data = bytes(3 * SMALLEST_BLOCK)
    seen: list[tuple[int, int]] = []

    async def work(client: AsyncClient) -> Path:
        upload = await client.upload(io.BytesIO(data), name="scan.png", progress=lambda *p: seen.append(p))
        job = await client.submit(upload.id, [parse_step("canny")], Output("jpeg", 80), name="scan.png")
        finished = await client.wait(job.id)
        return await client.download(finished, tmp_path / "out.jpg")

    assert run(work).read_bytes() == api.result
    assert api.blobs["uploads/upload-0"] == data
    assert seen[-1] == (len(data), len(data))
    (sent,) = api.sent("POST", "/jobs")
    assert sent.json["output"] == {"format": "jpeg", "quality": 80}
    assert sent.headers["x-functions-key"] == "k3y"
    assert all("x-functions-key" not in blob.headers for blob in api.sent("PUT", "/blob/"))


def test_failures_that_pass_are_tried_again(api: FakeApi, run: Callable[..., Any]) -> None:
    api.fail("GET", "/health", 503)
    api.hang_up("GET", "/health")
    assert run(lambda client: client.health()).version == "9.9"
    api.hang_up("GET", "/health", times=QUICK.attempts)
    with pytest.raises(ConnectionFailed, match="cannot reach the API"):
        run(lambda client: client.health())


def test_a_job_submitted_twice_by_a_lost_answer_is_one(api: FakeApi, run: Callable[..., Any]) -> None:
    api.blobs["uploads/up"] = b"pixels"
    api.faults.append(Fault("POST", "/jobs", cut_after=0))
    assert run(lambda client: client.submit("up", [])).id == "job-1"
    assert len(api.jobs) == 1


def test_lists_come_page_by_page(api: FakeApi, run: Callable[..., Any]) -> None:
    api.page = 2
    api.blobs["uploads/up"] = b"pixels"

    async def work(client: AsyncClient) -> tuple[list[str], list[str], list[int]]:
        for _ in range(3):
            await client.submit("up", [])
        every = [job.id async for job in client.jobs()]
        some = [job.id async for job in client.jobs(limit=1)]
        return every, some, [tile.attempts async for tile in client.tiles("job-1")]

    assert run(work) == (["job-3", "job-2", "job-1"], ["job-3"], [2, 1, 0])


def test_what_can_be_asked_is_answered(api: FakeApi, run: Callable[..., Any]) -> None:
    api.blobs["uploads/up"] = b"pixels"
    api.script = [api.job_document(state="failed", error={"title": "Damaged", "status": 422})]
    api.retried = [api.succeeded()]

    async def work(client: AsyncClient) -> list[Any]:
        job = (await client.submit("up", [])).id
        with pytest.raises(JobFailed, match="job job-1 failed: Damaged"):
            await client.wait(job)
        found = [
            (await client.ready()).status,
            len(await client.operations()),
            (await client.presets())[0].name,
            (await client.plan("up", [])).tiles,
            (await client.retry(job)).state,
            (await client.job(job)).state,
            (await client.result(job)).size,
        ]
        await client.delete(job)
        with pytest.raises(NotFound):
            await client.cancel(job)
        return found

    assert run(work) == ["ready", 2, "clean_edges", 4, "queued", "succeeded", 15]


def test_a_batch_and_a_picture(api: FakeApi, run: Callable[..., Any]) -> None:
    api.blobs["previews/result"] = b"small"

    async def work(client: AsyncClient) -> list[Any]:
        begun = await client.submit_batch(
            {"up": "a.png", "other": None}, [Step("canny")], tolerated_failures=1
        )
        batch = await client.batch(begun.id)
        assert batch.manifest is not None
        previews = await client.previews(batch.manifest[0].job)
        assert previews.input is None
        assert previews.result is not None
        return [
            [(entry.upload_id, entry.name) for entry in batch.manifest],
            batch.tolerated_failures,
            await client.picture(previews.result),
            (await client.cancel_batch(begun.id)).state,
        ]

    assert run(work) == [[("up", "a.png"), ("other", None)], 1, b"small", "cancelling"]


def test_a_cancelled_task_stops_its_upload(api: FakeApi, run: Callable[..., Any]) -> None:
    begun = threading.Event()
    data = io.BytesIO(bytes(12 * SMALLEST_BLOCK))

    async def work(client: AsyncClient) -> None:
        task = asyncio.create_task(
            client.upload(data, progress=lambda done, total: begun.set() if done else None)
        )
        await asyncio.to_thread(begun.wait, 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(work)
    assert not api.sent("PUT", "comp=blocklist")
    assert len(api.sent("PUT", "comp=block&")) < 12


def test_transfers_that_hang_leave_the_event_loop_its_threads(api: FakeApi, run: Callable[..., Any]) -> None:
    over = threading.Event()
    begun = threading.Semaphore(0)

    def hang(_done: int, _total: int) -> None:
        begun.release()
        over.wait(30)

    async def work(client: AsyncClient) -> bool:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        hanging = [asyncio.create_task(client.upload(io.BytesIO(bytes(10)), progress=hang)) for _ in range(3)]
        try:
            async with asyncio.timeout(20):
                for _ in hanging:
                    await asyncio.to_thread(begun.acquire, timeout=20)
                return True
        finally:
            over.set()
            await asyncio.gather(*hanging)

    assert run(work)


def test_the_network_can_be_replaced() -> None:
    async def main() -> str:
        answer = httpx.MockTransport(lambda _: httpx.Response(200, json={"status": "ok"}))
        async with AsyncClient("http://anywhere", transport=answer) as client:
            return (await client.health()).status

    assert asyncio.run(main()) == "ok"


def test_a_copy_of_a_result_is_an_upload(api: FakeApi, run: Callable[..., Any]) -> None:
    async def work(client: AsyncClient) -> str:
        upload = await client.upload(io.BytesIO(b"the image"), name="scan.png")
        job = await client.submit(upload.id, [parse_step("canny")])
        await client.wait(job.id)
        return (await client.copy_upload(job.id, "result")).id

    assert api.blobs[f"uploads/{run(work)}"] == api.result
