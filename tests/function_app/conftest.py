import os
from collections.abc import Iterator
from pathlib import Path

import pytest

# The package reads its settings when it is imported, and is to fail then if there are none.
os.environ.setdefault("AzureWebJobsStorage", "UseDevelopmentStorage=true")

from function_app.blob_store import BlobStore
from function_app.services import Services, build
from function_app.settings import read_settings
from tests.support.azurite import Azurite, find_azurite, running


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
