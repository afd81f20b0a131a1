"""Do a job that is one tile in one activity: decode, process, encode, commit."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

import numpy as np

from activities.attempts import begin, refuse_if_stopped
from activities.blocks import Block, put_all, size_of
from activities.metadata import keep_metadata, picture_of
from activities.previews import Array, Patches, write_input_preview, write_preview
from activities.reports import write_report
from activities.store import BlobMissing, Store
from activities.tile_output import Effort, encoded_blocks
from activities.uploads import open_upload
from tessera import naming, preview
from tessera.codecs import Layout, codec_for
from tessera.formats import ImageFile
from tessera.messages import DirectDone, DirectOrder, Result, Tally
from tessera.orientation import upright
from tessera.pipeline import bind_planned, ends_in_lines
from tessera.platform_id import platform_id
from tessera.whole import run_whole


def process_direct(order: DirectOrder, store: Store) -> DirectDone:
    """Write the whole result; one that has overviews as its only tile, ready to be stitched.

    Raises
    ------
    tessera.errors.CorruptImage
        If the pixels end early or are damaged.
    tessera.errors.Cancelled
        If the job was asked to stop.
    tessera.errors.GaveUp
        If the job ended its process too often.
    """
    started = perf_counter()
    refuse_if_stopped(order.job, store)
    plan, image = order.plan, order.plan.image
    attempt = begin(order.job, naming.DIRECT_TASK, store, decodes=True)
    file = open_upload(order.upload, image, store, all_of_it=True)
    raster = next(file.bands(image.height))
    made = run_whole(raster, bind_planned(plan.pipeline), _reporter(order, store))
    effort = Effort(0, attempt, started)
    with ThreadPoolExecutor(1) as pool:
        shown = pool.submit(_show, order, raster, made, store)
        if plan.output.pyramid:
            written, result = _put(order, file, made, effort, store), None
        else:
            result = _commit(order, file, made, effort, store)
            written = result.size
        shown.result()
    tally = Tally(
        tiles=1, retried=attempt - 1, written=written, seconds=effort.seconds, platforms=(platform_id(),)
    )
    return DirectDone(tally=tally, result=result)


def _put(order: DirectOrder, file: ImageFile, made: Array, effort: Effort, store: Store) -> int:
    """Put the blocks of the tile, and return their bytes."""
    plan = order.plan
    keep_metadata(order.job, file, store, exif=plan.output.keep_metadata)
    blocks = encoded_blocks(order.job, plan.output, plan.stages[-1].grid, effort, made)
    put_all(blocks, store)
    return size_of(blocks)


def _commit(order: DirectOrder, file: ImageFile, made: Array, effort: Effort, store: Store) -> Result:
    """Commit the file as one block, which is named as that of a tile."""
    plan, codec = order.plan, codec_for(order.plan.output)
    grid, name = plan.stages[-1].grid, naming.result(order.job, codec.extension)
    encoded = codec.encode(np.ascontiguousarray(made), grid.tile(effort.tile), grid)
    layout = Layout(codec.levels(grid), [[encoded.index]]) if encoded.index else None
    head, tail = codec.frame(picture_of(plan, file), encoded.checksum, layout)
    data = b"".join((head, encoded.data, tail))
    refuse_if_stopped(order.job, store)
    block = Block(naming.RESULTS, name, effort.block(encoded.checksum, data), data)
    try:
        _commit_block(block, codec.media_type, store)
    except BlobMissing:
        # Another delivery of this task committed its own block meanwhile, which drops all others.
        _commit_block(block, codec.media_type, store)
    return Result.of(plan, len(data))


def _commit_block(block: Block, media_type: str, store: Store) -> None:
    store.put_block(*block)
    store.commit(block.container, block.name, [block.id], media_type=media_type)


def _show(order: DirectOrder, given: Array, made: Array, store: Store) -> None:
    """Keep small pictures: of the input, whose file may be removed before the result, and of the result."""
    plan, result = order.plan, order.plan.result
    before = Patches(plan.image.shape.frame)
    before.see(given, plan.image.shape.frame)
    write_input_preview(order.job, plan.image, before.picture(), store)
    media_type = codec_for(plan.output).media_type
    if not preview.shows_itself(media_type, result.width, result.height, result.pixels):
        after = Patches(result.frame, brightest=ends_in_lines(bind_planned(plan.pipeline)))
        after.see(made, result.frame)
        write_preview(order.job, "result", after.picture(), store)


def _reporter(order: DirectOrder, store: Store) -> Callable[[int, bytes], None]:
    first = len(upright(order.plan.image.orientation))

    def report(place: int, document: bytes) -> None:
        write_report(order.job, place - first, document, store)

    return report
