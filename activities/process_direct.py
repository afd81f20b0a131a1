"""Do a job that is one tile in one activity: decode, process, encode."""

from collections.abc import Callable
from time import perf_counter

import numpy as np

from activities.attempts import begin, refuse_if_stopped
from activities.reports import write_report
from activities.store import Store
from activities.uploads import open_upload
from tessera import naming
from tessera.codecs import codec_for
from tessera.execute import run_whole
from tessera.messages import DirectOrder, Tally
from tessera.orientation import upright
from tessera.parts import part_block
from tessera.pipeline import bind_planned
from tessera.platform_id import platform_id


def process_direct(order: DirectOrder, store: Store) -> Tally:
    """Write the whole result as its only tile, ready to be stitched.

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
    image = order.plan.image
    attempt = begin(order.job, naming.DIRECT_TASK, store)
    decoder = open_upload(order.upload, image.size, image.etag, store)
    raster = next(decoder.bands(image.height))
    if image.icc:
        store.write(naming.WORK, naming.work(order.job, naming.profile()), decoder.icc)
    raster = run_whole(raster, bind_planned(order.plan.pipeline), _reporter(order, store))
    codec = codec_for(order.plan.output)
    data, checksum = codec.encode(np.ascontiguousarray(raster), 0, last=True)
    seconds = round(perf_counter() - started, 4)
    block = part_block(0, attempt, seconds, checksum, data)
    store.put_block(naming.RESULTS, naming.result(order.job, codec.extension), block, data)
    return Tally(
        tiles=1,
        retried=attempt - 1,
        written=len(data),
        seconds=seconds,
        platforms=(platform_id(),),
    )


def _reporter(order: DirectOrder, store: Store) -> Callable[[int, bytes], None]:
    first = len(upright(order.plan.image.orientation))

    def report(place: int, document: bytes) -> None:
        write_report(order.job, place - first, document, store)

    return report
