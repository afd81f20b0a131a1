"""Do a job that is one tile in one activity: decode, process, encode."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

from activities.attempts import begin, refuse_if_stopped
from activities.blocks import put_all, size_of
from activities.metadata import keep_metadata
from activities.previews import Array, Patches, write_input_preview, write_preview
from activities.reports import write_report
from activities.store import Store
from activities.tile_output import Effort, encoded_blocks
from activities.uploads import open_upload
from tessera import naming
from tessera.execute import run_whole
from tessera.messages import DirectOrder, Tally
from tessera.orientation import upright
from tessera.pipeline import bind_planned, ends_in_lines
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
    plan, image = order.plan, order.plan.image
    attempt = begin(order.job, naming.DIRECT_TASK, store, decodes=True)
    file = open_upload(order.upload, image, store)
    keep_metadata(order.job, file, store, exif=plan.output.keep_metadata)
    raster = next(file.bands(image.height))
    made = run_whole(raster, bind_planned(plan.pipeline), _reporter(order, store))
    effort = Effort(0, attempt, started)
    with ThreadPoolExecutor(1) as pool:
        shown = pool.submit(_show, order, raster, made, store)
        blocks = encoded_blocks(order.job, plan.output, plan.stages[-1].grid, effort, made)
        put_all(blocks, store)
        shown.result()
    return Tally(
        tiles=1,
        retried=attempt - 1,
        written=size_of(blocks),
        seconds=effort.seconds,
        platforms=(platform_id(),),
    )


def _show(order: DirectOrder, given: Array, made: Array, store: Store) -> None:
    """Keep small pictures of both."""
    plan = order.plan
    before = Patches(plan.image.shape.frame)
    after = Patches(plan.result.frame, brightest=ends_in_lines(bind_planned(plan.pipeline)))
    before.see(given, plan.image.shape.frame)
    after.see(made, plan.result.frame)
    write_input_preview(order.job, plan.image, before.picture(), store)
    write_preview(order.job, "result", after.picture(), store)


def _reporter(order: DirectOrder, store: Store) -> Callable[[int, bytes], None]:
    first = len(upright(order.plan.image.orientation))

    def report(place: int, document: bytes) -> None:
        write_report(order.job, place - first, document, store)

    return report
