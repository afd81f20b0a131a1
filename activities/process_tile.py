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
from tessera.execute import run_local
from tessera.geometry import Rect, window
from tessera.messages import Tally, TileOrder
from tessera.pipeline import bind, bind_global
from tessera.plan import Raster, Stage, Step

type Array = NDArray[Any]


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
    region = window(core, stage.halo, stage.grid.frame)
    attempt = begin(order.job, naming.tile_task(stage.index, order.tile), store)
    pixels = _read_window(order.job, stage, region, store)
    pixels = run_local(pixels, bind(stage.steps) if stage.steps else ())
    inner, checksum = core.relative_to(region), Adler()
    if stage.measure and stage.target:
        written = _measure(order, stage.measure, stage.target, pixels, inner, store)
    else:
        written, checksum = _encode(order, pixels[inner.slices], core, store)
    seconds = round(perf_counter() - started, 4)
    return Tally(tiles=1, retried=attempt - 1, written=written, seconds=seconds, checksum=checksum)


def _read_window(job: str, stage: Stage, region: Rect, store: Store) -> Array:
    source = stage.source
    pixels = blockraster.read(source, region, _reader(job, source.name, store))
    if stage.resolve is None:
        return pixels
    return _resolved(job, stage.index - 1, stage.resolve, source, region, pixels, store)


def _resolved(
    job: str, stage: int, step: Step, source: Raster, region: Rect, labels: Array, store: Store
) -> Array:
    """Turn labels of stage *stage* into pixels, each row by the table of the tile it came from."""
    operation, _ = bind_global(step)
    touched = list(source.grid.touching(region))
    fetch = _reader(job, naming.table(stage), store)
    parts = []
    for index, table in zip(touched, tables.read(fetch, touched[0], touched[-1] + 1), strict=True):
        rows, _ = source.grid.tile(index).intersection(region).relative_to(region).slices
        parts.append(operation.resolve(labels[rows], table))
    return np.concatenate(parts)


def _reader(job: str, name: str, store: Store) -> Callable[[int, int], bytes]:
    return lambda offset, length: store.read(naming.WORK, naming.work(job, name), offset, length)


def _measure(order: TileOrder, step: Step, target: Raster, pixels: Array, core: Rect, store: Store) -> int:
    operation, parameters = bind_global(step)
    measured = operation.measure(np.ascontiguousarray(pixels), core, parameters)
    block = naming.tile_block(order.tile)
    data = blockraster.to_block(target, measured.labels)
    summaries = naming.summaries(order.stage.index)
    store.put_block(naming.WORK, naming.work(order.job, summaries), block, measured.summary)
    store.put_block(naming.WORK, naming.work(order.job, target.name), block, data)
    return len(data) + len(measured.summary)


def _encode(order: TileOrder, pixels: Array, core: Rect, store: Store) -> tuple[int, Adler]:
    codec = codec_for(order.output)
    last = order.tile == order.stage.grid.count - 1
    data, checksum = codec.encode(np.ascontiguousarray(pixels), core.y0, last=last)
    name = naming.result(order.job, codec.extension)
    store.put_block(naming.RESULTS, name, naming.tile_block(order.tile), data)
    return len(data), checksum
