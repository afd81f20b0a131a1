"""Make an upload ready for its tiles: decode it into a block raster, or index it so that they can read it."""

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from time import perf_counter

from activities.attempts import begin, refuse_if_stopped
from activities.metadata import keep_metadata
from activities.previews import Patches, write_input_preview
from activities.reports import write_merged
from activities.store import Store
from activities.uploads import index_of_restarts, open_upload
from tessera import blockraster, naming
from tessera.decoding import Decoding
from tessera.formats import ImageFile
from tessera.geometry import Rect
from tessera.messages import IngestOrder, Tally
from tessera.plan import Raster, Upload

_UPLOADS_AT_ONCE = 3


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
    refuse_if_stopped(order.job, store)
    attempt = begin(order.job, naming.INGEST_TASK, store, decodes=True)
    file = open_upload(order.upload, order.image, store)
    keep_metadata(order.job, file, store, exif=order.exif)
    if isinstance(order.target, Raster):
        written = _decoded(order, file, order.target, store)
    else:
        written = _indexed(order, order.target, store)
    return Tally(retried=attempt - 1, written=written, seconds=round(perf_counter() - started, 4))


def _indexed(order: IngestOrder, target: Upload, store: Store) -> int:
    if not target.indexing:
        return 0
    index = index_of_restarts(order.upload, order.image, store)
    store.write(naming.WORK, naming.work(order.job, target.name), index)
    return len(index)


def _decoded(order: IngestOrder, file: ImageFile, raster: Raster, store: Store) -> int:
    """Decode from top to bottom in bounded memory; what lies below the raster's box isn't decoded."""
    job, box = order.job, raster.box
    seen, decoding = Patches(raster.frame), Decoding(order.ingest, raster.frame)
    name = naming.work(job, raster.name)
    store.put_block(naming.WORK, name, naming.HEAD_BLOCK, blockraster.header(raster))
    with ThreadPoolExecutor(_UPLOADS_AT_ONCE) as pool:
        pending: deque[Future[None]] = deque()
        for index, rows in enumerate(file.bands(raster.block_height, box.y1, box.y0)):
            if len(pending) == _UPLOADS_AT_ONCE:
                pending.popleft().result()
                refuse_if_stopped(job, store)
            top = box.y0 + index * raster.block_height
            band = Rect(0, top, file.width, top + len(rows))
            seen.see(rows, band)
            data = blockraster.to_blocks(raster, decoding.band(rows, band)[:, box.x0 : box.x1])
            pending.append(pool.submit(store.put_block, naming.WORK, name, naming.tile_block(index), data))
        for upload in pending:
            upload.result()
    # Before the raster is there: who finds that finds these, too.
    for each, merged in decoding.tables():
        write_merged(job, each.table, each.report, merged, store)
    blocks = [naming.tile_block(index) for index in range(raster.bands.count)]
    store.commit(naming.WORK, name, [naming.HEAD_BLOCK, *blocks])
    write_input_preview(job, order.image, seen.picture(), store)
    return blockraster.HEADER_BYTES + box.height * raster.row_bytes
