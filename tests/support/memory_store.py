"""Storage in memory with the semantics of block blobs, for tests that need thousands of small jobs."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from threading import RLock

from activities.store import BlobChanged, BlobExists, BlobMissing, Stat


class MemoryStore:
    """A `activities.store.Store`; ``reads`` counts the bytes read of each blob."""

    def __init__(self) -> None:
        self._blobs: dict[tuple[str, str], dict[str, bytes]] = {}
        self._uncommitted: dict[tuple[str, str], dict[str, bytes]] = {}
        self._lock = RLock()
        self.reads: Counter[tuple[str, str]] = Counter()

    def stat(self, container: str, name: str) -> Stat:
        data = self._data(container, name)
        return Stat(len(data), hashlib.md5(data, usedforsecurity=False).hexdigest())

    def exists(self, container: str, name: str) -> bool:
        return (container, name) in self._blobs

    def read(
        self,
        container: str,
        name: str,
        offset: int = 0,
        length: int | None = None,
        *,
        etag: str | None = None,
    ) -> bytes:
        data = self._data(container, name)
        if etag is not None and self.stat(container, name).etag != etag:
            raise BlobChanged(f"{container}/{name} was changed")
        part = data[offset:] if length is None else data[offset : offset + length]
        self.reads[container, name] += len(part)
        return part

    def write(
        self, container: str, name: str, data: bytes, *, media_type: str = "", new: bool = False
    ) -> None:
        with self._lock:
            if new and self.exists(container, name):
                raise BlobExists(f"{container}/{name} exists")
            self._blobs[container, name] = {"": bytes(data)}

    def put_block(self, container: str, name: str, block: str, data: bytes) -> None:
        with self._lock:
            self._uncommitted.setdefault((container, name), {})[block] = bytes(data)

    def blocks(self, container: str, name: str) -> dict[str, int]:
        both = self._blobs.get((container, name), {}) | self._uncommitted.get((container, name), {})
        return {block: len(data) for block, data in both.items()}

    def commit(self, container: str, name: str, blocks: Sequence[str], *, media_type: str = "") -> None:
        with self._lock:
            both = self._blobs.get((container, name), {}) | self._uncommitted.pop((container, name), {})
            missing = [block for block in blocks if block not in both]
            if missing:
                raise BlobMissing(f"{container}/{name} lacks blocks {missing}")
            self._blobs[container, name] = {block: both[block] for block in blocks}

    def names(self, container: str, prefix: str) -> Iterator[str]:
        found = {name for where, name in {*self._blobs, *self._uncommitted} if where == container}
        return iter(sorted(name for name in found if name.startswith(prefix)))

    def delete(self, container: str, name: str) -> None:
        with self._lock:
            self._blobs.pop((container, name), None)
            self._uncommitted.pop((container, name), None)

    def _data(self, container: str, name: str) -> bytes:
        try:
            return b"".join(self._blobs[container, name].values())
        except KeyError:
            raise BlobMissing(f"there is no {container}/{name}") from None
