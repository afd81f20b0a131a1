"""Make one file of the tiles' blocks: a head, a tail and a list. No pixel is read."""

from collections.abc import Collection, Mapping, Sequence

from activities.attempts import refuse_if_stopped
from activities.metadata import kept_picture
from activities.store import BlobMissing, Store
from activities.tile_output import blocks_of_result
from tessera import naming
from tessera.checksum import Adler
from tessera.codecs import Codec, Layout, codec_for
from tessera.geometry import Grid
from tessera.messages import Result, StitchOrder
from tessera.parts import Part, frame_block, is_overview, read_indexes, read_parts


def stitch(order: StitchOrder, store: Store) -> Result:
    """Commit the result.

    Raises
    ------
    tessera.errors.Cancelled
        If the job was asked to stop.
    BlobMissing
        If a tile's block is gone: the job is over.
    """
    refuse_if_stopped(order.job, store)
    plan, codec = order.plan, codec_for(order.plan.output)
    name = naming.result(order.job, codec.extension)
    parts, layout = _laid_out(order, codec, plan.stages[-1].grid, store)
    checksum = Adler.combined(part.checksum for part in parts[0])
    head, tail = codec.frame(kept_picture(order.job, plan, store), checksum, layout)
    before, after = _framed(name, head, tail, store)
    # The smallest overview comes first, the image itself last.
    blocks = [*before, *(part.block for level in reversed(parts) for part in level), *after]
    store.commit(naming.RESULTS, name, blocks, media_type=codec.media_type)
    size = len(head) + sum(part.size for level in parts for part in level) + len(tail)
    return Result.of(plan, size)


def _framed(name: str, head: bytes, tail: bytes, store: Store) -> tuple[list[str], list[str]]:
    """Put what goes before and after the tiles; a format without a tail gets no block for it."""
    first, last = frame_block("head", head), frame_block("tail", tail)
    store.put_block(naming.RESULTS, name, first, head)
    if not tail:
        return [first], []
    store.put_block(naming.RESULTS, name, last, tail)
    return [first], [last]


def _laid_out(
    order: StitchOrder, codec: Codec, grid: Grid, store: Store
) -> tuple[list[list[Part]], Layout | None]:
    """Return the parts of the image and its overviews, and what the head must know of them, if anything."""
    blocks, grids = blocks_of_result(order.job, codec, store), codec.levels(grid)
    name = naming.result(order.job, codec.extension)
    image = _all_of(name, blocks.tiles, grid, 0)
    if blocks.indexes is None:
        return [image], None
    indexes = _indexes(order.job, image, blocks.indexes, store)
    overviews = {block: size for block, size in blocks.parts.items() if block in indexes}
    levels = [image] + [
        _all_of(name, read_parts(overviews, level), each, level) for level, each in enumerate(grids[1:], 1)
    ]
    return levels, Layout(grids, [[indexes[part.block] for part in parts] for parts in levels])


def _all_of(name: str, found: Mapping[int, Part], grid: Grid, level: int) -> list[Part]:
    if missing := [tile for tile in range(grid.count) if tile not in found]:
        raise BlobMissing(f"{name} lacks {len(missing)} of {grid.count} tiles of level {level}")
    return [found[tile] for tile in range(grid.count)]


def _indexes(job: str, image: Sequence[Part], kept: Collection[str], store: Store) -> dict[str, bytes]:
    """Read what was kept of the tiles that are taken, their overviews, and those that span tiles."""
    name = naming.work(job, naming.indexes())
    taken = [part.block for part in image] + [block for block in kept if is_overview(block)]
    store.commit(naming.WORK, name, taken)
    return read_indexes(store.read(naming.WORK, name))
