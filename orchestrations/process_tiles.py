"""The fan-out: tiles of one stage, at most 64 children to an orchestrator."""

from collections.abc import Sequence
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
    step = order.stage.tiles_per_task
    count = ceil_div(order.last - order.first, step)
    if count <= MOST_CHILDREN:
        starts = range(order.first, order.last, step)
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
                count=min(step, order.last - tile),
            )
            # Tasks of several tiles decode what is above these: the longest first, so that all end together.
            for tile in (starts if step == 1 else reversed(starts))
        ]
    share = MOST_CHILDREN
    while ceil_div(count, share) > MOST_CHILDREN:
        share *= MOST_CHILDREN
    share *= step
    return [
        order.model_copy(update={"first": first, "last": min(first + share, order.last)})
        for first in range(order.first, order.last, share)
    ]
