"""Merge what the tiles of a stage measured, once, and commit the label map they wrote."""

from collections.abc import Iterator

from activities.attempts import refuse_if_stopped
from activities.store import BlobMissing, Store
from tessera import blockraster, naming, tables
from tessera.messages import ReduceOrder
from tessera.pipeline import bind_global


def reduce(order: ReduceOrder, store: Store) -> None:
    """Commit the stage's label map and write the tables that resolve it.

    Raises
    ------
    tessera.errors.Cancelled
        If the job was asked to stop.
    BlobMissing
        If the tiles' blocks are gone: the job is over.
    """
    refuse_if_stopped(order.job, store)
    stage = order.stage
    if stage.measure is None or stage.target is None:
        raise ValueError(f"stage {stage.index} measures nothing")
    tiles = [naming.tile_block(index) for index in range(stage.grid.count)]
    labels = naming.work(order.job, stage.target.name)
    sizes = store.blocks(naming.WORK, labels)
    if missing := [tile for tile in tiles if tile not in sizes]:
        raise BlobMissing(f"{labels} lacks {len(missing)} blocks")
    header = blockraster.header(stage.target, [sizes[tile] for tile in tiles])
    store.put_block(naming.WORK, labels, naming.HEAD_BLOCK, header)
    store.commit(naming.WORK, labels, [naming.HEAD_BLOCK, *tiles])
    operation, _ = bind_global(stage.measure)
    merged = operation.merge(stage.grid, _summaries(order, tiles, store))
    store.write(naming.WORK, naming.work(order.job, naming.table(stage.index)), tables.pack(merged))


def _summaries(order: ReduceOrder, tiles: list[str], store: Store) -> Iterator[bytes]:
    name = naming.work(order.job, naming.summaries(order.stage.index))
    store.commit(naming.WORK, name, tiles)
    sizes = store.blocks(naming.WORK, name)
    data, offset = store.read(naming.WORK, name), 0
    for tile in tiles:
        yield data[offset : offset + sizes[tile]]
        offset += sizes[tile]
