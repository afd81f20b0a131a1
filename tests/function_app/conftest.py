import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from azure.storage.blob import BlobServiceClient

# The package reads its settings when it is imported, and is to fail then if there are none.
os.environ.setdefault("AzureWebJobsStorage", "UseDevelopmentStorage=true")

from emulator.stack import Stack
from emulator.stack import running as running_stack
from function_app.blob_pages import take
from function_app.blob_store import BlobStore
from function_app.services import Services, build
from function_app.settings import read_settings
from tests.support.azurite import Azurite, find_azurite, running
from tests.support.secrets import secrets_in

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def azurite_program() -> Path:
    program = find_azurite()
    if program is None:
        pytest.skip("Azurite is not installed: run `make setup`, or `npm ci`")
    return program


@pytest.fixture(scope="session")
def azurite(azurite_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    with running(azurite_program, tmp_path_factory.mktemp("azurite")) as service:
        yield service


@pytest.fixture(scope="session")
def services(azurite: Azurite) -> Iterator[Services]:
    built = build(read_settings({"TESSERA_STORAGE": azurite.connection_string}))
    with built.signer._client:
        yield built


@pytest.fixture
def store(services: Services) -> BlobStore:
    return services.store


@pytest.fixture(scope="session")
def stack(azurite_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    settings = {"TESSERA_BAND_ROWS": "128"}
    with running_stack(ROOT, tmp_path_factory.mktemp("stack"), workers=1, environment=settings) as started:
        yield started
        assert secrets_in(started) == []


@pytest.fixture(scope="session")
def http(stack: Stack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.url, timeout=30) as client:
        yield client


@pytest.fixture(scope="session")
def stored(stack: Stack) -> Iterator[BlobStore]:
    with BlobServiceClient.from_connection_string(stack.storage, raw_response_hook=take) as client:
        yield BlobStore(client)
