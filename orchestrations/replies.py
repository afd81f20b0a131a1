"""What comes back from activities and sub-orchestrators: a value, or a fault that trying again can't mend."""

from collections.abc import Generator
from typing import Any

from tessera.messages import Fault, TaskOrder
from tessera.plan import Message

type Steps[T] = Generator[Any, Any, T]
"""Yields tasks of the Durable SDK, is sent their results, and returns a T."""


class JobFault(Exception):
    """Ends a job with *fault*."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.detail)
        self.fault = fault


def call(context: Any, retry: Any, activity: str, order: Message) -> Steps[Any]:
    """Run one activity with automatic retry and return its value.

    Raises
    ------
    JobFault
        If it replied with a fault.
    """
    reply = yield context.call_activity_with_retry(activity, retry, order.to_json())
    return value(reply)


def queued[Order: TaskOrder](context: Any, order: Order, run: int) -> Order:
    """Return *order* as it is scheduled now, in this *run* of its job."""
    now = context.current_utc_datetime.isoformat(timespec="milliseconds")
    return order.model_copy(update={"run": run, "queued_at": now})


def value(reply: dict[str, Any]) -> Any:
    """Return the value of a reply; raise `JobFault` if it is a fault."""
    if "fault" in reply:
        raise JobFault(Fault.from_json(reply["fault"]))
    return reply["value"]
