"""The overviews of a TIFF that span tiles: made when it is stitched, from what the tiles kept."""

from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray

from activities.store import Store
from tessera import blockraster, naming
from tessera.checksum import Adler
from tessera.codecs import pyramid
from tessera.codecs.tiff import TiffCodec
from tessera.geometry import Grid
from tessera.parts import part_block
from tessera.plan import Pixels
from tessera.rasters import rest_raster


def put_top(job: str, codec: TiffCodec, grid: Grid, pixels: Pixels, store: Store) -> None:
    """Put the parts of the overviews that no tile of *grid* could make alone; nothing if there are none.

    Raises
    ------
    BlobMissing
        If what the tiles kept is gone: the job is over.
    """
    own = pyramid.own_levels(grid)
    if not codec.pyramid or own == pyramid.level_count(grid.width, grid.height):
        return
    name, indexes = naming.result(job, codec.extension), naming.work(job, naming.indexes())
    for level, number, coded in codec.top(grid, _rows(job, grid, pixels, store)):
        block = part_block(number, 1, 0.0, Adler(), coded.data, level)
        store.put_block(naming.WORK, indexes, block, coded.index)
        store.put_block(naming.RESULTS, name, block, coded.data)


def _rows(job: str, grid: Grid, pixels: Pixels, store: Store) -> Iterator[NDArray[Any]]:
    """Yield the rows of the largest of these overviews, a row of tiles at a time."""
    raster, name = rest_raster(grid, pixels), naming.work(job, naming.rest_raster())
    tiles = [naming.tile_block(tile) for tile in range(raster.grid.count)]
    store.put_block(naming.WORK, name, naming.HEAD_BLOCK, blockraster.header(raster))
    store.commit(naming.WORK, name, [naming.HEAD_BLOCK, *tiles])
    for band in raster.bands.tiles():
        yield blockraster.read(
            raster, band, lambda offset, length: store.read(naming.WORK, name, offset, length)
        )
