"""Make an upload ready for its tiles: decode it into a block raster, or index it so that they can read it."""

from time import perf_counter

from activities.attempts import StopCheck, begin
from activities.metadata import keep_metadata
from activities.previews import Patches, write_input_preview
from activities.raster_writer import RasterWriter
from activities.reports import write_merged
from activities.store import Store
from activities.uploads import index_of_restarts, open_upload
from tessera import naming
from tessera.decoding import Decoding
from tessera.formats import ImageFile
from tessera.geometry import Rect
from tessera.messages import IngestOrder, Tally
from tessera.plan import Raster, Upload
from tessera.platform_id import platform_id
from tessera.rasters import rows_at_once


def ingest(order: IngestOrder, store: Store) -> Tally:
    """Write what the tiles need of the upload: the metadata that is kept, and ``order.target``.

    Raises
    ------
    tessera.errors.CorruptImage
        If the pixels end early or are damaged.
    tessera.errors.Cancelled
        If the job was asked to stop, now or while this was running.
    tessera.errors.GaveUp
        If decoding ended its process too often.
    """
    started = perf_counter()
    check = StopCheck(order.job, store)
    attempt = begin(order.job, naming.INGEST_TASK, store, decodes=True)
    file = open_upload(order.upload, order.image, store)
    keep_metadata(order.job, file, store, exif=order.exif)
    platforms: tuple[str, ...] = ()
    if isinstance(order.target, Raster):
        written, platforms = _decoded(order, file, order.target, store, check), (platform_id(),)
    else:
        written = _indexed(order, order.target, store)
    seconds = round(perf_counter() - started, 4)
    return Tally(retried=attempt - 1, written=written, seconds=seconds, platforms=platforms)


def _indexed(order: IngestOrder, target: Upload, store: Store) -> int:
    if not target.indexing:
        return 0
    index = index_of_restarts(order.upload, order.image, store)
    store.write(naming.WORK, naming.work(order.job, target.name), index)
    return len(index)


def _decoded(order: IngestOrder, file: ImageFile, raster: Raster, store: Store, check: StopCheck) -> int:
    """Decode from top to bottom in bounded memory; what lies below the raster's box isn't decoded."""
    job, box = order.job, raster.box
    seen, decoding, top = Patches(raster.frame), Decoding(order.ingest, raster.frame), box.y0
    with RasterWriter(job, raster, store) as writer:
        for rows in file.bands(rows_at_once(raster), box.y1, box.y0):
            check()
            band = Rect(0, top, file.width, top + len(rows))
            seen.see(rows, band)
            writer.write(decoding.band(rows, band)[:, box.x0 : box.x1])
            top = band.y1
        # Before the raster is there: who finds that finds these, too.
        for each, merged in decoding.tables():
            write_merged(job, each.table, each.report, merged, store)
        written = writer.commit()
    write_input_preview(job, order.image, seen.picture(), store)
    return written
