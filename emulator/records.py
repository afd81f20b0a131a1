"""Records of the task hub and how they are read from and written to the state file."""

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from emulator.history import Event

TERMINAL = frozenset({"Completed", "Failed", "Terminated", "Canceled"})


@dataclass(frozen=True)
class Parent:
    """The orchestration that waits for a sub-orchestration, and under which task number."""

    instance_id: str
    execution_id: str
    name: str
    task_id: int


@dataclass(frozen=True)
class Instance:
    """One orchestration instance; ``input``, ``output`` and ``custom_status`` are JSON texts."""

    instance_id: str
    execution_id: str
    name: str
    version: str | None
    status: str
    input: str | None
    output: str | None
    custom_status: str | None
    created: str
    updated: str
    parent: Parent | None
    generation: int

    @property
    def is_over(self) -> bool:
        """Whether the orchestration has ended."""
        return self.status in TERMINAL


@dataclass(frozen=True)
class Message:
    """Something an orchestration has yet to learn."""

    id: int
    instance_id: str
    execution_id: str | None
    event: Event


@dataclass(frozen=True)
class Activity:
    """A scheduled activity; ``input`` is the JSON text of its argument."""

    id: int
    instance_id: str
    execution_id: str
    task_id: int
    name: str
    input: str


@dataclass(frozen=True, order=True)
class Timer:
    """A durable timer."""

    fire_at: str
    id: int
    instance_id: str
    execution_id: str
    task_id: int


INSTANCE_COLUMNS = (
    "instance_id, execution_id, name, version, status, input, output, custom_status, created, updated, "
    "parent, generation"
)


def to_instance(row: tuple[Any, ...]) -> Instance:
    """Build an instance from a row.

    Parameters
    ----------
    row
        Values in the order of `INSTANCE_COLUMNS`.

    Returns
    -------
    Instance
        The record.
    """
    values = list(row)
    values[10] = Parent(**json.loads(row[10])) if row[10] else None
    return Instance(*values)


def find_instance(db: sqlite3.Connection, instance_id: str) -> Instance | None:
    """Look an instance up.

    Parameters
    ----------
    db
        Connection to the state file.
    instance_id
        Its id.

    Returns
    -------
    Instance or None
        None when there is none.
    """
    query = f"SELECT {INSTANCE_COLUMNS} FROM instances WHERE instance_id = ?"
    row = db.execute(query, (instance_id,)).fetchone()
    return to_instance(row) if row else None


def find_history(db: sqlite3.Connection, instance_id: str) -> list[str]:
    """Read an instance's history.

    Parameters
    ----------
    db
        Connection to the state file.
    instance_id
        Its id.

    Returns
    -------
    list of str
        One text per episode, each the inside of a JSON array.
    """
    query = "SELECT events FROM history WHERE instance_id = ? ORDER BY episode"
    return [events for (events,) in db.execute(query, (instance_id,))]


def all_messages(db: sqlite3.Connection) -> list[Message]:
    """Read every message that was not taken yet.

    Parameters
    ----------
    db
        Connection to the state file.

    Returns
    -------
    list of Message
        Oldest first.
    """
    rows = db.execute("SELECT id, instance_id, execution_id, event FROM inbox ORDER BY id")
    return [
        Message(number, instance, execution, json.loads(text)) for number, instance, execution, text in rows
    ]


def all_activities(db: sqlite3.Connection) -> list[Activity]:
    """Read every activity without a recorded result.

    Parameters
    ----------
    db
        Connection to the state file.

    Returns
    -------
    list of Activity
        Oldest first.
    """
    query = "SELECT id, instance_id, execution_id, task_id, name, input FROM activities ORDER BY id"
    return [Activity(*row) for row in db.execute(query)]


def all_timers(db: sqlite3.Connection) -> list[Timer]:
    """Read every timer that hasn't fired.

    Parameters
    ----------
    db
        Connection to the state file.

    Returns
    -------
    list of Timer
        In any order.
    """
    return [
        Timer(*row)
        for row in db.execute("SELECT fire_at, id, instance_id, execution_id, task_id FROM timers")
    ]
