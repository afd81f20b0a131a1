"""Make one file of the tiles' blocks: a head, a tail and a list. No pixel is read."""

from activities.attempts import refuse_if_stopped
from activities.store import BlobMissing, Store
from tessera import naming
from tessera.checksum import Adler
from tessera.codecs import Picture, codec_for
from tessera.messages import Result, StitchOrder
from tessera.parts import Part, frame_block, read_parts


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
    made, name = plan.result, naming.result(order.job, codec.extension)
    picture = Picture(made.width, made.height, made.pixels, icc=_profile(order, store))
    parts = _parts(name, plan.stages[-1].grid.count, store)
    head, tail = codec.frame(picture, _combined(parts))
    first, last = frame_block("head", head), frame_block("tail", tail)
    store.put_block(naming.RESULTS, name, first, head)
    store.put_block(naming.RESULTS, name, last, tail)
    blocks = [first, *(part.block for part in parts), last]
    store.commit(naming.RESULTS, name, blocks, media_type=codec.media_type)
    return Result(
        format=plan.output.format,
        width=made.width,
        height=made.height,
        pixels=made.pixels,
        size=len(head) + sum(part.size for part in parts) + len(tail),
    )


def _parts(name: str, count: int, store: Store) -> list[Part]:
    found = read_parts(store.blocks(naming.RESULTS, name))
    if missing := [tile for tile in range(count) if tile not in found]:
        raise BlobMissing(f"{name} lacks {len(missing)} of {count} tiles")
    return [found[tile] for tile in range(count)]


def _combined(parts: list[Part]) -> Adler:
    checksum = Adler()
    for part in parts:
        checksum = checksum.followed_by(part.checksum)
    return checksum


def _profile(order: StitchOrder, store: Store) -> bytes:
    """Return the input's colour profile where it still describes the result's channels."""
    made, given = order.plan.result.pixels, order.plan.image.pixels
    if not order.plan.image.icc or (made.channels > 2) != (given.channels > 2):
        return b""
    return store.read(naming.WORK, naming.work(order.job, naming.profile()))
