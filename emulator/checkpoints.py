"""The checkpoint at the end of an episode: one transaction for all that it changes."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field

from emulator import history, transactions
from emulator.errors import EmulatorError, InstanceConflictError
from emulator.history import Event, EventType
from emulator.records import Activity, Instance, Message, Timer, find_instance
from emulator.transactions import NewInstance


class StaleEpisodeError(EmulatorError):
    """The instance an episode was computed for has been replaced or purged meanwhile."""


@dataclass
class Checkpoint:
    """All that one episode of the execution ``execution_id`` changes.

    ``continued`` holds the first messages of the next execution when the orchestration continues as new; the
    history is then begun anew.
    """

    execution_id: str
    instance: Instance
    episode: int
    consumed: Sequence[int]
    events: str
    activities: list[tuple[int, str, str]] = field(default_factory=list)
    timers: list[tuple[int, str]] = field(default_factory=list)
    children: list[NewInstance] = field(default_factory=list)
    to_parent: Event | None = None
    continued: list[Event] | None = None


@dataclass
class Effects:
    """What a committed change made: work the engine takes up from here."""

    messages: list[Message] = field(default_factory=list)
    activities: list[Activity] = field(default_factory=list)
    timers: list[Timer] = field(default_factory=list)


def checkpoint(db: sqlite3.Connection, change: Checkpoint) -> Effects:
    """Record an episode: history, state, outgoing work, timers and messages together.

    Parameters
    ----------
    db
        Connection to the state file.
    change
        What the episode led to.

    Returns
    -------
    Effects
        The work it made.

    Raises
    ------
    StaleEpisodeError
        When the instance is no longer the one the episode was computed for.
    """
    instance = change.instance
    current = find_instance(db, instance.instance_id)
    if current is None or current.is_over or current.execution_id != change.execution_id:
        raise StaleEpisodeError(f"the episode of instance '{instance.instance_id}' is out of date")
    db.executemany("DELETE FROM inbox WHERE id = ?", [(number,) for number in change.consumed])
    if change.continued is not None:
        for table in ("history", "activities", "timers"):
            db.execute(f"DELETE FROM {table} WHERE instance_id = ?", (instance.instance_id,))
    else:
        row = (instance.instance_id, change.episode, change.events)
        db.execute("INSERT INTO history VALUES (?, ?, ?)", row)
    _update(db, instance)
    effects = Effects()
    if change.continued is not None:
        effects.messages += [
            transactions.send(db, instance.instance_id, instance.execution_id, event)
            for event in change.continued
        ]
    for task_id, name, argument in change.activities:
        effects.activities.append(_add_activity(db, instance, task_id, name, argument))
    for task_id, fire_at in change.timers:
        effects.timers.append(_add_timer(db, instance, task_id, fire_at))
    effects.messages += [_create_child(db, instance, child) for child in change.children]
    if instance.is_over:
        db.execute("DELETE FROM timers WHERE instance_id = ?", (instance.instance_id,))
        if change.to_parent is not None and instance.parent is not None:
            parent = instance.parent
            effects.messages.append(
                transactions.send(db, parent.instance_id, parent.execution_id, change.to_parent)
            )
    return effects


def _update(db: sqlite3.Connection, instance: Instance) -> None:
    db.execute(
        "UPDATE instances SET execution_id = ?, status = ?, input = ?, output = ?, custom_status = ?, "
        "created = ?, updated = ?, generation = ? WHERE instance_id = ?",
        (
            instance.execution_id,
            instance.status,
            instance.input,
            # A reason may be any text, also one that can't be written as UTF-8.
            instance.output and instance.output.encode("utf-8", "replace").decode(),
            instance.custom_status,
            instance.created,
            instance.updated,
            instance.generation,
            instance.instance_id,
        ),
    )


def _add_activity(
    db: sqlite3.Connection, instance: Instance, task_id: int, name: str, argument: str
) -> Activity:
    values = (instance.instance_id, instance.execution_id, task_id, name, argument)
    cursor = db.execute(
        "INSERT INTO activities (instance_id, execution_id, task_id, name, input) VALUES (?, ?, ?, ?, ?)",
        values,
    )
    return Activity(int(cursor.lastrowid or 0), *values)


def _add_timer(db: sqlite3.Connection, instance: Instance, task_id: int, fire_at: str) -> Timer:
    values = (instance.instance_id, instance.execution_id, task_id)
    cursor = db.execute(
        "INSERT INTO timers (instance_id, execution_id, task_id, fire_at) VALUES (?, ?, ?, ?)",
        (*values, fire_at),
    )
    return Timer(fire_at, int(cursor.lastrowid or 0), *values)


def _create_child(db: sqlite3.Connection, instance: Instance, child: NewInstance) -> Message:
    try:
        return transactions.create(db, child)
    except InstanceConflictError as error:
        task_id = child.parent.task_id if child.parent else -1
        failed = history.event(
            EventType.SUB_ORCHESTRATION_FAILED,
            TaskScheduledId=task_id,
            Reason=f"Sub-orchestration '{child.instance_id}' can't be started: {error}",
            Details=None,
            FailureDetails=None,
        )
        return transactions.send(db, instance.instance_id, instance.execution_id, failed)
