"""Putting what the encoding of a tile gives where stitching finds it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from activities.blocks import Block
from activities.store import Store
from tessera import naming
from tessera.checksum import Adler
from tessera.codecs import Codec, codec_for
from tessera.codecs.tiff import TiffCodec
from tessera.geometry import Grid
from tessera.parts import part_block
from tessera.plan import Output


@dataclass(frozen=True)
class Effort:
    """A tile, the attempt at it that goes on, and when this began (`time.perf_counter`)."""

    tile: int
    attempt: int
    started: float

    @property
    def seconds(self) -> float:
        """Return the seconds since the beginning."""
        return round(perf_counter() - self.started, 4)

    def block(self, checksum: Adler, data: bytes, level: int = 0) -> str:
        """Return the id of the block *data* that is put now."""
        return part_block(self.tile, self.attempt, self.seconds, checksum, data, level)


def encoded_blocks(
    job: str, output: Output, grid: Grid, effort: Effort, pixels: NDArray[np.integer]
) -> list[Block]:
    """Encode a tile and return what of it is to be put, in this order.

    The part itself comes last: who sees it takes the tile for done. What the head must know of a part goes by
    the id of its block, because another attempt may compress the same pixels to other bytes.
    """
    codec = codec_for(output)
    encoded = codec.encode(np.ascontiguousarray(pixels), grid.tile(effort.tile), grid)
    blocks, result = list[Block](), naming.result(job, codec.extension)

    def add(block: str, data: bytes, index: bytes) -> None:
        if index:
            blocks.append(Block(naming.WORK, naming.work(job, naming.indexes()), block, index))
        blocks.append(Block(naming.RESULTS, result, block, data))

    if encoded.rest is not None:
        rest = naming.work(job, naming.rest_raster())
        blocks.append(Block(naming.WORK, rest, naming.tile_block(effort.tile), encoded.rest.tobytes()))
    for level, coded in enumerate(encoded.overviews, 1):
        add(effort.block(Adler(), coded.data, level), coded.data, coded.index)
    add(effort.block(encoded.checksum, encoded.data), encoded.data, encoded.index)
    return blocks


class ResultBlocks(NamedTuple):
    """Bytes of the blocks that a result can be made of, and of what its head must know of each, by id."""

    parts: dict[str, int]
    indexes: dict[str, int]


def blocks_of_result(job: str, codec: Codec, store: Store) -> ResultBlocks:
    """Return what is there of a result.

    A part that the head can't be told of is of no use: the work area may be lost while the result is not.
    """
    name, indexes = naming.result(job, codec.extension), naming.work(job, naming.indexes())
    if not isinstance(codec, TiffCodec):
        return ResultBlocks(store.blocks(naming.RESULTS, name), {})
    with ThreadPoolExecutor(1) as beside:
        listed = beside.submit(store.blocks, naming.WORK, indexes)
        blocks = store.blocks(naming.RESULTS, name)
    indexed = listed.result()
    return ResultBlocks({block: size for block, size in blocks.items() if block in indexed}, indexed)
