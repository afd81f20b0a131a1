"""Orchestrators of the sample app that fail, or ask for what is refused."""

from collections.abc import Generator
from typing import Any

import azure.durable_functions as df

bp = df.Blueprint()
type Context = df.DurableOrchestrationContext
type Steps = Generator[Any, Any, Any]


@bp.orchestration_trigger(context_name="context")
def fails(context: Context) -> Steps:
    yield context.call_activity("double", 1)
    raise ValueError(f"{context.get_input()} is not to my taste")


@bp.orchestration_trigger(context_name="context")
def garbles(context: Context) -> Steps:
    """Pass texts that aren't valid Unicode everywhere."""
    context.set_custom_status("\ud800")
    text = yield context.call_activity("garbled", context.get_input())
    try:
        yield context.call_activity("garbled", "raise")
    except Exception as error:
        raise ValueError(f"{text} {error}") from error


@bp.orchestration_trigger(context_name="context")
def catches(context: Context) -> Steps:
    try:
        yield context.call_sub_orchestrator("fails", context.get_input())
    except Exception as error:
        return str(error)
    return "no failure"


@bp.orchestration_trigger(context_name="context")
def catches_activity(context: Context) -> Steps:
    try:
        yield context.call_activity("flaky", {"key": context.instance_id, "failures": 9})
    except Exception as error:
        return str(error)
    return "no failure"


@bp.orchestration_trigger(context_name="context")
def unknown(context: Context) -> Steps:
    yield context.call_activity("no_such_activity", 1)


@bp.orchestration_trigger(context_name="context")
def calls_http(context: Context) -> Steps:
    yield context.call_http("GET", "http://127.0.0.1/")


@bp.orchestration_trigger(context_name="context")
def calls_entity(context: Context) -> Steps:
    yield context.call_entity(df.EntityId("counter", "a"), "get")


@bp.orchestration_trigger(context_name="context")
def poisoned(context: Context) -> Steps:
    result = yield context.call_activity("poison", context.get_input())
    return result


@bp.orchestration_trigger(context_name="context")
def computes(context: Context) -> Steps:
    order = context.get_input()
    rounds = yield context.task_all(
        [context.call_activity("compute", order["seconds"]) for _ in range(order["n"])]
    )
    return len(rounds)


@bp.orchestration_trigger(context_name="context")
def carries(context: Context) -> Steps:
    text = yield context.call_activity("large", context.get_input())
    empty = yield context.call_activity("nothing", text[:3])
    return [len(text), text[:2], empty]


@bp.orchestration_trigger(context_name="context")
def rewindable(context: Context) -> Steps:
    order = context.get_input()
    first = yield context.call_activity("effect", {"key": f"{order['key']}.first"})
    second = yield context.call_activity("flaky", order)
    return [first, second]


@bp.orchestration_trigger(context_name="context")
def rewindable_parent(context: Context) -> Steps:
    result = yield context.call_sub_orchestrator("rewindable", context.get_input())
    return result
