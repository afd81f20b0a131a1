"""The proxy before Azurite: signed calls stay valid, and each fault is one that its sender notices."""

import asyncio
import hashlib
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from azure.core.exceptions import AzureError, HttpResponseError, ServiceResponseError
from azure.storage.blob import BlobBlock, BlobClient, BlobSasPermissions, BlobServiceClient, generate_blob_sas

from drill import kinds
from drill.ledger import Ledger, read
from drill.proxy import StorageProxy
from drill.stack import ROOT
from drill.storage_faults import Call, StorageFaults
from emulator.azurite import Azurite

DATA = bytes(range(256)) * 8000
NAME = "0123456789abcdef" * 2


class Chosen(StorageFaults):
    """Does one thing to every call."""

    def __init__(self, kind: str | None = None) -> None:
        super().__init__(1.0, 0)
        self.kind = kind

    def choose(self, call: Call) -> str | None:
        return self.kind


@asynccontextmanager
async def served(
    folder: Path, faults: StorageFaults
) -> AsyncIterator[tuple[BlobServiceClient, StorageProxy]]:
    azurite = Azurite(folder / "azurite", 0, ROOT, lambda _: None)
    await azurite.start()
    ledger = Ledger(folder / "ledger.jsonl")
    proxy = StorageProxy(int(azurite.connection_string.split(":")[2].split("/")[0]), faults, ledger)
    await proxy.start()
    direct = azurite.connection_string
    account = direct.replace(f":{direct.split(':')[2].split('/')[0]}/", f":{proxy.port}/")
    try:
        with BlobServiceClient.from_connection_string(account, retry_total=0) as client:
            yield client, proxy
    finally:
        await proxy.close()
        await azurite.close()


def sas_of(blob: BlobClient) -> str:
    assert blob.account_name is not None
    signature = generate_blob_sas(
        blob.account_name,
        blob.container_name,
        blob.blob_name,
        account_key=blob.credential.account_key,
        permission=BlobSasPermissions(read=True, create=True, write=True),
        expiry=datetime.now(UTC) + timedelta(hours=1),
    )
    return f"{blob.url}?{signature}"


def run(folder: Path, scene: Callable[[BlobServiceClient, Chosen], Awaitable[None]]) -> None:
    async def play() -> None:
        faults = Chosen()
        async with served(folder, faults) as (client, _):
            await asyncio.to_thread(client.create_container, "results")
            await scene(client, faults)

    asyncio.run(play())


def test_signatures_hold_and_bytes_pass_unchanged(tmp_path: Path) -> None:
    async def scene(client: BlobServiceClient, _: Chosen) -> None:
        blob = client.get_blob_client("results", f"{NAME} ü+&.png")
        await asyncio.to_thread(blob.stage_block, "t0000000", DATA, validate_content=True)
        await asyncio.to_thread(blob.commit_block_list, [BlobBlock("t0000000")])
        async with httpx.AsyncClient() as http:
            got = await http.get(sas_of(blob))
            part = await http.get(sas_of(blob), headers={"range": "bytes=5-9"})
            refused = await http.get(sas_of(blob).replace("sig=", "sig=A"))
        assert (got.status_code, got.content) == (200, DATA)
        assert (part.status_code, part.content) == (206, DATA[5:10])
        assert refused.status_code == 403
        listed = await asyncio.to_thread(
            lambda: [each.name for each in client.get_container_client("results").list_blobs()]
        )
        assert listed == [blob.blob_name]

    run(tmp_path, scene)


def test_a_failing_call_is_noticed_and_does_what_it_says(tmp_path: Path) -> None:
    async def scene(client: BlobServiceClient, faults: Chosen) -> None:
        for kind, error, there in (
            *((status, HttpResponseError, False) for status in kinds.STATUSES),
            (kinds.RESET_BEFORE, ServiceResponseError, False),
            (kinds.RESET_AFTER, ServiceResponseError, True),
        ):
            blob, faults.kind = client.get_blob_client("results", NAME), kind
            with pytest.raises(error) as caught:
                await asyncio.to_thread(blob.upload_blob, DATA)
            faults.kind = None
            assert isinstance(caught.value, AzureError)
            assert str(getattr(caught.value, "status_code", None) or kind) == kind
            assert await asyncio.to_thread(blob.exists) == there
        faults.kind = kinds.TRUNCATED
        with pytest.raises(HttpResponseError, match=r"broken|Incomplete"):
            await asyncio.to_thread(lambda: blob.download_blob().readall())

    run(tmp_path, scene)


