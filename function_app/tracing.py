"""One trace for each job, with a span for each task: how long it waited, read, computed and wrote.

The trace id is the job's id, and the span of a run of the job follows from both, so tasks on many machines
meet in one trace without telling one another. Spans are made when the work is done, from what was measured,
and only by activities: orchestrators, which are replayed, know nothing of them.
"""

import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from secrets import randbits
from typing import Final

from activities.attempts import attempts_begun
from activities.store import Store
from function_app.timed_store import TimedStore
from tessera import naming
from tessera.errors import TesseraError
from tessera.messages import CleanupOrder, DirectOrder, IngestOrder, Tally, TaskOrder, TileOrder
from tessera.plan import Message

type Attributes = dict[str, str | int | float]

_NANOSECONDS: Final = 1_000_000_000


@dataclass(frozen=True)
class Span:
    """A finished span; ids as in W3C Trace Context, times in nanoseconds since 1970.

    *error* says briefly what it ended with, and is empty if that is a result.
    """

    name: str
    trace_id: int
    span_id: int
    parent_id: int | None
    start: int
    end: int
    attributes: Attributes
    error: str = ""


type Export = Callable[[Span], None]


def job_span_id(job: str, run: int) -> int:
    """Return the id of the span of this run of a job, which its tasks are under."""
    return int.from_bytes(hashlib.sha256(f"{job}/{run}".encode()).digest()[:8]) or 1


def traced[Order: Message](
    name: str,
    order: Order,
    work: Callable[[Order, Store], Message | None],
    store: Store,
    export: Export,
) -> Message | None:
    """Do *work* as the task *name* and export its span, whether it returns or raises."""
    if not isinstance(order, TaskOrder):
        return work(order, store)
    timed, start, result, error = TimedStore(store), time.time_ns(), None, ""
    try:
        result = work(order, timed)
    except Exception as raised:
        error = raised.code if isinstance(raised, TesseraError) else type(raised).__name__
        raise
    finally:
        end = time.time_ns()
        attributes = _what(order) | _took(order, timed, start, end) | _effort(order, result, store)
        parent = job_span_id(order.job, order.run)
        export(Span(name, int(order.job, 16), randbits(64), parent, start, end, attributes, error))
    return result


def export_job(order: CleanupOrder, export: Export) -> None:
    """Export the span of a run of a job that is over; another delivery of the order gives the same span."""
    outcome = order.outcome
    end = _nanoseconds(outcome.finished_at)
    start = _nanoseconds(order.begun_at) if order.begun_at else end
    attributes: Attributes = {
        "tessera.job": order.job,
        "tessera.run": order.run,
        "tessera.state": outcome.state,
        "tessera.tiles": outcome.tiles,
        "tessera.retried": outcome.retried,
        "tessera.busy": outcome.busy,
        "tessera.written": outcome.written,
    }
    fault = outcome.fault.code if outcome.fault else ""
    span_id = job_span_id(order.job, order.run)
    export(Span("job", int(order.job, 16), span_id, None, start, end, attributes, fault))


def _what(order: TaskOrder) -> Attributes:
    attributes: Attributes = {"tessera.job": order.job, "tessera.run": order.run}
    if isinstance(order, TileOrder):
        attributes |= {"tessera.stage": order.stage.index, "tessera.tile": order.tile}
    return attributes


def _took(order: TaskOrder, store: TimedStore, start: int, end: int) -> Attributes:
    """Return the seconds of each kind; computing is what is neither reading nor writing."""
    took: Attributes = {
        "tessera.read": round(store.reading.seconds, 6),
        "tessera.compute": round(max(0.0, (end - start) / _NANOSECONDS - store.either.seconds), 6),
        "tessera.write": round(store.writing.seconds, 6),
    }
    if order.queued_at:
        # Two machines' clocks may differ by more than the wait.
        waited = max(0, start - _nanoseconds(order.queued_at)) / _NANOSECONDS
        took["tessera.queue_wait"] = round(waited, 6)
    return took


def _effort(order: TaskOrder, result: Message | None, store: Store) -> Attributes:
    """Return which attempt this was; of one that failed, the marks in storage say it."""
    if isinstance(result, Tally):
        return {"tessera.attempt": result.retried + 1, "tessera.written": result.written}
    task = _counted(order)
    if task is None or result is not None:
        return {}
    with suppress(Exception):
        return {"tessera.attempt": attempts_begun(order.job, task, store)}
    return {}


def _counted(order: TaskOrder) -> str | None:
    """Return the name under which attempts at a task are counted."""
    if isinstance(order, TileOrder):
        return naming.tile_task(order.stage.index, order.tile)
    if isinstance(order, IngestOrder):
        return naming.INGEST_TASK
    return naming.DIRECT_TASK if isinstance(order, DirectOrder) else None


def _nanoseconds(at: str) -> int:
    moment = datetime.fromisoformat(at)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000) * 1_000_000
