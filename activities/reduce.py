"""Merge what the tiles of a stage measured, once, and commit the label map they wrote."""

from collections.abc import Iterator

from activities.attempts import refuse_if_stopped
from activities.reports import write_merged
from activities.store import BlobMissing, Store
from tessera import blockraster, naming
from tessera.messages import ReduceOrder
from tessera.parts import read_parts
from tessera.pipeline import bind_global
from tessera.plan import Raster


def reduce(order: ReduceOrder, store: Store) -> None:
    """Write the tables that resolve what the stage measured, and commit its label map if it has one.

    Raises
    ------
    tessera.errors.Cancelled
        If the job was asked to stop.
    BlobMissing
        If the tiles' blocks are gone: the job is over.
    """
    refuse_if_stopped(order.job, store)
    stage = order.stage
    if stage.measure is None:
        raise ValueError(f"stage {stage.index} measures nothing")
    tiles = [naming.tile_block(index) for index in range(stage.grid.count)]
    if stage.target is not None:
        _commit_labels(order.job, stage.target, tiles, store)
    operation, parameters = bind_global(stage.measure)
    merged = operation.merge(stage.grid, _summaries(order, store), parameters)
    write_merged(order.job, stage.index, stage.report, merged, store)


def _commit_labels(job: str, target: Raster, tiles: list[str], store: Store) -> None:
    name = naming.work(job, target.name)
    sizes = store.blocks(naming.WORK, name)
    if missing := [tile for tile in tiles if tile not in sizes]:
        raise BlobMissing(f"{name} lacks {len(missing)} blocks")
    header = blockraster.header(target, [sizes[tile] for tile in tiles])
    store.put_block(naming.WORK, name, naming.HEAD_BLOCK, header)
    store.commit(naming.WORK, name, [naming.HEAD_BLOCK, *tiles])


def _summaries(order: ReduceOrder, store: Store) -> Iterator[bytes]:
    name, count = naming.work(order.job, naming.summaries(order.stage.index)), order.stage.grid.count
    found = read_parts(store.blocks(naming.WORK, name))
    if len(found) < count:
        raise BlobMissing(f"{name} lacks {count - len(found)} of {count} tiles")
    parts = [found[tile] for tile in range(count)]
    store.commit(naming.WORK, name, [part.block for part in parts])
    data, offset = store.read(naming.WORK, name), 0
    for part in parts:
        yield data[offset : offset + part.size]
        offset += part.size
