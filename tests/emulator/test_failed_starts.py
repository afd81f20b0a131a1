"""When the emulator gives up starting workers: what they die of decides."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from emulator import pool
from emulator.console import Console
from emulator.errors import AppLoadError, EmulatorError, WorkerDiedError, WorkerKilledError
from emulator.settings import PoolLimits
from emulator.worker import OTHERS


class Silent(Console):
    """Says nothing."""

    def __init__(self) -> None:
        pass

    def say(self, text: str) -> None:
        pass


def given_up(
    error: EmulatorError, starts: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> list[EmulatorError]:
    """Let so many starts fail with *error*, and return what the pool told the host."""
    told: list[EmulatorError] = []

    async def fail(_: pool.WorkerPool, group: str) -> Mapping[str, Any]:
        raise error

    async def start() -> None:
        limits = PoolLimits(least=1, most=1, idle_seconds=60, slots={})
        workers = pool.WorkerPool(folder, {}, limits, Silent(), told.append)
        for _ in range(starts):
            await workers._add(OTHERS)

    monkeypatch.setattr(pool, "_LARGEST_RESTART_DELAY", 0.0)
    monkeypatch.setattr(pool.WorkerPool, "_start_one", fail)
    asyncio.run(start())
    return told


@pytest.mark.parametrize(
    ("error", "starts"), [(AppLoadError("no module"), 1), (WorkerDiedError("exit 3"), 5)]
)
def test_what_the_app_dies_of_ends_the_host(
    error: EmulatorError, starts: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert given_up(error, starts - 1, tmp_path, monkeypatch) == []
    assert given_up(error, starts, tmp_path, monkeypatch) == [error]


def test_workers_that_somebody_kills_as_they_start_are_replaced_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert given_up(WorkerKilledError("exit -9"), 2000, tmp_path, monkeypatch) == []
