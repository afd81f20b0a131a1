"""Look what an earlier run of a job left of a stage, so that it isn't done again."""

from collections.abc import Sequence
from itertools import pairwise

from activities.store import Store
from activities.tile_output import blocks_of_result
from tessera import naming
from tessera.codecs import codec_for
from tessera.messages import Survey, SurveyOrder, Tally
from tessera.parts import read_parts

MOST_GAPS = 32


def survey(order: SurveyOrder, store: Store) -> Survey:
    """Return which tiles of the stage are missing: two or three calls to storage."""
    stage = order.stage
    if stage.measure is None:
        parts = blocks_of_result(order.job, codec_for(order.output), store).tiles
    else:
        summaries = naming.work(order.job, naming.summaries(stage.index))
        parts = read_parts(store.blocks(naming.WORK, summaries))
    starts = set(stage.starts())
    done = Tally(
        tiles=len(parts),
        # Attempts are those of a task, which has several tiles at times.
        retried=sum(part.attempt - 1 for part in parts.values() if part.tile in starts),
        written=sum(part.size for part in parts.values()),
        seconds=round(sum(part.seconds for part in parts.values()), 4),
    )
    missing = [tile for tile in range(stage.grid.count) if tile not in parts]
    source = store.exists(naming.WORK, naming.work(order.job, stage.source.name))
    return Survey(source=source, done=done, missing=tuple(gaps(missing)))


def gaps(tiles: Sequence[int]) -> list[tuple[int, int]]:
    """Return ranges that hold all of *tiles* (sorted): at most ``MOST_GAPS``, the closest ones joined.

    >>> gaps([1, 2, 3, 7])
    [(1, 4), (7, 8)]
    """
    ranges: list[tuple[int, int]] = []
    for tile in tiles:
        if ranges and ranges[-1][1] == tile:
            ranges[-1] = (ranges[-1][0], tile + 1)
        else:
            ranges.append((tile, tile + 1))
    while len(ranges) > MOST_GAPS:
        distances = [after[0] - before[1] for before, after in pairwise(ranges)]
        closest = distances.index(min(distances))
        ranges[closest : closest + 2] = [(ranges[closest][0], ranges[closest + 1][1])]
    return ranges
