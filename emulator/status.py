"""How the management API shows an instance and its history."""

import json
from collections.abc import Iterable
from typing import Any

from emulator.history import Event, EventType
from emulator.records import Instance

_NAMES = {
    EventType.EXECUTION_STARTED: "ExecutionStarted",
    EventType.EXECUTION_COMPLETED: "ExecutionCompleted",
    EventType.EXECUTION_FAILED: "ExecutionFailed",
    EventType.EXECUTION_TERMINATED: "ExecutionTerminated",
    EventType.TASK_SCHEDULED: "TaskScheduled",
    EventType.TASK_COMPLETED: "TaskCompleted",
    EventType.TASK_FAILED: "TaskFailed",
    EventType.SUB_ORCHESTRATION_CREATED: "SubOrchestrationInstanceCreated",
    EventType.SUB_ORCHESTRATION_COMPLETED: "SubOrchestrationInstanceCompleted",
    EventType.SUB_ORCHESTRATION_FAILED: "SubOrchestrationInstanceFailed",
    EventType.TIMER_CREATED: "TimerCreated",
    EventType.TIMER_FIRED: "TimerFired",
    EventType.EVENT_SENT: "EventSent",
    EventType.EVENT_RAISED: "EventRaised",
    EventType.GENERIC_EVENT: "GenericEvent",
    EventType.EXECUTION_SUSPENDED: "ExecutionSuspended",
    EventType.EXECUTION_RESUMED: "ExecutionResumed",
    EventType.EXECUTION_REWOUND: "ExecutionRewound",
}
_ORCHESTRATION_STATUSES = (
    "Running",
    "Completed",
    "ContinuedAsNew",
    "Failed",
    "Canceled",
    "Terminated",
    "Pending",
)
_SCHEDULING = {EventType.TASK_SCHEDULED, EventType.SUB_ORCHESTRATION_CREATED}
_ANSWERS = {
    EventType.TASK_COMPLETED,
    EventType.TASK_FAILED,
    EventType.SUB_ORCHESTRATION_COMPLETED,
    EventType.SUB_ORCHESTRATION_FAILED,
}
_HIDDEN = {
    "EventId",
    "IsPlayed",
    "Version",
    "TaskScheduledId",
    "TimerId",
    "OrchestrationInstance",
    "ParentInstance",
}


def lenient(text: str | None) -> Any:
    """Read a JSON text that may be plain text instead, as reasons and error messages are.

    Parameters
    ----------
    text
        The text, or None.

    Returns
    -------
    object
        The JSON value, or the text itself.
    """
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def show_instance(instance: Instance, show_input: bool) -> dict[str, Any]:
    """Show the status of an instance.

    Parameters
    ----------
    instance
        The instance.
    show_input
        Whether its input is shown.

    Returns
    -------
    dict
        Body of the status response.
    """
    return {
        "name": instance.name,
        "instanceId": instance.instance_id,
        "runtimeStatus": instance.status,
        "input": lenient(instance.input) if show_input else None,
        "customStatus": lenient(instance.custom_status),
        "output": lenient(instance.output),
        "createdTime": f"{instance.created[:19]}Z",
        "lastUpdatedTime": f"{instance.updated[:19]}Z",
    }


def show_history(events: Iterable[Event], show_output: bool, show_input: bool) -> list[dict[str, Any]]:
    """Show a history: scheduling and completion of a task as one entry, without the episodes' marks.

    Parameters
    ----------
    events
        The history.
    show_output
        Whether results are shown.
    show_input
        Whether inputs are shown.

    Returns
    -------
    list of dict
        The entries.
    """
    shown: list[dict[str, Any]] = []
    scheduled: dict[int, dict[str, Any]] = {}
    for event in events:
        kind = EventType(event["EventType"])
        if kind not in _NAMES:
            continue
        entry = {name: value for name, value in event.items() if name not in _HIDDEN}
        entry["EventType"] = _NAMES[kind]
        if kind in _SCHEDULING:
            scheduled[event["EventId"]] = entry
        elif kind in _ANSWERS and (origin := scheduled.get(event["TaskScheduledId"])) is not None:
            entry |= {"ScheduledTime": origin["Timestamp"], "FunctionName": origin["Name"]}
            if show_input:
                entry["Input"] = origin.get("Input")
            shown.remove(origin)
        elif kind == EventType.EXECUTION_STARTED:
            entry["FunctionName"] = entry.pop("Name")
        elif kind == EventType.EXECUTION_COMPLETED:
            entry["OrchestrationStatus"] = _ORCHESTRATION_STATUSES[event["OrchestrationStatus"]]
        if "Result" in entry:
            result = entry.pop("Result")
            if show_output:
                entry["Result"] = lenient(result)
        if not show_input:
            entry.pop("Input", None)
        shown.append(entry)
    return shown
