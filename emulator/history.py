"""History events as the Durable extension writes them, and their JSON text."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

Event = dict[str, Any]

_encode = json.JSONEncoder(separators=(",", ":")).encode
_UNPLAYED = '"IsPlayed":false'
_PLAYED = '"IsPlayed":true'


class EventType(IntEnum):
    """Numbers of the event types in the replay protocol."""

    EXECUTION_STARTED = 0
    EXECUTION_COMPLETED = 1
    EXECUTION_FAILED = 2
    EXECUTION_TERMINATED = 3
    TASK_SCHEDULED = 4
    TASK_COMPLETED = 5
    TASK_FAILED = 6
    SUB_ORCHESTRATION_CREATED = 7
    SUB_ORCHESTRATION_COMPLETED = 8
    SUB_ORCHESTRATION_FAILED = 9
    TIMER_CREATED = 10
    TIMER_FIRED = 11
    ORCHESTRATOR_STARTED = 12
    ORCHESTRATOR_COMPLETED = 13
    EVENT_SENT = 14
    EVENT_RAISED = 15
    CONTINUE_AS_NEW = 16
    GENERIC_EVENT = 17
    HISTORY_STATE = 18
    EXECUTION_SUSPENDED = 19
    EXECUTION_RESUMED = 20
    EXECUTION_REWOUND = 21


# How a task ends.
SUCCESSES = frozenset({EventType.TASK_COMPLETED, EventType.SUB_ORCHESTRATION_COMPLETED})
FAILURES = frozenset({EventType.TASK_FAILED, EventType.SUB_ORCHESTRATION_FAILED})


def now() -> str:
    """Give the present time as the protocol writes it.

    Returns
    -------
    str
        UTC, ISO 8601 with microseconds and ``Z``; such texts sort by time.
    """
    return timestamp(datetime.now(UTC))


def timestamp(moment: datetime) -> str:
    """Write a moment as the protocol does.

    Parameters
    ----------
    moment
        A time with a zone.

    Returns
    -------
    str
        UTC, ISO 8601 with microseconds and ``Z``.
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment(text: str) -> datetime:
    """Read a time in ISO 8601; without a zone it means UTC.

    Parameters
    ----------
    text
        The time.

    Returns
    -------
    datetime
        With a zone.

    Raises
    ------
    ValueError
        When the text isn't in ISO 8601.
    """
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def event(kind: EventType, event_id: int = -1, **fields: Any) -> Event:
    """Make a history event that happens now.

    Parameters
    ----------
    kind
        Its type.
    event_id
        Task number for events that schedule something, else -1.
    **fields
        The fields of this type, named as in the protocol.

    Returns
    -------
    dict
        The event, marked as not played yet.
    """
    # IsPlayed stays ahead of anything an app can influence: see `played`.
    return {"EventType": int(kind), "EventId": event_id, "IsPlayed": False, "Timestamp": now(), **fields}


def to_text(events: Iterable[Event]) -> str:
    """Encode events as the inside of a JSON array.

    Parameters
    ----------
    events
        Events that weren't played yet.

    Returns
    -------
    str
        Comma-separated JSON objects.
    """
    return ",".join(map(_encode, events))


def to_played_text(events: Iterable[Event]) -> str:
    """Encode events as `to_text` does, but marked as played, for the history of the next episode.

    Parameters
    ----------
    events
        Events that weren't played yet.

    Returns
    -------
    str
        Comma-separated JSON objects.
    """
    return ",".join(_encode(item).replace(_UNPLAYED, _PLAYED, 1) for item in events)


def from_text(text: str) -> list[Event]:
    """Decode events.

    Parameters
    ----------
    text
        Comma-separated JSON objects.

    Returns
    -------
    list of dict
        The events.
    """
    events: list[Event] = json.loads(f"[{text}]")
    return events
