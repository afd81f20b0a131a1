"""Orchestrators of the sample app that fan out, chain and retry."""

from collections.abc import Generator
from datetime import timedelta
from typing import Any

import azure.durable_functions as df

bp = df.Blueprint()
type Context = df.DurableOrchestrationContext
type Steps = Generator[Any, Any, Any]


@bp.orchestration_trigger(context_name="context")
def fan_out(context: Context) -> Steps:
    n = context.get_input()
    results = yield context.task_all([context.call_activity("double", i) for i in range(n)])
    return sum(results)


@bp.orchestration_trigger(context_name="context")
def retried_fan_out(context: Context) -> Steps:
    n, retry = context.get_input(), df.RetryOptions(20, 3)
    results = yield context.task_all([context.call_activity_with_retry("double", retry, i) for i in range(n)])
    return sum(results)


@bp.orchestration_trigger(context_name="context")
def nested(context: Context) -> Steps:
    order = context.get_input()
    sizes = [min(64, order["n"] - first) for first in range(0, order["n"], 64)]
    sums = yield context.task_all([context.call_sub_orchestrator("retried_fan_out", size) for size in sizes])
    return sum(sums)


@bp.orchestration_trigger(context_name="context")
def chain(context: Context) -> Steps:
    value = 1
    for _ in range(3):
        value = yield context.call_activity("double_async", value)
    return value


@bp.orchestration_trigger(context_name="context")
def effects(context: Context) -> Steps:
    """Fan out effects, then one more per part in sequence; used by the crash tests."""
    order = context.get_input()
    retry = df.RetryOptions(20, 3)
    keys = [f"{order['key']}.{i}" for i in range(order["n"])]
    parts = yield context.task_all(
        [
            context.call_activity_with_retry(
                "effect", retry, {"key": key, "seconds": order.get("seconds", 0)}
            )
            for key in keys
        ]
    )
    yield context.create_timer(context.current_utc_datetime + timedelta(milliseconds=50))
    last = yield context.call_activity("effect", {"key": f"{order['key']}.last"})
    return [*parts, last, context.new_uuid() != context.new_uuid()]


@bp.orchestration_trigger(context_name="context")
def effects_tree(context: Context) -> Steps:
    order = context.get_input()
    children = [
        context.call_sub_orchestrator(
            "effects", {**order, "key": f"{order['key']}-{i}"}, f"{order['key']}-{i}"
        )
        for i in range(order["children"])
    ]
    results = yield context.task_all(children)
    again = yield context.call_activity_with_retry(
        "flaky", df.RetryOptions(20, 5), {"key": order["key"], "failures": 1}
    )
    return [len(results), again >= 2]


@bp.orchestration_trigger(context_name="context")
def retries(context: Context) -> Steps:
    order = context.get_input()
    options = df.RetryOptions(order.get("interval", 10), order["attempts"])
    try:
        attempts = yield context.call_activity_with_retry("flaky", options, order)
    except Exception as error:
        return f"gave up: {str(error).splitlines()[0].strip()}"
    return attempts


@bp.orchestration_trigger(context_name="context")
def mixed_retries(context: Context) -> Steps:
    """Retried and plain tasks side by side, then more tasks: the numbering must stay in step."""
    order = context.get_input()
    options = df.RetryOptions(15, 4)
    tasks = [
        context.call_activity_with_retry("flaky", options, {"key": f"{order['key']}-{i}", "failures": i % 3})
        for i in range(order["n"])
    ]
    attempts = yield context.task_all(tasks)
    doubled = yield context.task_all([context.call_activity("double", i) for i in range(order["n"])])
    tail = yield context.call_activity_with_retry("double", options, 21)
    return {"attempts": attempts, "doubled": doubled, "tail": tail}


@bp.orchestration_trigger(context_name="context")
def flaky_child(context: Context) -> Steps:
    order = context.get_input()
    result = yield context.call_activity("flaky", order)
    return result


@bp.orchestration_trigger(context_name="context")
def sub_retries(context: Context) -> Steps:
    order = context.get_input()
    options = df.RetryOptions(10, order["attempts"])
    try:
        result = yield context.call_sub_orchestrator_with_retry("flaky_child", options, order)
    except Exception as error:
        return f"gave up: {str(error).splitlines()[0].strip()}"
    return result
