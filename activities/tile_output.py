"""Putting what the encoding of a tile gives where stitching finds it."""

from collections.abc import Collection, Mapping
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
from tessera.codecs.base import Coded
from tessera.codecs.tiff import TiffCodec
from tessera.geometry import Grid
from tessera.parts import Part, joined_indexes, part_block, read_parts
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

    The part itself comes last: who sees it takes the tile for done. What the head must know of it and of its
    overviews lies in one block of the same id, and says the ids of theirs, because another attempt may
    compress the same pixels to other bytes.
    """
    codec = codec_for(output)
    encoded = codec.encode(np.ascontiguousarray(pixels), grid.tile(effort.tile), grid)
    last = effort.block(encoded.checksum, encoded.data)
    parts = {
        effort.block(Adler(), coded.data, level): coded for level, coded in enumerate(encoded.overviews, 1)
    } | {last: Coded(encoded.data, encoded.index)}
    blocks, result = list[Block](), naming.result(job, codec.extension)
    if encoded.rest is not None:
        rest = naming.work(job, naming.rest_raster())
        blocks.append(Block(naming.WORK, rest, naming.tile_block(effort.tile), encoded.rest.tobytes()))
    blocks += (Block(naming.RESULTS, result, block, coded.data) for block, coded in parts.items())
    if encoded.index:
        indexes = {block: coded.index for block, coded in parts.items()}
        blocks.insert(-1, index_block(job, last, indexes))
    return blocks


def index_block(job: str, block: str, indexes: Mapping[str, bytes]) -> Block:
    """Return the block of id *block* that says what the head must know of parts, by the ids of theirs."""
    return Block(naming.WORK, naming.work(job, naming.indexes()), block, joined_indexes(indexes))


class ResultBlocks(NamedTuple):
    """Bytes of the blocks of a result, by id, and ids of those that say what its head must know of them.

    *indexes* is None where a head must know nothing.
    """

    parts: dict[str, int]
    indexes: Collection[str] | None

    @property
    def tiles(self) -> dict[int, Part]:
        """Return the part of each tile that is there.

        One that the head can't be told of is of no use: the work area may be lost while the result is not.
        """
        if self.indexes is None:
            return read_parts(self.parts)
        return read_parts({block: size for block, size in self.parts.items() if block in self.indexes})


def blocks_of_result(job: str, codec: Codec, store: Store) -> ResultBlocks:
    """Return what is there of a result."""
    name, indexes = naming.result(job, codec.extension), naming.work(job, naming.indexes())
    if not isinstance(codec, TiffCodec):
        return ResultBlocks(store.blocks(naming.RESULTS, name), None)
    with ThreadPoolExecutor(1) as beside:
        listed = beside.submit(store.blocks, naming.WORK, indexes)
        blocks = store.blocks(naming.RESULTS, name)
    return ResultBlocks(blocks, listed.result())
