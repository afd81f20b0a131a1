"""A function app that uses everything the emulator has; the tests and the benchmark run it."""

import logging
import os
import threading
import time
from collections.abc import Generator
from datetime import timedelta
from pathlib import Path
from typing import Any

import azure.durable_functions as df
import azure.functions as func

app = df.DFApp(http_auth_level=func.AuthLevel.FUNCTION)
type Context = df.DurableOrchestrationContext
type Steps = Generator[Any, Any, Any]


# -- http ---------------------------------------------------------------------------------------------------


@app.route(route="hello/{name?}", methods=["GET", "POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def hello(req: func.HttpRequest) -> func.HttpResponse:
    logging.info("hello called")
    return func.HttpResponse(f"hello {req.route_params.get('name', 'world')}")


@app.route(route="echo/{kind:alpha}/{number:int}", methods=["PUT"])
def echo(req: func.HttpRequest) -> func.HttpResponse:
    headers = {"x-method": req.method, "x-number": req.route_params["number"], "x-q": req.params.get("q", "")}
    response = func.HttpResponse(
        req.get_body(), status_code=201, headers=headers, mimetype="application/octet-stream"
    )
    response.headers.add("Set-Cookie", "a=1; Path=/x; HttpOnly; SameSite=Lax; Max-Age=60")
    response.headers.add("Set-Cookie", "b=2; Secure")
    return response


@app.route(route="files/{*path}", auth_level=func.AuthLevel.ADMIN)
def files(req: func.HttpRequest) -> str:
    return str(req.route_params.get("path", "(none)"))


@app.route(route="files/special")
def special(req: func.HttpRequest, context: func.Context) -> str:
    return f"{context.function_name} {req.url}"


@app.route(route="broken")
def broken(req: func.HttpRequest) -> func.HttpResponse:
    raise RuntimeError("broken on purpose")


@app.route(route="setting/{name}")
def setting(req: func.HttpRequest) -> str:
    return os.environ.get(req.route_params["name"], "(none)")


@app.route(route="dies")
def dies(req: func.HttpRequest) -> str:
    os.kill(os.getpid(), 9)
    return "never"


@app.route(route="threads")
def threads(req: func.HttpRequest) -> str:
    return threading.current_thread().name


@app.route(route="start/{name}", methods=["POST"])
@app.durable_client_input(client_name="client")
async def start(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    argument = req.get_json() if req.get_body() else None
    instance_id = await client.start_new(req.route_params["name"], req.params.get("id"), argument)
    response: func.HttpResponse = client.create_check_status_response(req, instance_id)
    return response


@app.route(route="client/{operation}/{id}", methods=["POST"])
@app.durable_client_input(client_name="client")
async def steer(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Drive the SDK's client, so that the emulator is seen through its eyes."""
    operation, instance_id = req.route_params["operation"], req.route_params["id"]
    try:
        if operation == "status":
            status = await client.get_status(instance_id, show_history=True, show_history_output=True)
            return func.HttpResponse(str(status.to_json()))
        if operation == "raise":
            await client.raise_event(instance_id, req.params["name"], req.get_json())
        elif operation == "purge":
            result = await client.purge_instance_history(instance_id)
            return func.HttpResponse(str(result.instances_deleted))
        elif operation == "wait":
            waited: func.HttpResponse = await client.wait_for_completion_or_create_check_status_response(
                req, instance_id, 5000, 50
            )
            return waited
        else:
            await getattr(client, operation)(instance_id, "by the test")
    except Exception as error:
        return func.HttpResponse(f"{type(error).__name__}: {error}", status_code=409)
    return func.HttpResponse("ok")


@app.timer_trigger(schedule="%TICK_SCHEDULE%", arg_name="timer", run_on_startup=False)
@app.durable_client_input(client_name="client")
async def tick(timer: func.TimerRequest, client: df.DurableOrchestrationClient) -> None:
    await client.start_new("chain", f"tick-{time.time_ns()}", {"past_due": timer.past_due})


# -- activities ---------------------------------------------------------------------------------------------


@app.activity_trigger(input_name="value")
def double(value: int) -> int:
    return 2 * value


@app.activity_trigger(input_name="value")
async def double_async(value: int) -> int:
    return 2 * value


@app.activity_trigger(input_name="order")
def effect(order: Any) -> str:
    """Append a line to the ledger, as an activity with a side effect would."""
    line = f"{order['key']} {os.getpid()}\n".encode()
    descriptor = os.open(os.environ["LEDGER"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, line)
    finally:
        os.close(descriptor)
    time.sleep(order.get("seconds", 0))
    return str(order["key"])


@app.activity_trigger(input_name="order")
def flaky(order: Any) -> int:
    """Fail the first ``failures`` times; the attempts are counted in a file."""
    counter = Path(os.environ["LEDGER"]).with_name(f"attempts-{order['key']}")
    with counter.open("a") as file:
        file.write("x")
    attempts = len(counter.read_text())
    if attempts <= order["failures"]:
        raise ValueError(f"attempt {attempts} of {order['key']} fails")
    return attempts


@app.activity_trigger(input_name="order")
def poison(order: Any) -> str:
    """Kill the worker process until the file ``cure-KEY`` exists."""
    if not Path(os.environ["LEDGER"]).with_name(f"cure-{order['key']}").exists():
        os.kill(os.getpid(), 9)
    return "cured"


@app.activity_trigger(input_name="seconds")
def compute(seconds: float) -> int:
    """Keep a processor busy without ever waiting."""
    end, rounds = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        rounds += 1
    return rounds


@app.activity_trigger(input_name="size")
def large(size: int) -> str:
    return "é" * size


@app.activity_trigger(input_name="value")
def nothing(value: str) -> None:
    logging.warning("nothing called with %s", value)


# -- orchestrators ------------------------------------------------------------------------------------------


@app.orchestration_trigger(context_name="context")
def fan_out(context: Context) -> Steps:
    n = context.get_input()
    results = yield context.task_all([context.call_activity("double", i) for i in range(n)])
    return sum(results)


@app.orchestration_trigger(context_name="context")
def nested(context: Context) -> Steps:
    order = context.get_input()
    sizes = [min(64, order["n"] - first) for first in range(0, order["n"], 64)]
    sums = yield context.task_all([context.call_sub_orchestrator("fan_out", size) for size in sizes])
    return sum(sums)


@app.orchestration_trigger(context_name="context")
def chain(context: Context) -> Steps:
    value = 1
    for _ in range(3):
        value = yield context.call_activity("double_async", value)
    return value


@app.orchestration_trigger(context_name="context")
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


@app.orchestration_trigger(context_name="context")
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


@app.orchestration_trigger(context_name="context")
def retries(context: Context) -> Steps:
    order = context.get_input()
    options = df.RetryOptions(order.get("interval", 10), order["attempts"])
    try:
        attempts = yield context.call_activity_with_retry("flaky", options, order)
    except Exception as error:
        return f"gave up: {str(error).splitlines()[0].strip()}"
    return attempts


@app.orchestration_trigger(context_name="context")
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


@app.orchestration_trigger(context_name="context")
def flaky_child(context: Context) -> Steps:
    order = context.get_input()
    result = yield context.call_activity("flaky", order)
    return result


@app.orchestration_trigger(context_name="context")
def sub_retries(context: Context) -> Steps:
    order = context.get_input()
    options = df.RetryOptions(10, order["attempts"])
    try:
        result = yield context.call_sub_orchestrator_with_retry("flaky_child", options, order)
    except Exception as error:
        return f"gave up: {str(error).splitlines()[0].strip()}"
    return result


@app.orchestration_trigger(context_name="context")
def timers(context: Context) -> Steps:
    began = context.current_utc_datetime
    yield context.create_timer(began + timedelta(milliseconds=context.get_input()))
    return (context.current_utc_datetime - began).total_seconds()


@app.orchestration_trigger(context_name="context")
def events(context: Context) -> Steps:
    first = yield context.wait_for_external_event("first")
    yield context.call_activity("double", 1)
    second = yield context.wait_for_external_event("second")
    return [first, second]


@app.orchestration_trigger(context_name="context")
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


@app.orchestration_trigger(context_name="context")
def race(context: Context) -> Steps:
    """Return after the first of two; the orchestration still waits for the other."""
    slow = context.call_activity("effect", {"key": "slow", "seconds": 0.5})
    fast = context.call_activity("double", 4)
    winner = yield context.task_any([slow, fast])
    return winner == fast


@app.orchestration_trigger(context_name="context")
def eternal(context: Context) -> Steps:
    order = context.get_input()
    if order["n"] == 0:
        return order["sum"]
    value = yield context.call_activity("double", order["n"])
    context.continue_as_new({"n": order["n"] - 1, "sum": order["sum"] + value})


@app.orchestration_trigger(context_name="context")
def collector(context: Context) -> Steps:
    """Take one event per execution; the events that come meanwhile must not be lost."""
    got = context.get_input()
    if len(got["items"]) == got["n"]:
        return got["items"]
    item = yield context.wait_for_external_event("item")
    context.continue_as_new({"n": got["n"], "items": [*got["items"], item]})


@app.orchestration_trigger(context_name="context")
def statuses(context: Context) -> Steps:
    context.set_custom_status({"stage": 1})
    yield context.wait_for_external_event("go")
    context.set_custom_status("halfway")
    yield context.wait_for_external_event("go")
    return "done"


@app.orchestration_trigger(context_name="context")
def boasts(context: Context) -> Steps:
    context.set_custom_status("x" * context.get_input())
    yield context.call_activity("double", 1)


@app.orchestration_trigger(context_name="context")
def identities(context: Context) -> Steps:
    ids = [context.new_uuid(), context.new_uuid()]
    yield context.call_activity("double", 1)
    return {
        "ids": [*ids, context.new_uuid()],
        "parent": context.parent_instance_id,
        "id": context.instance_id,
    }


@app.orchestration_trigger(context_name="context")
def parent_of_identities(context: Context) -> Steps:
    child = yield context.call_sub_orchestrator("identities", None, context.get_input())
    return child


@app.orchestration_trigger(context_name="context")
def fails(context: Context) -> Steps:
    yield context.call_activity("double", 1)
    raise ValueError(f"{context.get_input()} is not to my taste")


@app.orchestration_trigger(context_name="context")
def catches(context: Context) -> Steps:
    try:
        yield context.call_sub_orchestrator("fails", context.get_input())
    except Exception as error:
        return str(error)
    return "no failure"


@app.orchestration_trigger(context_name="context")
def catches_activity(context: Context) -> Steps:
    try:
        yield context.call_activity("flaky", {"key": context.instance_id, "failures": 9})
    except Exception as error:
        return str(error)
    return "no failure"


@app.orchestration_trigger(context_name="context")
def unknown(context: Context) -> Steps:
    yield context.call_activity("no_such_activity", 1)


@app.orchestration_trigger(context_name="context")
def calls_http(context: Context) -> Steps:
    yield context.call_http("GET", "http://127.0.0.1/")


@app.orchestration_trigger(context_name="context")
def calls_entity(context: Context) -> Steps:
    yield context.call_entity(df.EntityId("counter", "a"), "get")


@app.orchestration_trigger(context_name="context")
def poisoned(context: Context) -> Steps:
    result = yield context.call_activity("poison", context.get_input())
    return result


@app.orchestration_trigger(context_name="context")
def computes(context: Context) -> Steps:
    order = context.get_input()
    rounds = yield context.task_all(
        [context.call_activity("compute", order["seconds"]) for _ in range(order["n"])]
    )
    return len(rounds)


@app.orchestration_trigger(context_name="context")
def carries(context: Context) -> Steps:
    text = yield context.call_activity("large", context.get_input())
    empty = yield context.call_activity("nothing", text[:3])
    return [len(text), text[:2], empty]


@app.orchestration_trigger(context_name="context")
def rewindable(context: Context) -> Steps:
    order = context.get_input()
    first = yield context.call_activity("effect", {"key": f"{order['key']}.first"})
    second = yield context.call_activity("flaky", order)
    return [first, second]


@app.orchestration_trigger(context_name="context")
def rewindable_parent(context: Context) -> Steps:
    result = yield context.call_sub_orchestrator("rewindable", context.get_input())
    return result
