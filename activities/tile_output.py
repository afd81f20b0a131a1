"""Putting what the encoding of a tile gives where stitching finds it."""

from dataclasses import dataclass
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

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


def put_encoded(
    job: str, output: Output, grid: Grid, effort: Effort, pixels: NDArray[np.integer], store: Store
) -> int:
    """Encode a tile and put its part of the result; return the bytes written.

    The part itself comes last: who sees it takes the tile for done. What the head must know of a part goes by
    the id of its block, because another attempt may compress the same pixels to other bytes.
    """
    codec = codec_for(output)
    encoded = codec.encode(np.ascontiguousarray(pixels), grid.tile(effort.tile), grid)
    name, written = naming.result(job, codec.extension), 0

    def put(block: str, data: bytes, index: bytes) -> int:
        if index:
            store.put_block(naming.WORK, naming.work(job, naming.indexes()), block, index)
        store.put_block(naming.RESULTS, name, block, data)
        return len(data) + len(index)

    if encoded.rest is not None:
        rest, tile = encoded.rest.tobytes(), naming.tile_block(effort.tile)
        store.put_block(naming.WORK, naming.work(job, naming.rest_raster()), tile, rest)
        written += len(rest)
    for level, coded in enumerate(encoded.overviews, 1):
        written += put(effort.block(Adler(), coded.data, level), coded.data, coded.index)
    return written + put(effort.block(encoded.checksum, encoded.data), encoded.data, encoded.index)


def blocks_of_result(job: str, codec: Codec, store: Store) -> dict[str, int]:
    """Return the bytes of the blocks that a result can be made of, by their ids.

    A part that the head can't be told of is of no use: the work area may be lost while the result is not.
    """
    blocks = store.blocks(naming.RESULTS, naming.result(job, codec.extension))
    if not isinstance(codec, TiffCodec):
        return blocks
    indexed = store.blocks(naming.WORK, naming.work(job, naming.indexes()))
    return {block: size for block, size in blocks.items() if block in indexed}
