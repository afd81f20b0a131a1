"""Make one file of the tiles' blocks: a head, a tail and a list. No pixel is read."""

from activities.attempts import refuse_if_stopped
from activities.store import Store
from tessera import naming
from tessera.codecs import Picture, codec_for
from tessera.messages import Result, StitchOrder


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
    head, tail = codec.frame(picture, order.checksum)
    store.put_block(naming.RESULTS, name, naming.HEAD_BLOCK, head)
    store.put_block(naming.RESULTS, name, naming.TAIL_BLOCK, tail)
    tiles = (naming.tile_block(index) for index in range(plan.stages[-1].grid.count))
    store.commit(
        naming.RESULTS, name, [naming.HEAD_BLOCK, *tiles, naming.TAIL_BLOCK], media_type=codec.media_type
    )
    return Result(
        format=plan.output.format,
        width=made.width,
        height=made.height,
        pixels=made.pixels,
        size=store.stat(naming.RESULTS, name).size,
    )


def _profile(order: StitchOrder, store: Store) -> bytes:
    """Return the input's colour profile where it still describes the result's channels."""
    made, given = order.plan.result.pixels, order.plan.image.pixels
    if not order.plan.image.icc or (made.channels > 2) != (given.channels > 2):
        return b""
    return store.read(naming.WORK, naming.work(order.job, naming.profile()))
