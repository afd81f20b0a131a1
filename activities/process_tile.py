"""Run one tile of a stage: read its window, process it, put its part of the output as a block."""

from collections.abc import Callable
from time import perf_counter

from activities.attempts import begin, refuse_if_stopped
from activities.previews import Patches
from activities.store import Store
from activities.tile_output import Effort, put_encoded
from activities.uploads import open_upload
from tessera import blockraster, naming, tables
from tessera.checksum import Adler
from tessera.execute import Read, StageRun, Tables
from tessera.messages import Tally, TileOrder
from tessera.operations.base import Measured
from tessera.plan import Raster
from tessera.platform_id import platform_id


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
    refuse_if_stopped(order.job, store, order.run)
    attempt = begin(order.job, naming.tile_task(stage.index, order.tile), store)
    effort, core = Effort(order.tile, attempt, started), stage.grid.tile(order.tile)
    read, seen = _source(order, store)
    run = StageRun.of(stage, read, _tables(order.job, store))
    if stage.measure:
        measured = run.measured(core)
        _put_seen(order, seen, store)
        written = _put_measured(order, measured, effort, store)
    else:
        pixels, made = run.tile(core), Patches(stage.grid.frame)
        made.see(pixels, core)
        made.put(order.job, "result", order.tile, store)
        _put_seen(order, seen, store)
        written = put_encoded(order.job, order.output, stage.grid, effort, pixels, store)
    return Tally(
        tiles=1, retried=attempt - 1, written=written, seconds=effort.seconds, platforms=(platform_id(),)
    )


def _source(order: TileOrder, store: Store) -> tuple[Read, Patches | None]:
    """Return what reads the stage's source, and what sees an input of which nobody else makes a picture."""
    source = order.stage.source
    if isinstance(source, Raster):
        reader = _reader(order.job, source.name, store)
        return lambda region: blockraster.read(source, region, reader), None
    restarts = store.read(naming.WORK, naming.work(order.job, source.name)) if source.indexing else None
    read = open_upload(order.upload, order.image, store, restarts).read
    if order.stage.index > 0:
        return read, None
    seen = Patches(source.frame)
    return seen.watching(read), seen


def _put_seen(order: TileOrder, seen: Patches | None, store: Store) -> None:
    if seen is not None:
        seen.put(order.job, "input", order.tile, store)


def _tables(job: str, store: Store) -> Tables:
    def tables_of(stage: int, first: int, last: int) -> list[bytes]:
        return tables.read(_reader(job, naming.table(stage), store), first, last)

    return tables_of


def _reader(job: str, name: str, store: Store) -> Callable[[int, int], bytes]:
    return lambda offset, length: store.read(naming.WORK, naming.work(job, name), offset, length)


def _put_measured(order: TileOrder, measured: Measured, effort: Effort, store: Store) -> int:
    """Put the labels, then the summary: the tile counts as done when the latter is there."""
    written = len(measured.summary)
    target = order.stage.target
    if target is not None and measured.labels is not None:
        data = blockraster.to_deflated_block(target, measured.labels)
        store.put_block(naming.WORK, naming.work(order.job, target.name), naming.tile_block(order.tile), data)
        written += len(data)
    summaries = naming.work(order.job, naming.summaries(order.stage.index))
    store.put_block(naming.WORK, summaries, effort.block(Adler(), measured.summary), measured.summary)
    return written
