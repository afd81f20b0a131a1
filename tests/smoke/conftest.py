"""What the smoke test runs against: a deployed service, or the local stack.

TESSERA_SMOKE_URL names a deployed one, TESSERA_SMOKE_KEY its function key.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from emulator.stack import running
from tessera_client import Client

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Service:
    url: str
    key: str | None = field(default=None, repr=False)

    @property
    def deployed(self) -> bool:
        return self.key is not None


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    if url := os.environ.get("TESSERA_SMOKE_URL"):
        yield Service(url, os.environ["TESSERA_SMOKE_KEY"])
        return
    if not (ROOT / "node_modules" / "azurite").is_dir():
        pytest.skip("neither is TESSERA_SMOKE_URL set nor Azurite installed: run `make setup`")
    with running(ROOT, tmp_path_factory.mktemp("smoke"), workers=2) as stack:
        yield Service(stack.url)


@pytest.fixture(scope="session")
def client(service: Service) -> Iterator[Client]:
    with Client(service.url, service.key) as connected:
        yield connected
