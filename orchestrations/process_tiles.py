"""The fan-out: tiles of one stage, at most 64 children to an orchestrator."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from orchestrations.replies import JobFault, Steps, queued, value
from tessera.geometry import ceil_div
from tessera.messages import Tally, TileOrder, TilesOrder

MOST_CHILDREN = 64
"""Replay costs the square of the children, so a large stage becomes a tree of orchestrators."""


def process_tiles(context: Any, retry: Any) -> Steps[dict[str, Any]]:
    """Run tiles of a stage and reply with their tally.

    Up to 64 tasks are activities; more are shared out to orchestrators like this one.
    """
    order = TilesOrder.from_json(context.get_input())
    try:
        tally = yield from run_tiles(context, retry, order)
    except JobFault as error:
        return {"fault": error.fault.to_json()}
    return {"value": tally.to_json()}


def run_tiles(context: Any, retry: Any, order: TilesOrder) -> Steps[Tally]:
    """Run the tiles of *order* as children of this orchestrator and return their tally, in order.

    Raises
    ------
    JobFault
        If a tile replied with a fault; all others have ended by then.
    """
    children = [
        context.call_sub_orchestrator("process_tiles", part.to_json())
        if isinstance(part, TilesOrder)
        else context.call_activity_with_retry("process_tile", retry, part.to_json())
        for part in parts(queued(context, order, order.run))
    ]
    replies = yield context.task_all(children)
    tally = Tally()
    for reply in replies:
        tally = tally.followed_by(Tally.from_json(value(reply)))
    return tally


def run_gaps(context: Any, retry: Any, order: TilesOrder, gaps: Sequence[tuple[int, int]]) -> Steps[Tally]:
    """Run the tiles of some ranges, each by an orchestrator of its own, and return their tally.

    Raises
    ------
    JobFault
        If a tile replied with a fault; all others have ended by then.
    """
    if not gaps:
        return Tally()
    ranges = [order.model_copy(update={"first": first, "last": last}) for first, last in gaps]
    replies = yield context.task_all(
        [context.call_sub_orchestrator("process_tiles", part.to_json()) for part in ranges]
    )
    tally = Tally()
    for reply in replies:
        tally = tally.followed_by(Tally.from_json(value(reply)))
    return tally


def parts(order: TilesOrder) -> list[TileOrder] | list[TilesOrder]:
    """Return what the children of an orchestrator do: a task each, or a share of the tasks each."""
    starts = order.stage.starts(order.first, order.last)
    if len(starts) <= MOST_CHILDREN:
        counts = [end - start for start, end in pairwise((*starts, order.last))]
        return [
            TileOrder(
                job=order.job,
                run=order.run,
                queued_at=order.queued_at,
                upload=order.upload,
                image=order.image,
                stage=order.stage,
                output=order.output,
                tile=tile,
                count=count,
            )
            for tile, count in zip(starts, counts, strict=True)
        ]
    share = MOST_CHILDREN
    while ceil_div(len(starts), share) > MOST_CHILDREN:
        share *= MOST_CHILDREN
    firsts = starts[::share]
    return [
        order.model_copy(update={"first": first, "last": last})
        for first, last in pairwise((*firsts, order.last))
    ]
