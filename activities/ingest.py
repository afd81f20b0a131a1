"""Decode an upload once, from top to bottom in bounded memory, into a block raster."""

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from time import perf_counter

from activities.attempts import begin, refuse_if_stopped
from activities.store import Store
from activities.uploads import open_upload
from tessera import blockraster, naming
from tessera.messages import IngestOrder, Tally

_UPLOADS_AT_ONCE = 3


def ingest(order: IngestOrder, store: Store) -> Tally:
    """Write the decoded pixels of the upload as the block raster ``order.target``.

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
    attempt = begin(order.job, naming.INGEST_TASK, store)
    decoder = open_upload(order.upload, order.image.size, order.image.etag, store)
    raster, name = order.target, naming.work(order.job, order.target.name)
    box = raster.box
    if order.image.icc:
        store.write(naming.WORK, naming.work(order.job, naming.profile()), decoder.icc)
    store.put_block(naming.WORK, name, naming.HEAD_BLOCK, blockraster.header(raster))
    with ThreadPoolExecutor(_UPLOADS_AT_ONCE) as pool:
        pending: deque[Future[None]] = deque()
        for index, rows in enumerate(decoder.bands(raster.block_height, box.y0, box.y1)):
            if len(pending) == _UPLOADS_AT_ONCE:
                pending.popleft().result()
                refuse_if_stopped(order.job, store)
            data = blockraster.to_blocks(raster, rows[:, box.x0 : box.x1])
            pending.append(pool.submit(store.put_block, naming.WORK, name, naming.tile_block(index), data))
        for upload in pending:
            upload.result()
    blocks = [naming.tile_block(index) for index in range(raster.bands.count)]
    store.commit(naming.WORK, name, [naming.HEAD_BLOCK, *blocks])
    written = blockraster.HEADER_BYTES + box.height * raster.row_bytes
    return Tally(retried=attempt - 1, written=written, seconds=round(perf_counter() - started, 4))
