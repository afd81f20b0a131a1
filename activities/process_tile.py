"""Run one tile of a stage: read its window, process it, put its part of the output as a block."""

from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activities.attempts import begin, refuse_if_stopped
from activities.store import Store
from tessera import blockraster, naming, tables
from tessera.checksum import Adler
from tessera.codecs import codec_for
from tessera.execute import Read, StageRun, Tables
from tessera.geometry import Rect
from tessera.messages import Tally, TileOrder
from tessera.operations.base import Measured
from tessera.parts import part_block
from tessera.plan import Raster
from tessera.platform_id import platform_id

type Array = NDArray[Any]
type BlockName = Callable[[Adler, bytes], str]


def process_tile(order: TileOrder, store: Store) -> Tally:
    """Write the tile's block of the label map or of the result, and say what it took.

    Raises
    ------
    tessera.errors.Cancelled
        If the job was asked to stop.
    tessera.errors.GaveUp
        If the tile ended its process too often.
    BlobMissing
        If what it reads is gone: the job is over.
    """
    started = perf_counter()
    stage = order.stage
    refuse_if_stopped(order.job, store)
    core = stage.grid.tile(order.tile)
    attempt = begin(order.job, naming.tile_task(stage.index, order.tile), store)
    run = StageRun.of(stage, _source(order.job, stage.source, store), _tables(order.job, store))

    def name(checksum: Adler, data: bytes) -> str:
        return part_block(order.tile, attempt, perf_counter() - started, checksum, data)

    if stage.measure:
        written = _measure(order, run.measured(core), name, store)
    else:
        written = _encode(order, run.tile(core), core, name, store)
    return Tally(
        tiles=1,
        retried=attempt - 1,
        written=written,
        seconds=round(perf_counter() - started, 4),
        platforms=(platform_id(),),
    )


def _source(job: str, raster: Raster, store: Store) -> Read:
    return lambda region: blockraster.read(raster, region, _reader(job, raster.name, store))


def _tables(job: str, store: Store) -> Tables:
    def tables_of(stage: int, first: int, last: int) -> list[bytes]:
        return tables.read(_reader(job, naming.table(stage), store), first, last)

    return tables_of


def _reader(job: str, name: str, store: Store) -> Callable[[int, int], bytes]:
    return lambda offset, length: store.read(naming.WORK, naming.work(job, name), offset, length)


def _measure(order: TileOrder, measured: Measured, name: BlockName, store: Store) -> int:
    """Put the labels, then the summary: the tile counts as done when the latter is there."""
    written = len(measured.summary)
    target = order.stage.target
    if target is not None and measured.labels is not None:
        data = blockraster.to_deflated_block(target, measured.labels)
        block = naming.tile_block(order.tile)
        store.put_block(naming.WORK, naming.work(order.job, target.name), block, data)
        written += len(data)
    summaries = naming.work(order.job, naming.summaries(order.stage.index))
    store.put_block(naming.WORK, summaries, name(Adler(), measured.summary), measured.summary)
    return written


def _encode(order: TileOrder, pixels: Array, core: Rect, name: BlockName, store: Store) -> int:
    codec = codec_for(order.output)
    last = order.tile == order.stage.grid.count - 1
    data, checksum = codec.encode(np.ascontiguousarray(pixels), core.y0, last=last)
    result = naming.result(order.job, codec.extension)
    store.put_block(naming.RESULTS, result, name(checksum, data), data)
    return len(data)