def test_no_write_reaches_storage_while_writes_are_held(tmp_path: Path) -> None:
    """Also none that was slow on its way when the hold began."""

    async def play() -> None:
        faults = Chosen()
        async with served(tmp_path, faults) as (client, proxy):
            await asyncio.to_thread(client.create_container, "results")
            faults.kind = kinds.SLOW
            blob, calls = client.get_blob_client("results", NAME), proxy.calls
            slow = asyncio.create_task(asyncio.to_thread(blob.upload_blob, DATA))
            await until(lambda: proxy.calls > calls)
            await proxy.hold_writes()
            faults.kind = None
            held = asyncio.create_task(asyncio.to_thread(blob.delete_blob))
            assert not await asyncio.to_thread(blob.exists), "reads go through"
            await until(lambda: proxy.held == 2)
            proxy.drop_held()
            for dropped in (slow, held):
                with pytest.raises(ServiceResponseError):
                    await dropped
            assert not await asyncio.to_thread(blob.exists)

    asyncio.run(play())


async def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


def test_a_corrupt_request_is_refused_by_its_digest(tmp_path: Path) -> None:
    async def scene(client: BlobServiceClient, faults: Chosen) -> None:
        blob, faults.kind = client.get_blob_client("results", NAME), kinds.CORRUPT_REQUEST
        digest = b64encode(hashlib.md5(DATA, usedforsecurity=False).digest()).decode()
        async with httpx.AsyncClient() as http:
            headers = {"content-md5": digest, "x-ms-blob-type": "BlockBlob"}
            answer = await http.put(sas_of(blob), content=DATA, headers=headers)
        faults.kind = None
        assert (answer.status_code, answer.headers["x-ms-error-code"]) == (400, "Md5Mismatch")
        assert not await asyncio.to_thread(blob.exists)

    run(tmp_path, scene)


def test_only_what_can_be_noticed_is_chosen_and_the_same_seed_chooses_the_same() -> None:
    reading = Call("GET", f"/account/work/{NAME}/source", {})
    writing = Call("PUT", f"/account/work/{NAME}/source?comp=block", {"content-md5": "x"}, b"data")
    fetching = Call("GET", f"/account/results/{NAME}.png?se=1&sig=secret", {})
    for call, never in (
        (reading, {kinds.CORRUPT_ANSWER, kinds.CORRUPT_REQUEST}),
        (writing, {kinds.CORRUPT_ANSWER, kinds.TRUNCATED}),
        (fetching, {kinds.CORRUPT_REQUEST}),
    ):
        first, second = StorageFaults(0.5, 7), StorageFaults(0.5, 7)
        chosen = [first.choose(call) for _ in range(2000)]
        assert chosen == [second.choose(call) for _ in range(2000)]
        assert {kind for kind in chosen if kind} == set(kinds.OF_CALLS) - never
        assert 0.45 < sum(kind is not None for kind in chosen) / 2000 < 0.55


def test_the_ledger_says_what_was_hit_and_no_signature(tmp_path: Path) -> None:
    call = Call("GET", f"/account/results/{NAME}.png?se=1&sig=secret&comp=block", {})
    noted = Ledger(tmp_path / "ledger.jsonl", clock=lambda: 5.0).note("503", call.shown)
    assert read(tmp_path / "ledger.jsonl") == [noted]
    assert noted.ids == {NAME}
    assert "secret" not in (tmp_path / "ledger.jsonl").read_text()
    assert noted.overlaps(4, 6)
    assert not noted.overlaps(6, 7)
