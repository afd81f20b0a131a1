"""The overviews of a TIFF that span tiles: made before it is stitched, from what the tiles kept."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

from numpy.typing import NDArray

from activities.attempts import refuse_if_stopped
from activities.store import Store
from activities.tile_output import index_block
from tessera import blockraster, naming
from tessera.checksum import Adler
from tessera.codecs import codec_for, pyramid
from tessera.codecs.base import Coded
from tessera.codecs.tiff import TiffCodec
from tessera.geometry import Grid
from tessera.messages import OverviewsOrder
from tessera.parts import part_block
from tessera.plan import Pixels
from tessera.rasters import rest_raster

_AT_ONCE = 4
"""Requests to storage: half of them read ahead, half of them write behind."""


def make_overviews(order: OverviewsOrder, store: Store) -> None:
    """Put the parts of the overviews that no tile could make alone; nothing if there are none.

    Raises
    ------
    tessera.errors.Cancelled
        If the job was asked to stop.
    BlobMissing
        If what the tiles kept is gone: the job is over.
    """
    refuse_if_stopped(order.job, store)
    grid, codec = order.plan.stages[-1].grid, codec_for(order.plan.output)
    if isinstance(codec, TiffCodec) and pyramid.own_levels(grid) < pyramid.level_count(
        grid.width, grid.height
    ):
        _put_top(order.job, codec, grid, order.plan.result.pixels, store)


def _put_top(job: str, codec: TiffCodec, grid: Grid, pixels: Pixels, store: Store) -> None:
    name = naming.result(job, codec.extension)

    def put(block: str, coded: Coded) -> tuple[str, bytes]:
        store.put_block(naming.RESULTS, name, block, coded.data)
        return block, coded.index

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        rows = _ahead(pool, _reads(job, grid, pixels, store))
        parts = codec.top(grid, rows)
        puts = (
            (part_block(number, 1, 0.0, Adler(), coded.data, level), coded) for level, number, coded in parts
        )
        indexes = dict(_ahead(pool, (partial(put, *each) for each in puts)))
    store.put_block(*index_block(job, next(reversed(indexes)), indexes))


def _reads(job: str, grid: Grid, pixels: Pixels, store: Store) -> Iterator[Callable[[], NDArray[Any]]]:
    """Yield what reads the rows of the largest of these overviews, a row of tiles at a time."""
    raster, name = rest_raster(grid, pixels), naming.work(job, naming.rest_raster())
    tiles = [naming.tile_block(tile) for tile in range(raster.grid.count)]
    store.put_block(naming.WORK, name, naming.HEAD_BLOCK, blockraster.header(raster))
    store.commit(naming.WORK, name, [naming.HEAD_BLOCK, *tiles])

    def fetch(offset: int, length: int) -> bytes:
        return store.read(naming.WORK, name, offset, length)

    for band in raster.bands.tiles():
        yield partial(blockraster.read, raster, band, fetch)


def _ahead[Value](pool: ThreadPoolExecutor, tasks: Iterable[Callable[[], Value]]) -> Iterator[Value]:
    """Yield what *tasks* return, in order, while the next of them run."""
    pending: deque[Future[Value]] = deque()
    for task in tasks:
        pending.append(pool.submit(task))
        if len(pending) == _AT_ONCE // 2:
            yield pending.popleft().result()
    for each in pending:
        yield each.result()
