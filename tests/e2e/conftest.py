"""The whole stack for real: Azurite, the emulator, two workers; reached over HTTP only."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient

from emulator.stack import Stack, running
from tessera_client import Client
from tests.support.secrets import secrets_in

ROOT = Path(__file__).parents[2]
SMALL_TILES = {"TESSERA_MIN_TILE_PIXELS": "30000"}
"""Makes a photograph of a megapixel a job of several tiles."""


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    if not (ROOT / "node_modules" / "azurite").is_dir():
        pytest.skip("Azurite is not installed: run `make setup`")
    with running(ROOT, tmp_path_factory.mktemp("stack"), workers=2, environment=SMALL_TILES) as started:
        yield started
        assert secrets_in(started) == []


@pytest.fixture
def client(stack: Stack) -> Iterator[Client]:
    with Client(stack.url) as connected:
        yield connected


@pytest.fixture(scope="session")
def blobs(stack: Stack) -> Iterator[BlobServiceClient]:
    with BlobServiceClient.from_connection_string(stack.storage) as service:
        yield service
