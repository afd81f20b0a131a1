"""Blocks of tiles on their way to storage."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import NamedTuple, Self

from activities.store import Store


class Block(NamedTuple):
    """A block that is to be put; *id* is the block's."""

    container: str
    name: str
    id: str
    data: bytes


def put_all(blocks: Sequence[Block], store: Store) -> None:
    """Put blocks, one after another."""
    for block in blocks:
        store.put_block(*block)


def size_of(blocks: Sequence[Block]) -> int:
    """Return the bytes of blocks."""
    return sum(len(block.data) for block in blocks)


class Sender:
    """Puts the blocks of one tile while the next is made; a context manager, which waits for what is sent.

    No more than one tile's blocks are under way, so memory holds those of two tiles at most.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="blocks")
        self._sent: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()

    def send(self, blocks: Sequence[Block]) -> None:
        """Begin to put blocks, when those before are there; raise what became of those."""
        self._wait()
        self._sent = self._pool.submit(put_all, blocks, self._store)

    def finish(self, blocks: Sequence[Block]) -> None:
        """Put more blocks meanwhile, and return when all are there; raise what became of any."""
        put_all(blocks, self._store)
        self._wait()

    def _wait(self) -> None:
        if self._sent is not None:
            self._sent.result()
            self._sent = None
