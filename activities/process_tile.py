"""Run tiles of a stage: read their windows, process them, put their parts of the output as blocks."""

from collections.abc import Callable
from time import perf_counter

from activities.attempts import StopCheck, begin
from activities.blocks import Block, Sender, size_of
from activities.previews import Patches
from activities.read_ahead import ReadAhead
from activities.store import Store
from activities.tile_output import Effort, encoded_blocks
from activities.uploads import Downwards, open_upload
from tessera import blockraster, naming, tables
from tessera.checksum import Adler
from tessera.execute import Read, StageRun, Tables
from tessera.messages import Tally, TileOrder
from tessera.operations.base import Measured
from tessera.pipeline import ends_in_lines
from tessera.plan import Raster, Stage, Upload
from tessera.platform_id import platform_id


def process_tile(order: TileOrder, store: Store) -> Tally:
    """Write the blocks of tiles of the label map or of the result, and say what they took.

    Raises
    ------
    tessera.errors.Cancelled
        If the job was asked to stop, before or between tiles.
    tessera.errors.GaveUp
        If a tile ended its process too often.
    BlobMissing
        If what they read is gone: the job is over.
    """
    started, tally = perf_counter(), Tally()
    check = StopCheck(order.job, store, order.run)
    stage = order.stage
    read, seen = _source(order, store), Patches(stage.source.frame)
    if _is_first_to_see(stage):
        read = seen.watching(read)
    run = StageRun.of(stage, read, _tables(order.job, store))
    made = Patches(stage.grid.frame, brightest=ends_in_lines(run.pipeline))
    attempt = _begin(order, store)
    with Sender(store) as sender:
        for tile in range(order.tile, order.tile + order.count):
            check()
            effort = Effort(tile, attempt, started)
            blocks = _blocks(order, effort, run, made)
            sender.send(blocks)
            tally = tally.followed_by(
                Tally(tiles=1, written=size_of(blocks), seconds=effort.seconds, platforms=(platform_id(),))
            )
            started = perf_counter()
        sender.finish(
            [*seen.blocks(order.job, "input", order.tile), *made.blocks(order.job, "result", order.tile)]
        )
    return tally.followed_by(Tally(retried=attempt - 1, seconds=round(perf_counter() - started, 4)))


def _begin(order: TileOrder, store: Store) -> int:
    task, decodes = naming.tile_task(order.stage.index, order.tile), isinstance(order.stage.source, Upload)
    return begin(order.job, task, store, decodes=decodes)


def _blocks(order: TileOrder, effort: Effort, run: StageRun, made: Patches) -> list[Block]:
    """Return what is to be put of a tile."""
    grid = order.stage.grid
    core = grid.tile(effort.tile)
    if order.stage.measure:
        return _measured_blocks(order, run.measured(core), effort)
    pixels = run.tile(core)
    made.see(pixels, core)
    return encoded_blocks(order.job, order.output, grid, effort, pixels)


def _source(order: TileOrder, store: Store) -> Read:
    """Return what reads the stage's source."""
    source = order.stage.source
    if isinstance(source, Raster):
        reader = _reader(order.job, source.name, store)
        if source.deflated:
            reader = ReadAhead(reader)
        return lambda region: blockraster.read(source, region, reader)
    if source.skipping:
        return Downwards(order.upload, order.image, store)
    restarts = store.read(naming.WORK, naming.work(order.job, source.name)) if source.indexing else None
    return open_upload(order.upload, order.image, store, restarts).read


def _is_first_to_see(stage: Stage) -> bool:
    """Tell whether the stage's tiles see an input of which nobody else makes a picture."""
    return stage.index == 0 and isinstance(stage.source, Upload)


def _tables(job: str, store: Store) -> Tables:
    readers: dict[int, ReadAhead] = {}

    def tables_of(stage: int, first: int, last: int) -> list[bytes]:
        if stage not in readers:
            readers[stage] = ReadAhead(_reader(job, naming.table(stage), store))
        return tables.read(readers[stage], first, last)

    return tables_of


def _reader(job: str, name: str, store: Store) -> Callable[[int, int], bytes]:
    return lambda offset, length: store.read(naming.WORK, naming.work(job, name), offset, length)


def _measured_blocks(order: TileOrder, measured: Measured, effort: Effort) -> list[Block]:
    """Return the labels, then the summary: the tile counts as done when the latter is there."""
    blocks, target = list[Block](), order.stage.target
    if target is not None and measured.labels is not None:
        data = blockraster.to_deflated_block(target, measured.labels)
        labels = naming.work(order.job, target.name)
        blocks.append(Block(naming.WORK, labels, naming.tile_block(effort.tile), data))
    summaries = naming.work(order.job, naming.summaries(order.stage.index))
    block = effort.block(Adler(), measured.summary)
    return [*blocks, Block(naming.WORK, summaries, block, measured.summary)]
