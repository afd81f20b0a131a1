"""One episode of an orchestration: what the worker is given, and the checkpoint that follows."""

import json
from collections.abc import Sequence
from dataclasses import replace

from emulator import history, transactions
from emulator.actions import CreateSubOrchestration, CreateTimer, Decision, ScheduleActivity
from emulator.checkpoints import Checkpoint
from emulator.history import Event, EventType
from emulator.orchestration import Orchestration
from emulator.outcome import Outcome
from emulator.records import Instance, Message, Parent

# What Azure Storage as durable provider can delay; the SDK splits longer timers itself.
_LONGEST_TIMER = "6.00:00:00"
_LONG_TIMER_INTERVAL = "3.00:00:00"
_STATUS_NUMBERS = {"Completed": 1, "ContinuedAsNew": 2, "Failed": 3, "Canceled": 4, "Terminated": 5}

_encode = json.JSONEncoder(separators=(",", ":")).encode


def new_events(messages: Sequence[Message]) -> list[Event]:
    """Order messages as events of an episode.

    Parameters
    ----------
    messages
        What the orchestration takes from its inbox.

    Returns
    -------
    list of dict
        OrchestratorStarted, then the messages' events; ExecutionStarted comes first among them.
    """
    ordered = sorted(messages, key=lambda message: message.event["EventType"] != EventType.EXECUTION_STARTED)
    return [history.event(EventType.ORCHESTRATOR_STARTED), *(message.event for message in ordered)]


def payload(orchestration: Orchestration, events: Sequence[Event]) -> bytes:
    """Write the orchestration context for the SDK.

    Parameters
    ----------
    orchestration
        The orchestration before the episode.
    events
        The episode's new events.

    Returns
    -------
    bytes
        JSON in UTF-8.
    """
    instance = orchestration.instance
    rest = _encode(
        {
            "instanceId": instance.instance_id,
            "isReplaying": bool(orchestration.texts),
            "parentInstanceId": instance.parent.instance_id if instance.parent else None,
            "upperSchemaVersion": 1,
            "upperSchemaVersionNew": 2,
            "longRunningTimerIntervalDuration": _LONG_TIMER_INTERVAL,
            "maximumShortTimerDuration": _LONGEST_TIMER,
            "defaultHttpAsyncRequestSleepTimeMillseconds": 30000,
        }
    )
    past = ",".join([*orchestration.texts, history.to_text(events)])
    text = f'{{"history":[{past}],"input":{instance.input or "null"},{rest[1:]}'
    return text.encode()


def checkpoint(
    orchestration: Orchestration, messages: Sequence[Message], events: list[Event], outcome: Outcome
) -> Checkpoint:
    """Turn an outcome into the changes to record.

    Parameters
    ----------
    orchestration
        The orchestration before the episode.
    messages
        The messages to take out of the inbox, stale ones included.
    events
        The episode's new events.
    outcome
        What came of them.

    Returns
    -------
    Checkpoint
        The changes; its instance is the new state.
    """
    before = orchestration.instance
    after = replace(
        before,
        status=outcome.status or _going_on(before.status, events),
        output=outcome.result if outcome.status else None,
        custom_status=outcome.custom_status if outcome.custom_status is not None else before.custom_status,
        updated=history.now(),
    )
    change = Checkpoint(
        execution_id=before.execution_id,
        instance=after,
        episode=len(orchestration.texts),
        consumed=[message.id for message in messages],
        events="",
    )
    for decision in outcome.decisions:
        events.append(_decide(change, decision, before))
    if outcome.status == "ContinuedAsNew":
        _continue_as_new(change, outcome)
        return change
    if outcome.status:
        events.append(_completed(outcome, events))
        change.to_parent = _answer(before.parent, outcome)
    events.append(history.event(EventType.ORCHESTRATOR_COMPLETED))
    change.events = history.to_played_text(events)
    return change


def _going_on(status: str, events: Sequence[Event]) -> str:
    for event in events:
        if event["EventType"] == EventType.EXECUTION_SUSPENDED:
            status = "Suspended"
        elif event["EventType"] == EventType.EXECUTION_RESUMED:
            status = "Running"
    return "Running" if status == "Pending" else status


def _decide(change: Checkpoint, decision: Decision, instance: Instance) -> Event:
    """Add a decision to the checkpoint and give its event."""
    match decision:
        case ScheduleActivity(number, name, argument):
            change.activities.append((number, name, argument))
            listed = json.dumps([argument])
            return history.event(EventType.TASK_SCHEDULED, number, Name=name, Version="", Input=listed)
        case CreateTimer(number, fire_at):
            change.timers.append((number, fire_at))
            return history.event(EventType.TIMER_CREATED, number, FireAt=fire_at)
        case CreateSubOrchestration(number, name, child_id, argument, version):
            text = json.dumps(argument)
            parent = Parent(instance.instance_id, instance.execution_id, instance.name, number)
            change.children.append(transactions.NewInstance(child_id, name, text, version, parent))
            return history.event(
                EventType.SUB_ORCHESTRATION_CREATED,
                number,
                Name=name,
                Version=version or "",
                InstanceId=child_id,
                Input=text,
            )


def _continue_as_new(change: Checkpoint, outcome: Outcome) -> None:
    before = change.instance
    argument = json.dumps(outcome.result)
    started = transactions.started_event(
        before.instance_id,
        transactions.new_execution_id(),
        before.name,
        before.version,
        argument,
        before.parent,
        before.generation + 1,
    )
    change.instance = replace(
        before,
        execution_id=started["OrchestrationInstance"]["ExecutionId"],
        status="Running",
        input=argument,
        output=None,
        created=started["Timestamp"],
        generation=before.generation + 1,
    )
    change.continued = [started, *outcome.carried_over]


def _completed(outcome: Outcome, events: Sequence[Event]) -> Event:
    number = max((event["EventId"] for event in events), default=-1) + 1
    return history.event(
        EventType.EXECUTION_COMPLETED,
        number,
        OrchestrationStatus=_STATUS_NUMBERS[outcome.status or ""],
        Result=outcome.result,
        Details=outcome.details,
        FailureDetails=None,
    )


def _answer(parent: Parent | None, outcome: Outcome) -> Event | None:
    if parent is None:
        return None
    if outcome.status == "Completed":
        return history.event(
            EventType.SUB_ORCHESTRATION_COMPLETED, TaskScheduledId=parent.task_id, Result=outcome.result
        )
    return history.event(
        EventType.SUB_ORCHESTRATION_FAILED,
        TaskScheduledId=parent.task_id,
        Reason=outcome.result,
        Details=outcome.details,
        FailureDetails=None,
    )
