"""Activities of the sample app."""

import logging
import os
import time
from pathlib import Path
from typing import Any

import azure.durable_functions as df

bp = df.Blueprint()


@bp.activity_trigger(input_name="value")
def double(value: int) -> int:
    return 2 * value


@bp.activity_trigger(input_name="value")
async def double_async(value: int) -> int:
    return 2 * value


@bp.activity_trigger(input_name="order")
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


@bp.activity_trigger(input_name="order")
def flaky(order: Any) -> int:
    """Fail the first ``failures`` times; the attempts are counted in a file."""
    counter = Path(os.environ["LEDGER"]).with_name(f"attempts-{order['key']}")
    with counter.open("a") as file:
        file.write("x")
    attempts = len(counter.read_text())
    if attempts <= order["failures"]:
        raise ValueError(f"attempt {attempts} of {order['key']} fails")
    return attempts


@bp.activity_trigger(input_name="order")
def poison(order: Any) -> str:
    """Kill the worker process until the file ``cure-KEY`` exists."""
    if not Path(os.environ["LEDGER"]).with_name(f"cure-{order['key']}").exists():
        os.kill(os.getpid(), 9)
    return "cured"


@bp.activity_trigger(input_name="seconds")
def compute(seconds: float) -> int:
    """Keep a processor busy without ever waiting."""
    end, rounds = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        rounds += 1
    return rounds


@bp.activity_trigger(input_name="size")
def large(size: int) -> str:
    return "é" * size


@bp.activity_trigger(input_name="value")
def garbled(value: str) -> str:
    if value == "raise":
        raise ValueError("\udfff")
    return value


@bp.activity_trigger(input_name="value")
def nothing(value: str) -> None:
    logging.warning("nothing called with %s", value)
