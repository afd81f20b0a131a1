"""The tiles of a job, one by one: a few listings, however many there are."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pydantic import RootModel

from activities.store import BlobMissing
from function_app.blob_store import BlobStore
from function_app.queries import TilesQuery
from function_app.responses import TilesPage, TileView
from function_app.status import Snapshot
from tessera import naming
from tessera.codecs import codec_for
from tessera.parts import read_parts
from tessera.plan import Plan, Stage


class Effort(NamedTuple):
    """What a tile took: the number of the attempt that ended, and its seconds."""

    attempt: int
    seconds: float


class KeptEfforts(RootModel[dict[int, Effort]]):
    """The efforts of a stage's tiles as `activities.cleanup` keeps them."""


def page(snapshot: Snapshot, query: TilesQuery, store: BlobStore) -> TilesPage:
    """Return tiles from ``query.first`` on, over all stages; none before there is a plan."""
    plan = snapshot.plan
    if plan is None:
        return TilesPage(tiles=(), total=0)
    views: list[TileView] = []
    before = 0
    last = min(query.first + query.limit, plan.tiles)
    for stage in plan.stages:
        count = plan.tiles if plan.direct else stage.grid.count
        begin, end = max(query.first - before, 0), min(last - before, count)
        if begin < end:
            views += _views(snapshot, plan, stage, range(begin, end), before, store)
        before += count
        if plan.direct:
            break
    following = query.first + len(views)
    return TilesPage(
        tiles=tuple(views), total=plan.tiles, next=following if views and following < plan.tiles else None
    )


def _views(
    snapshot: Snapshot, plan: Plan, stage: Stage, tiles: range, before: int, store: BlobStore
) -> Iterator[TileView]:
    job = snapshot.record.job
    efforts = _efforts(job, plan, stage, store)
    is_over = snapshot.outcome is not None
    marks = Counter() if is_over else _marks(job, plan, stage, store)
    begun = marks | _begun(marks, stage, efforts)
    for tile in tiles:
        rect = stage.grid.tile(tile)
        effort = efforts.get(tile)
        yield TileView(
            index=before + tile,
            stage=stage.index + 1,
            rect=(rect.x0, rect.y0, rect.x1, rect.y1),
            state="done" if effort else "begun" if begun[tile] else "waiting",
            attempts=max(effort.attempt if effort else 0, begun[tile]),
            seconds=effort.seconds if effort else None,
        )


def _efforts(job: str, plan: Plan, stage: Stage, store: BlobStore) -> Mapping[int, Effort]:
    """Return what the done tiles of a stage took: from its blocks, or from what was kept of them."""
    if stage.measure is None or plan.direct:
        kept, container = naming.LAST_STAGE, naming.RESULTS
        name = naming.result(job, codec_for(plan.output).extension)
    else:
        kept, container = f"{stage.index:02d}", naming.WORK
        name = naming.work(job, naming.summaries(stage.index))
    parts = read_parts(store.blocks(container, name))
    if parts:
        return {tile: Effort(part.attempt, part.seconds) for tile, part in parts.items()}
    try:
        data = store.read(naming.JOBS, naming.tiles(job, kept))
    except BlobMissing:
        return {}
    return KeptEfforts.model_validate_json(data).root


def _marks(job: str, plan: Plan, stage: Stage, store: BlobStore) -> Counter[int]:
    """Return how often each task of a stage was begun, by its first tile."""
    counted: Counter[int] = Counter()
    task = naming.DIRECT_TASK if plan.direct else naming.tile_task(stage.index, 0)[: -len("0000000")]
    for folder in ("attempts", naming.RETRIES):
        for name in store.names(naming.WORK, naming.work(job, f"{folder}/{task}")):
            digits = name.split("/")[2].removeprefix(task)
            counted[int(digits or 0)] += 1
    return counted


def _begun(marks: Counter[int], stage: Stage, efforts: Mapping[int, Effort]) -> Counter[int]:
    """Return the tile that each task is at, the first that isn't done, and how often it was begun."""
    begun: Counter[int] = Counter()
    for first, times in marks.items():
        if (tile := next((each for each in stage.task(first) if each not in efforts), None)) is not None:
            begun[tile] = times
    return begun
