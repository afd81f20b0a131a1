"""Orchestrators of the sample app that wait: for timers, events, themselves."""

from collections.abc import Generator
from datetime import timedelta
from typing import Any

import azure.durable_functions as df

bp = df.Blueprint()
type Context = df.DurableOrchestrationContext
type Steps = Generator[Any, Any, Any]


@bp.orchestration_trigger(context_name="context")
def timers(context: Context) -> Steps:
    began = context.current_utc_datetime
    yield context.create_timer(began + timedelta(milliseconds=context.get_input()))
    return (context.current_utc_datetime - began).total_seconds()


@bp.orchestration_trigger(context_name="context")
def events(context: Context) -> Steps:
    first = yield context.wait_for_external_event("first")
    yield context.call_activity("double", 1)
    second = yield context.wait_for_external_event("second")
    return [first, second]


@bp.orchestration_trigger(context_name="context")
def approval(context: Context) -> Steps:
    deadline = context.create_timer(
        context.current_utc_datetime + timedelta(milliseconds=context.get_input())
    )
    event = context.wait_for_external_event("approve")
    winner = yield context.task_any([event, deadline])
    if winner == event:
        if not deadline.is_completed:
            deadline.cancel()
        return f"approved by {event.result}"
    return "too late"


@bp.orchestration_trigger(context_name="context")
def race(context: Context) -> Steps:
    """Return after the first of two; the orchestration still waits for the other."""
    slow = context.call_activity("effect", {"key": "slow", "seconds": 0.5})
    fast = context.call_activity("double", 4)
    winner = yield context.task_any([slow, fast])
    return winner == fast


@bp.orchestration_trigger(context_name="context")
def eternal(context: Context) -> Steps:
    order = context.get_input()
    if order["n"] == 0:
        return order["sum"]
    value = yield context.call_activity("double", order["n"])
    context.continue_as_new({"n": order["n"] - 1, "sum": order["sum"] + value})


@bp.orchestration_trigger(context_name="context")
def collector(context: Context) -> Steps:
    """Take one event per execution; the events that come meanwhile must not be lost."""
    got = context.get_input()
    if len(got["items"]) == got["n"]:
        return got["items"]
    item = yield context.wait_for_external_event("item")
    context.continue_as_new({"n": got["n"], "items": [*got["items"], item]})


@bp.orchestration_trigger(context_name="context")
def statuses(context: Context) -> Steps:
    context.set_custom_status({"stage": 1})
    yield context.wait_for_external_event("go")
    context.set_custom_status("halfway")
    yield context.wait_for_external_event("go")
    return "done"


@bp.orchestration_trigger(context_name="context")
def boasts(context: Context) -> Steps:
    context.set_custom_status("x" * context.get_input())
    yield context.call_activity("double", 1)


@bp.orchestration_trigger(context_name="context")
def identities(context: Context) -> Steps:
    ids = [context.new_uuid(), context.new_uuid()]
    yield context.call_activity("double", 1)
    return {
        "ids": [*ids, context.new_uuid()],
        "parent": context.parent_instance_id,
        "id": context.instance_id,
    }


@bp.orchestration_trigger(context_name="context")
def parent_of_identities(context: Context) -> Steps:
    child = yield context.call_sub_orchestrator("identities", None, context.get_input())
    return child
