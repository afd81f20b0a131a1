"""A stage of any size becomes a tree in which no orchestrator has more than 64 children."""

import pytest

from orchestrations.process_tiles import MOST_CHILDREN, parts
from tessera.geometry import Rect
from tessera.messages import TileOrder, TilesOrder
from tessera.plan import ImageInfo, Output, Pixels, Raster, Stage


def order(tiles: int) -> TilesOrder:
    frame = Rect(0, 0, 8, tiles)
    source = Raster(
        name="source", frame=frame, box=frame, channels=3, dtype="u1", block_width=8, block_height=8
    )
    stage = Stage(index=0, source=source, width=8, height=tiles, tile_width=8, tile_height=1)
    image = ImageInfo(format="png", width=8, height=tiles, pixels=Pixels(channels=3), size=1, etag="")
    return TilesOrder(
        job="0" * 32, upload="1" * 32, image=image, stage=stage, output=Output(), first=0, last=tiles
    )


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
