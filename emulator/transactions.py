"""The changes of the task hub's state; each function runs inside one transaction."""

import json
import sqlite3
import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from emulator import history
from emulator.errors import InstanceConflictError, InstanceNotFoundError
from emulator.history import Event, EventType
from emulator.records import Activity, Message, Parent, Timer, find_instance

_CLEARED = ("history", "inbox", "activities", "timers")


@dataclass(frozen=True)
class NewInstance:
    """An orchestration to start; ``input`` is a JSON text or None."""

    instance_id: str
    name: str
    input: str | None
    version: str | None
    parent: Parent | None = None


def send(db: sqlite3.Connection, instance_id: str, execution_id: str | None, event: Event) -> Message:
    """Put a message into an orchestration's inbox.

    Parameters
    ----------
    db
        Connection to the state file.
    instance_id
        Recipient.
    execution_id
        The execution it is for, or None for whichever runs.
    event
        The content.

    Returns
    -------
    Message
        The message as stored.
    """
    cursor = db.execute(
        "INSERT INTO inbox (instance_id, execution_id, event) VALUES (?, ?, ?)",
        (instance_id, execution_id, json.dumps(event)),
    )
    return Message(int(cursor.lastrowid or 0), instance_id, execution_id, event)


def create(db: sqlite3.Connection, new: NewInstance) -> Message:
    """Start an orchestration, in place of an ended one of the same id if there is one.

    Parameters
    ----------
    db
        Connection to the state file.
    new
        What to start.

    Returns
    -------
    Message
        The ExecutionStarted message.

    Raises
    ------
    InstanceConflictError
        When an instance of this id hasn't ended.
    """
    existing = find_instance(db, new.instance_id)
    if existing is not None:
        if not existing.is_over:
            raise InstanceConflictError(
                f"An Orchestration instance with the status {existing.status} already exists."
            )
        delete(db, new.instance_id)
    execution_id = new_execution_id()
    started = started_event(new.instance_id, execution_id, new.name, new.version, new.input, new.parent)
    now = started["Timestamp"]
    db.execute(
        "INSERT INTO instances VALUES (?, ?, ?, ?, 'Pending', ?, NULL, NULL, ?, ?, ?, 0)",
        (
            new.instance_id,
            execution_id,
            new.name,
            new.version,
            new.input,
            now,
            now,
            json.dumps(asdict(new.parent)) if new.parent else None,
        ),
    )
    return send(db, new.instance_id, execution_id, started)


def new_execution_id() -> str:
    """Make the id of an execution.

    Returns
    -------
    str
        32 hexadecimal digits.
    """
    return uuid.uuid4().hex


def started_event(
    instance_id: str,
    execution_id: str,
    name: str,
    version: str | None,
    argument: str | None,
    parent: Parent | None,
    generation: int = 0,
) -> Event:
    """Make the event that begins an execution.

    Parameters
    ----------
    instance_id, execution_id, name, version
        Of the orchestration.
    argument
        JSON text of its input, or None.
    parent
        The orchestration that started it, if any.
    generation
        How often it has continued as new.

    Returns
    -------
    dict
        ExecutionStarted event.
    """
    parent_instance = parent and {
        "Name": parent.name,
        "OrchestrationInstance": {"InstanceId": parent.instance_id, "ExecutionId": parent.execution_id},
        "TaskScheduleId": parent.task_id,
        "Version": "",
    }
    return history.event(
        EventType.EXECUTION_STARTED,
        OrchestrationInstance={"InstanceId": instance_id, "ExecutionId": execution_id},
        ParentInstance=parent_instance,
        Name=name,
        Version=version,
        Input=argument,
        Tags=None,
        ScheduledStartTime=None,
        Generation=generation,
    )


def delete(db: sqlite3.Connection, instance_id: str) -> None:
    """Remove an instance and everything that belongs to it.

    Parameters
    ----------
    db
        Connection to the state file.
    instance_id
        Its id.
    """
    for table in ("instances", *_CLEARED):
        db.execute(f"DELETE FROM {table} WHERE instance_id = ?", (instance_id,))


def finish_activity(db: sqlite3.Connection, activity: Activity, event: Event) -> Message | None:
    """Record the result of an activity, once.

    Parameters
    ----------
    db
        Connection to the state file.
    activity
        The activity.
    event
        Its TaskCompleted or TaskFailed event.

    Returns
    -------
    Message or None
        The message to the orchestration; None when a result was recorded before or nobody waits for it.
    """
    deleted = db.execute("DELETE FROM activities WHERE id = ?", (activity.id,)).rowcount
    instance = find_instance(db, activity.instance_id)
    if not deleted or instance is None or instance.is_over or instance.execution_id != activity.execution_id:
        return None
    return send(db, activity.instance_id, activity.execution_id, event)


def fire(db: sqlite3.Connection, due: Iterable[Timer]) -> list[Message]:
    """Turn due timers into messages.

    Parameters
    ----------
    db
        Connection to the state file.
    due
        The timers.

    Returns
    -------
    list of Message
        One TimerFired message for each timer that still existed.
    """
    messages = []
    for timer in due:
        if db.execute("DELETE FROM timers WHERE id = ?", (timer.id,)).rowcount:
            fired = history.event(EventType.TIMER_FIRED, TimerId=timer.task_id, FireAt=timer.fire_at)
            messages.append(send(db, timer.instance_id, timer.execution_id, fired))
    return messages


def notify(db: sqlite3.Connection, instance_id: str, event: Event) -> Message:
    """Send an event from outside to a running orchestration.

    Parameters
    ----------
    db
        Connection to the state file.
    instance_id
        Recipient.
    event
        EventRaised, ExecutionTerminated, ExecutionSuspended or ExecutionResumed.

    Returns
    -------
    Message
        The message.

    Raises
    ------
    InstanceNotFoundError
        When there is no such instance.
    InstanceConflictError
        When it has ended.
    """
    instance = find_instance(db, instance_id)
    if instance is None:
        raise InstanceNotFoundError(f"No instance with ID '{instance_id}' found.")
    if instance.is_over:
        raise InstanceConflictError(f"The instance '{instance_id}' is {instance.status}.")
    return send(db, instance_id, None, event)
