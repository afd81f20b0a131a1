"""A fake API for each test, and a client of it that retries without waiting long."""

import threading
from collections.abc import Iterator

import pytest

from tessera_client import Client, RetryPolicy
from tests.client.fake_api import FakeApi, Handler, Server

QUICK = RetryPolicy(attempts=3, first_wait=0.001, longest_wait=0.01, outage=0.5)


@pytest.fixture
def api() -> Iterator[FakeApi]:
    """Serve a fake API on a free loopback port."""
    state = FakeApi()
    handler = type("BoundHandler", (Handler,), {"api": state})
    with Server(("127.0.0.1", 0), handler) as server:
        state.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield state
        server.shutdown()
        thread.join()


@pytest.fixture
def client(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """Connect a client to the fake API."""
    monkeypatch.delenv("TESSERA_API_KEY", raising=False)
    with Client(api.url, policy=QUICK, timeout=10) as connected:
        yield connected
