"""The state file: grouped commits, whole operations, failures."""

import asyncio
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from emulator import records, transactions
from emulator.errors import InstanceConflictError, StateError, StateInUseError
from emulator.store import Store
from emulator.transactions import NewInstance


def _start(instance_id: str) -> Callable[[sqlite3.Connection], records.Message]:
    return partial(transactions.create, new=NewInstance(instance_id, "f", None, None))


def _spoiled(db: sqlite3.Connection) -> None:
    transactions.create(db, NewInstance("spoiled", "f", None, None))
    raise ValueError("on second thoughts")


def test_operations_given_together_are_applied_and_one_that_fails_takes_no_other_along(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        store = Store(tmp_path / "s.sqlite", lambda error: None)
        operations = [_start("a"), _spoiled, _start("b"), _start("a"), _start("c")]
        results = await asyncio.gather(*map(store.write, operations), return_exceptions=True)
        assert [type(result) for result in results] == [
            records.Message,
            ValueError,
            records.Message,
            InstanceConflictError,
            records.Message,
        ]
        messages = await store.read(records.all_messages)
        assert [message.instance_id for message in messages] == ["a", "b", "c"]
        assert await store.read(partial(records.find_instance, instance_id="spoiled")) is None
        await store.close()

    asyncio.run(scenario())


def test_what_was_confirmed_is_there_after_reopening(tmp_path: Path) -> None:
    async def write() -> None:
        store = Store(tmp_path / "s.sqlite", lambda error: None)
        await store.write(_start("a"))
        await store.close()

    async def read() -> records.Instance | None:
        store = Store(tmp_path / "s.sqlite", lambda error: None)
        found = await store.read(partial(records.find_instance, instance_id="a"))
        await store.close()
        return found

    asyncio.run(write())
    found = asyncio.run(read())
    assert found is not None
    assert found.status == "Pending"


def test_the_file_is_held_while_open_and_free_afterwards(tmp_path: Path) -> None:
    async def scenario() -> None:
        store = Store(tmp_path / "s.sqlite", lambda error: None)
        with pytest.raises(StateInUseError, match="--state"):
            Store(tmp_path / "s.sqlite", lambda error: None)
        await store.close()
        await Store(tmp_path / "s.sqlite", lambda error: None).close()

    asyncio.run(scenario())


def test_a_failure_to_write_is_reported_once_and_later_writes_are_refused(tmp_path: Path) -> None:
    failures: list[StateError] = []

    def break_it(db: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    async def scenario() -> None:
        store = Store(tmp_path / "s.sqlite", failures.append)
        for operation in (break_it, _start("a")):
            with pytest.raises(StateError, match=r"disk is full.*make sure that the disk has room"):
                await store.write(operation)
        assert await store.read(records.all_messages) == []
        await store.close()

    asyncio.run(scenario())
    assert len(failures) == 1


@pytest.mark.parametrize("version", [0, 99])
def test_a_database_of_something_else_is_refused_and_left_alone(tmp_path: Path, version: int) -> None:
    path = tmp_path / "s.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE mine (x)")
        db.execute(f"PRAGMA user_version = {version}")
    db.close()

    async def scenario() -> None:
        with pytest.raises(StateError, match="no state file of this version"):
            Store(path, lambda error: None)

    asyncio.run(scenario())
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT name FROM sqlite_master").fetchall() == [("mine",)]
    db.close()


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"

    async def fill() -> None:
        store = Store(path, lambda error: None)
        for i in range(300):
            await store.write(_start(f"instance-{i}"))
        await store.close()

    async def reopen() -> None:
        with pytest.raises(StateError, match=r"damaged|can't be opened"):
            Store(path, lambda error: None)

    asyncio.run(fill())
    content = bytearray(path.read_bytes())
    content[4096 * 3 : 4096 * 6] = b"\xff" * 4096 * 3
    path.write_bytes(content)
    asyncio.run(reopen())
