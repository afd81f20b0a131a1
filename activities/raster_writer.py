"""Writing a block raster from top to bottom: one row of blocks is sent while the next is filled."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from activities.store import Store
from tessera import blockraster, naming
from tessera.geometry import Rect
from tessera.plan import Raster
from tessera.rasters import PUT_BYTES, UPLOADS_AT_ONCE, rows_of_blocks_held

type Array = NDArray[Any]


class _Sending(NamedTuple):
    """A row of blocks on its way."""

    memory: Array
    puts: list[Future[None]]


class RasterWriter:
    """Takes the rows of a raster's box in order; a context manager, which waits for what is sent.

    It holds as many rows of blocks as `tessera.rasters.rows_of_blocks_held` says: their memory is used again.
    """

    def __init__(self, job: str, raster: Raster, store: Store) -> None:
        self._raster, self._store, self._name = raster, store, naming.work(job, raster.name)
        self._pool = ThreadPoolExecutor(UPLOADS_AT_ONCE, thread_name_prefix="raster")
        self._sending: deque[_Sending] = deque()
        self._memory = np.empty(0, np.uint8)
        self._row = 0
        self._ids = [naming.HEAD_BLOCK]
        store.put_block(naming.WORK, self._name, naming.HEAD_BLOCK, blockraster.header(raster))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def write(self, rows: Array) -> None:
        """Add *rows* (rows, columns, channels) of one row of blocks; raise what became of those sent."""
        band = self._band
        if self._row == band.y0:
            self._memory = self._free()[: band.pixels * self._raster.pixel_bytes]
        samples = self._memory.view(f"<{self._raster.dtype}")
        blockraster.fill(self._raster, samples, band.height, self._row - band.y0, rows)
        self._row += len(rows)
        if self._row == band.y1:
            self._sending.append(_Sending(self._memory, list(self._puts())))

    def commit(self) -> int:
        """Make the raster of what was written, when all of it is there; return its bytes."""
        while self._sending:
            self._wait()
        self._store.commit(naming.WORK, self._name, self._ids)
        return blockraster.HEADER_BYTES + self._raster.box.height * self._raster.row_bytes

    @property
    def _band(self) -> Rect:
        return self._raster.bands.tile(self._row // self._raster.block_height)

    def _free(self) -> Array:
        """Return the memory of a row of blocks that nobody reads any more."""
        if len(self._sending) < rows_of_blocks_held(self._raster):
            return np.empty(self._raster.block_height * self._raster.row_bytes, np.uint8)
        return self._wait()

    def _wait(self) -> Array:
        sent = self._sending.popleft()
        for put in sent.puts:
            put.result()
        return sent.memory

    def _puts(self) -> Iterator[Future[None]]:
        for start in range(0, self._memory.size, PUT_BYTES):
            block = naming.tile_block(len(self._ids) - 1)
            self._ids.append(block)
            yield self._pool.submit(self._put, block, self._memory[start : start + PUT_BYTES])

    def _put(self, block: str, data: Array) -> None:
        self._store.put_block(naming.WORK, self._name, block, data.tobytes())
