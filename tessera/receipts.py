"""What a job took and costs: estimated before it runs, counted while it runs and after it.

Executions and storage operations are counted from the plan; they aren't metered.
"""

import math
from itertools import pairwise
from typing import Final

from tessera.passes import frames_of
from tessera.pipeline import bind_planned
from tessera.plan import Ingest, Message, Plan, Raster, Stage
from tessera.prices import Prices, Usage, billed_seconds, cost

_MEGAPIXEL: Final = 1e6
_DECODED: Final = {"png": 60.0, "jpeg": 90.0}
_ENCODED: Final = {"png": 60.0, "jpeg": 90.0}
_DEFAULT_RATE: Final = 60.0
"""Megapixels of three channels per second of one core; rough, as the operations' own rates are."""

_TASK_SECONDS: Final = 0.06
_STEP_SECONDS: Final = 0.15
"""What a task costs beside its pixels, and what a turn of the orchestrator takes."""

_TASK_READS, _TASK_WRITES = 6, 4
"""Operations on blobs for a task, those around the tiles shared out: what jobs of some tens of tiles do."""

QUEUE_OPERATIONS, TABLE_OPERATIONS = 6, 6
"""What the task hub takes for a task: two messages put, got and deleted, and rows of the history. Assumed."""

_UNCERTAIN: Final = 1.6


class CostRange(Message):
    """Money at the list prices of *dated* and *region*: with instances always busy, and with one per task."""

    low: float
    high: float
    currency: str = "USD"
    dated: str
    region: str


class Receipt(Message):
    """What a job took and what that costs at list prices; of a job that runs, so far.

    *platforms* are the kinds of machines that computed: versions, Intel's library, vector instructions.
    """

    gigabyte_seconds: float
    executions: int
    reads: int
    writes: int
    bytes_written: int
    retries: int
    amount: float
    currency: str = "USD"
    dated: str
    region: str
    platforms: tuple[str, ...] = ()


class Work(Message):
    """What tasks did: *busy* seconds of all together, bytes *written*."""

    tasks: int
    busy: float
    written: int = 0
    retries: int = 0


def phase_seconds(plan: Plan) -> list[float]:
    """Return the seconds of one core that decoding and then each stage will probably take.

    They come from the rates of the operations. The last stage encodes. A direct job has one phase; where the
    tiles read the upload themselves, decoding is part of the first stage.
    """
    image = plan.image
    megapixels = image.width * image.height / _MEGAPIXEL
    decoding = megapixels * image.pixels.bytes / 3 / _DECODED.get(image.format, _DEFAULT_RATE)
    made = plan.result.frame.pixels / _MEGAPIXEL
    encoding = made * plan.result.pixels.bytes / 3 / _ENCODED.get(plan.output.format, _DEFAULT_RATE)
    stages = [_stage_seconds(stage) + stage.grid.count * _TASK_SECONDS for stage in plan.stages]
    stages[-1] += encoding
    if plan.direct:
        return [decoding + sum(stages)]
    source = plan.stages[0].source
    if not isinstance(source, Raster):
        times = _decodings(plan.stages[0]) if source.skipping else 1.0
        return [times * decoding + stages[0], *stages[1:]]
    return [decoding + megapixels * _ingest_seconds(plan.ingest) + _TASK_SECONDS, *stages]


def _decodings(stage: Stage) -> float:
    """Return how often the image is decoded in all, if each task does so from its top to its last tile."""
    starts = stage.starts()
    return sum((*starts[1:], stage.grid.count)) / stage.grid.count


def expected_seconds(plan: Plan) -> float:
    """Return the seconds of one core that a job will probably take."""
    return sum(phase_seconds(plan))


def wall_seconds(plan: Plan, instances: int) -> float:
    """Return the seconds from submission to the result on *instances* of one core each."""
    if plan.direct:
        return expected_seconds(plan) + _STEP_SECONDS
    stages = phase_seconds(plan)
    decoding = stages.pop(0) if len(stages) > len(plan.stages) else 0.0
    shared = sum(
        seconds / min(instances, stage.tasks) for seconds, stage in zip(stages, plan.stages, strict=True)
    )
    return decoding + shared + (3 + 2 * len(plan.stages)) * _STEP_SECONDS


def task_count(plan: Plan) -> int:
    """Return the tasks of a job: tiles, and the steps around them, which make its pictures too."""
    if plan.direct:
        return 2 + 2 * plan.output.pyramid
    return 4 + plan.output.pyramid + sum(stage.tasks + (1 if stage.measure else 0) for stage in plan.stages)


def estimate(plan: Plan, memory_gigabytes: float, prices: Prices) -> CostRange:
    """Return what a job will probably cost."""
    tasks, busy = task_count(plan), expected_seconds(plan)
    low = _usage(Work(tasks=tasks, busy=busy), memory_gigabytes)
    alone = tasks * billed_seconds(busy / tasks) * _UNCERTAIN
    high = _usage(Work(tasks=2 * tasks, busy=max(alone, busy * _UNCERTAIN)), memory_gigabytes)
    return CostRange(
        low=_rounded(cost(low, prices).total),
        high=_rounded(cost(high, prices).total),
        dated=prices.date,
        region=prices.region,
    )


def receipt(work: Work, memory_gigabytes: float, prices: Prices) -> Receipt:
    """Return the receipt for what was done."""
    usage = _usage(work, memory_gigabytes)
    return Receipt(
        gigabyte_seconds=round(usage.gb_seconds, 3),
        executions=usage.executions,
        reads=usage.reads,
        writes=usage.writes,
        bytes_written=work.written,
        retries=work.retries,
        amount=_rounded(cost(usage, prices).total),
        dated=prices.date,
        region=prices.region,
    )


def _usage(work: Work, memory_gigabytes: float) -> Usage:
    started = work.tasks + work.retries
    return Usage(
        gb_seconds=work.busy * memory_gigabytes,
        # Each task ends with a turn of an orchestrator.
        executions=2 * started,
        reads=_TASK_READS * started,
        writes=_TASK_WRITES * started,
        queue_operations=QUEUE_OPERATIONS * started,
        table_operations=TABLE_OPERATIONS * started,
    )


def _ingest_seconds(ingest: Ingest) -> float:
    """Return the seconds per megapixel of what is done while decoding."""
    pipeline = bind_planned((*ingest.steps, *(each.step for each in ingest.measures)))
    return sum(1.0 / bound.operation.rate(bound.parameters) for bound in pipeline)


def _stage_seconds(stage: Stage) -> float:
    pipeline = bind_planned((*stage.steps, *((stage.measure,) if stage.measure else ())))
    read_twice = 1 + 2 * sum(bound.halo for bound in pipeline) / stage.tile_height
    frames = pairwise(frames_of(pipeline, stage.source.frame))
    seconds = [
        max(before.pixels, after.pixels) / _MEGAPIXEL / bound.operation.rate(bound.parameters)
        for bound, (before, after) in zip(pipeline, frames, strict=True)
    ]
    return read_twice * sum(seconds)


def _rounded(money: float) -> float:
    """Return *money* with three significant digits."""
    return round(money, 2 - math.floor(math.log10(money))) if money > 0 else 0.0
