"""The activities and orchestrators by the names by which they call one another."""

from collections.abc import Callable
from typing import Any

from activities.cleanup import cleanup
from activities.ingest import ingest
from activities.inspect_upload import inspect_upload
from activities.overviews import make_overviews
from activities.previews import make_previews
from activities.process_direct import process_direct
from activities.process_tile import process_tile
from activities.reduce import reduce
from activities.replies import reply
from activities.stitch import stitch
from activities.store import Store
from activities.survey import survey
from tessera.messages import (
    CleanupOrder,
    DirectOrder,
    IngestOrder,
    JobOrder,
    OverviewsOrder,
    PreviewOrder,
    ReduceOrder,
    StitchOrder,
    SurveyOrder,
    TileOrder,
)
from tessera.plan import Message
from tessera.planner import Limits

type Activity = Callable[[Any, Store], Message | None]

ACTIVITIES: dict[str, tuple[Activity, type[Message]]] = {
    "ingest": (ingest, IngestOrder),
    "process_direct": (process_direct, DirectOrder),
    "process_tile": (process_tile, TileOrder),
    "reduce": (reduce, ReduceOrder),
    "make_overviews": (make_overviews, OverviewsOrder),
    "make_previews": (make_previews, PreviewOrder),
    "stitch": (stitch, StitchOrder),
    "survey": (survey, SurveyOrder),
    "cleanup": (cleanup, CleanupOrder),
}


def run_activity(name: str, data: Any, store: Store, limits: Limits) -> dict[str, Any]:
    """Run the activity *name* on the order that *data* (parsed JSON) holds, and return its reply.

    Raises
    ------
    Exception
        Whatever is transient: trying again may help.
    """
    if name == "inspect_upload":
        return reply(lambda order: inspect_upload(order, store, limits), JobOrder, data)
    activity, order_type = ACTIVITIES[name]
    return reply(lambda order: activity(order, store), order_type, data)
