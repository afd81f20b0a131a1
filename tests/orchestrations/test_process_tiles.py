"""A stage of any size becomes a tree in which no orchestrator has more than 64 children."""

import pytest

from orchestrations.process_tiles import MOST_CHILDREN, parts
from tessera.messages import TileOrder, TilesOrder
from tessera.plan import Output, Raster, Stage


def order(tiles: int) -> TilesOrder:
    source = Raster(name="source", width=8, height=tiles, channels=3, dtype="u1", block_rows=8)
    stage = Stage(index=0, source=source, band_rows=1)
    return TilesOrder(job="0" * 32, stage=stage, output=Output(), first=0, last=tiles)


def leaves(node: TilesOrder) -> list[int]:
    children = parts(node)
    assert 1 <= len(children) <= MOST_CHILDREN
    tiles = []
    for child in children:
        tiles += [child.tile] if isinstance(child, TileOrder) else leaves(child)
    return tiles


@pytest.mark.parametrize("count", [1, 63, 64, 65, 128, 4096, 4097, 20_000])
def test_every_tile_is_run_once_and_in_order(count: int) -> None:
    assert leaves(order(count)) == list(range(count))


def test_up_to_64_tiles_need_no_orchestrator_of_their_own() -> None:
    assert all(isinstance(child, TileOrder) for child in parts(order(64)))
