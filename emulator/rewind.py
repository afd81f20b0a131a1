"""Rewinding a failed orchestration to before its failures."""

import sqlite3

from emulator import history, records, transactions
from emulator.checkpoints import Effects
from emulator.errors import InstanceConflictError, InstanceNotFoundError
from emulator.history import FAILURES, Event, EventType
from emulator.records import Instance


def rewind(db: sqlite3.Connection, instance_id: str, reason: str | None) -> Effects:
    """Let a failed orchestration go on as if its failed tasks hadn't run; failed children go on too.

    Parameters
    ----------
    db
        Connection to the state file.
    instance_id
        The orchestration.
    reason
        Why, for the history.

    Returns
    -------
    Effects
        Messages to the orchestrations that have something to do now.

    Raises
    ------
    InstanceNotFoundError
        When there is no such instance.
    InstanceConflictError
        When it hasn't failed.
    """
    instance = records.find_instance(db, instance_id)
    if instance is None:
        raise InstanceNotFoundError(f"No instance with ID '{instance_id}' found.")
    if instance.status != "Failed":
        raise InstanceConflictError(
            "The rewind operation is only supported on failed orchestration instances."
        )
    effects = Effects()
    _rewind_one(db, instance, reason, effects)
    return effects


def _rewind_one(db: sqlite3.Connection, instance: Instance, reason: str | None, effects: Effects) -> None:
    episodes = [history.from_text(text) for text in records.find_history(db, instance.instance_id)]
    failed = {
        event["TaskScheduledId"] for events in episodes for event in events if event["EventType"] in FAILURES
    }
    children = []
    for number, events in enumerate(episodes):
        for index, event in enumerate(events):
            if event["EventType"] == EventType.SUB_ORCHESTRATION_CREATED and event["EventId"] in failed:
                child = records.find_instance(db, event["InstanceId"])
                if child is not None and child.status == "Failed":
                    children.append(child)
                    continue
            elif not _is_undone(event, failed):
                continue
            events[index] = _undone(event)
        db.execute(
            "UPDATE history SET events = ? WHERE instance_id = ? AND episode = ?",
            (history.to_text(events), instance.instance_id, number),
        )
    db.execute(
        "UPDATE instances SET status = 'Running', output = NULL, updated = ? WHERE instance_id = ?",
        (history.now(), instance.instance_id),
    )
    for child in children:
        _rewind_one(db, child, reason, effects)
    if not children:
        rewound = history.event(EventType.EXECUTION_REWOUND, Reason=reason)
        message = transactions.send(db, instance.instance_id, instance.execution_id, rewound)
        effects.messages.append(message)


def _is_undone(event: Event, failed: set[int]) -> bool:
    kind = event["EventType"]
    scheduled = kind == EventType.TASK_SCHEDULED and event["EventId"] in failed
    return scheduled or kind in FAILURES or kind == EventType.EXECUTION_COMPLETED


def _undone(event: Event) -> Event:
    """Make an event that replays ignore, in place of one that no longer counts."""
    return {
        **{name: event[name] for name in ("EventType", "EventId", "IsPlayed", "Timestamp")},
        "EventType": int(EventType.GENERIC_EVENT),
        "Data": f"Rewound: {EventType(event['EventType']).name}",
    }
