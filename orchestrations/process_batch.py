"""Many jobs of one pipeline: some at a time, until too many have failed."""

from typing import Any

from orchestrations.process_tiles import MOST_CHILDREN
from orchestrations.replies import Steps, call
from tessera.messages import BatchEnd, BatchOrder, BatchPart, JobOrder, NotifyOrder


def process_batch(context: Any, retry: Any) -> Steps[None]:
    """Run the jobs of a batch and have its manifest written.

    After each 64 jobs those that failed are counted; once they are more than tolerated, no more are started.
    """
    order = BatchOrder.from_json(context.get_input())
    states: list[str] = []
    for first in range(0, order.count, MOST_CHILDREN):
        part = BatchPart(batch=order.batch, first=first, last=min(first + MOST_CHILDREN, order.count))
        states += yield context.call_sub_orchestrator("process_jobs", part.to_json())
        if states.count("failed") > order.tolerated or "cancelled" in states:
            break
    end = BatchEnd(
        batch=order.batch,
        finished_at=context.current_utc_datetime.isoformat(timespec="milliseconds"),
        states=tuple(states),
    )
    yield from call(context, retry, "end_batch", end)
    if order.notify:
        yield context.call_sub_orchestrator("send_word", NotifyOrder(batch=order.batch).to_json())


def process_jobs(context: Any, retry: Any) -> Steps[list[str]]:
    """Record some jobs of a batch, run them, and return the states they ended in."""
    part = BatchPart.from_json(context.get_input())
    orders = yield from call(context, retry, "record_jobs", part)
    outcomes = yield context.task_all(
        [
            context.call_sub_orchestrator(
                "process_image", JobOrder.from_json(order).to_json(), instance_id=order["job"]
            )
            for order in orders["orders"]
        ]
    )
    return [outcome["state"] for outcome in outcomes]
