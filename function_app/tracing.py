"""One trace for each job, with a span for each task: how long it waited, read, computed and wrote.

The trace id is the job's id, and the span of a run of the job follows from both, so tasks on many machines
meet in one trace without telling one another. Spans are made when the work is done, from what was measured,
and only by activities: orchestrators, which are replayed, know nothing of them.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from secrets import randbits
from typing import Final, NamedTuple

from activities.attempts import MOST_ATTEMPTS
from activities.store import Store
from function_app.timed_store import Moment, TimedStore
from tessera import naming
from tessera.errors import TesseraError
from tessera.messages import CleanupOrder, DirectOrder, IngestOrder, TaskOrder, TileOrder
from tessera.parts import read_parts
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
    """Do *work* as the task *name*, and export its span, or one for each tile, also when it raises."""
    if not isinstance(order, TaskOrder):
        return work(order, store)
    timed, error = TimedStore(store), ""
    start = timed.now()
    try:
        return work(order, timed)
    except Exception as raised:
        error = raised.code if isinstance(raised, TesseraError) else type(raised).__name__
        raise
    finally:
        parts = _begun(order, timed, start)
        ends = [*(part.start for part in parts[1:]), timed.now()]
        parent = job_span_id(order.job, order.run)
        for part, end in zip(parts, ends, strict=True):
            attributes = part.attributes | _took(order, part.start, end)
            failed = error if part is parts[-1] else ""
            export(
                Span(
                    name, int(order.job, 16), randbits(64), parent, part.start.at, end.at, attributes, failed
                )
            )


class _Part(NamedTuple):
    """What gets a span of its own: a task, or one of its tiles."""

    start: Moment
    attributes: Attributes


def _begun(order: TaskOrder, store: TimedStore, start: Moment) -> list[_Part]:
    """Return the parts of a task that were begun: each tile where the one before it ended."""
    common: Attributes = {"tessera.job": order.job, "tessera.run": order.run}
    if number := _attempt(order, store):
        common |= {"tessera.attempt": number}
    if not isinstance(order, TileOrder):
        return [_Part(start, common)]
    common |= {"tessera.stage": order.stage.index}
    parts, ended = list[_Part](), read_parts(dict.fromkeys(store.put, 0))
    for tile in range(order.tile, order.tile + order.count):
        parts.append(_Part(start, common | {"tessera.tile": tile}))
        if tile not in ended:
            break
        start = store.put[ended[tile].block]
    return parts


def _attempt(order: TaskOrder, store: TimedStore) -> int | None:
    """Return the number of the attempt that this was, by the mark that it left."""
    task = _counted(order)
    for number in range(1, MOST_ATTEMPTS + 1) if task else ():
        if naming.work(order.job, naming.attempt(task or "", number)) in store.created:
            return number
    return None


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


def _took(order: TaskOrder, start: Moment, end: Moment) -> Attributes:
    """Return the seconds of each kind; computing is what is neither, so not what is read ahead meanwhile."""
    either = end.either - start.either
    took: Attributes = {
        "tessera.read": round(end.read - start.read, 6),
        "tessera.compute": round(max(0.0, (end.at - start.at) / _NANOSECONDS - either), 6),
        "tessera.write": round(end.written - start.written, 6),
    }
    if order.queued_at:
        # Two machines' clocks may differ by more than the wait.
        waited = max(0, start.at - _nanoseconds(order.queued_at)) / _NANOSECONDS
        took["tessera.queue_wait"] = round(waited, 6)
    return took


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
